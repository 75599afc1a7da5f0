"""What messages show of a text that holds a secret, or might."""

import pytest

from forwardauth.masking import MASK, mask_quoted, mask_text

TEXTS = {
    "password": ("https://u:S3cret@h.example/x", f"https://{MASK}@h.example/x"),
    "user alone": ("https://S3cret@h.example", f"https://{MASK}@h.example"),
    "no host": ("redis://u:S3cret@", f"redis://{MASK}@"),
    "at in it": ("redis://u:S3@cret@h:1/0", f"redis://{MASK}@h:1/0"),
    "slash in it": ("redis://u:S3/cret@h/0", f"redis://{MASK}@h/0"),
    "question mark in it": ("redis://u:S3?cret@h/0", f"redis://{MASK}"),
    "hash in it": ("redis://u:S3#cret@h/0", f"redis://{MASK}"),
    "line break in it": ("redis://u:S3\ncret@h/0", f"redis://{MASK}@h/0"),
    "query": ("https://h.example/x?token=S3cret", f"https://h.example/x?{MASK}"),
    "query without a name": ("https://h.example/?S3cret", f"https://h.example/?{MASK}"),
    "address in a query": ("https://h.example/?m=a@b&t=S3cret", f"https://{MASK}"),
    "fragment": ("https://h.example/#t=S3cret", f"https://h.example/#{MASK}"),
    "password and query": ("https://u:S3cret@h/?t=S3cret", f"https://{MASK}@h/?{MASK}"),
    "backslashes": (r"https:\\u:S3cret@h", rf"https:\\{MASK}@h"),
    "one slash": ("/etc/https:/u:S3cret@h/x", f"/etc/https:/{MASK}@h/x"),
    "no scheme": ("//u:S3cret@h/?t=S3cret", f"//{MASK}@h/?{MASK}"),
    "two URLs": ("https://a,https://u:S3cret@b", f"https://{MASK}@b"),
    "pair before a URL": ("?t=S3cret&u=https://h", f"?t={MASK}&u={MASK}h"),
    "no slashes": ("u:S3cret@h:1", f"u:{MASK}@h:1"),
    "no slashes, at in it": ("u:S3@cret@h:1", f"u:{MASK}@h:1"),
    "path and query": ("/x?a=S3cret&b=S3cret#c", f"/x?a={MASK}&b={MASK}#c"),
    "escaped question mark": (r"/x\?token=S3cret", rf"/x\?token={MASK}"),
}


@pytest.mark.parametrize(("text", "told"), TEXTS.values(), ids=TEXTS)
def test_what_may_be_secret_is_masked(text: str, told: str) -> None:
    """Wherever readers of URLs disagree, more is masked and not less."""
    shown = mask_text(text)

    assert shown == told
    assert "S3" not in shown
    assert "cret" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://app.example.com:8443/inbox",
        "alice@example.com",
        "user:alice",
        "127.0.0.1:9091",
        "/var/lib/forwardauth/users.yaml",
        "^/api/(?:v1|v2)/[^/]+",
        "(?=x)(?<=y)(?P<z>.)=",
        "a; b & c?",
    ],
)
def test_what_holds_no_secret_is_shown_as_it_is(text: str) -> None:
    """A message that hides everything helps nobody."""
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("found undefined alias 'S3cret'", f"found undefined alias '{MASK}'"),
        ('found undefined alias "S3cret"', f'found undefined alias "{MASK}"'),
        ("found character '%' that cannot", "found character '%' that cannot"),
        ("found character '\\t' that cannot", "found character '\\t' that cannot"),
        ("expected ',' or ']', but got '<scalar>'",) * 2,
        ("mapping values are not allowed here",) * 2,
    ],
    ids=["alias", "double quotes", "character", "tab", "grammar", "nothing quoted"],
)
def test_words_of_a_parser_keep_what_is_of_the_grammar(message: str, told: str) -> None:
    """What a text had there is masked, what the parser wanted is not."""
    assert mask_quoted(message) == told
