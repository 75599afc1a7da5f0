"""The grammar of redirect targets: what it reads, and the name of what it refuses."""

import re
from typing import Final

import ada_url
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forwardauth.errors import UnsafeTargetError
from forwardauth.target_url import (
    MAX_TARGET_CHARACTERS,
    RefusalReason,
    TargetUrl,
    ascii_host,
    check_text,
    parse_target_url,
)

BASE: Final = "https://app.example.com/"

PARTS: Final = {
    "bare": ("https://app.example.com", "https", "app.example.com", None, ""),
    "root": ("https://app.example.com/", "https", "app.example.com", None, "/"),
    "http": ("http://app.example.com/a", "http", "app.example.com", None, "/a"),
    "case": ("HTTPS://App.Example.COM/A", "https", "app.example.com", None, "/A"),
    "port": ("https://a.test:8443/x", "https", "a.test", 8443, "/x"),
    "https-443": ("https://a.test:443", "https", "a.test", None, ""),
    "http-80": ("http://a.test:80", "http", "a.test", None, ""),
    "https-80": ("https://a.test:80", "https", "a.test", 80, ""),
    "highest-port": ("https://a.test:65535", "https", "a.test", 65535, ""),
    "query": ("https://a.test/p?q=/x#f", "https", "a.test", None, "/p"),
    "query-without-path": ("https://a.test?q=/x", "https", "a.test", None, ""),
    "fragment-without-path": ("https://a.test#/x", "https", "a.test", None, ""),
    "raw-path": ("https://a.test/%2E/../%zz", "https", "a.test", None, "/%2E/../%zz"),
    "idna": ("https://xn--fa-hia.test/", "https", "xn--fa-hia.test", None, "/"),
}


def _read_or_reason(raw: str) -> TargetUrl | RefusalReason:
    try:
        return parse_target_url(raw)
    except UnsafeTargetError as refused:
        return RefusalReason(refused.reason)


@pytest.mark.parametrize(
    ("raw", "scheme", "host", "port", "path"), PARTS.values(), ids=PARTS
)
def test_parts_are_read(
    raw: str, scheme: str, host: str, port: int | None, path: str
) -> None:
    """Scheme and host come in lower case, a default port as none, the path as it is."""
    url = parse_target_url(raw)

    assert url == TargetUrl(scheme=scheme, host=host, port=port, path=path)


def test_longest_text_is_read() -> None:
    """2048 characters are within the limit."""
    raw = BASE.ljust(MAX_TARGET_CHARACTERS, "a")

    assert parse_target_url(raw).host == "app.example.com"


@pytest.mark.parametrize("filler", ["a", "\0", "\\", "é", "%25", "@", "."])
def test_longer_text_is_refused_for_its_length_alone(filler: str) -> None:
    """One character more is too long, whatever it is: no other check has looked."""
    raw = BASE + filler * MAX_TARGET_CHARACTERS

    with pytest.raises(UnsafeTargetError) as refused:
        check_text(raw)

    assert refused.value.reason == RefusalReason.TOO_LONG


def test_empty_text_is_refused() -> None:
    """Nothing is no target."""
    with pytest.raises(UnsafeTargetError) as refused:
        parse_target_url("")

    assert refused.value.reason == RefusalReason.EMPTY


def test_host_of_253_characters_is_the_longest() -> None:
    """A name longer than DNS allows is refused though each label is short enough."""
    longest = ".".join(("a" * 61,) * 3 + ("b" * 62, "com"))
    assert len(longest) == 252

    assert parse_target_url(f"https://x{longest[1:]}").host == f"x{longest[1:]}"
    assert len(parse_target_url(f"https://{longest}m").host) == 253
    with pytest.raises(UnsafeTargetError) as refused:
        parse_target_url(f"https://{longest}mm")
    assert refused.value.reason == RefusalReason.HOST_MALFORMED


@pytest.mark.parametrize("character", ["\u212a", "\u017f", "\u0130", "\u0131"])
def test_letters_that_fold_to_ascii_are_not_ascii(character: str) -> None:
    """The Kelvin sign and the long s are no k and no s, as in careless patterns."""
    raw = f"https://app.example.com/{character}"

    with pytest.raises(UnsafeTargetError) as refused:
        parse_target_url(raw)

    assert refused.value.reason == RefusalReason.NOT_ASCII


HOSTS: Final = {
    "non-transitional": ("faß.de", "xn--fa-hia.de"),
    "upper-case": ("MÜNCHEN.example", "xn--mnchen-3ya.example"),
    "ideographic-dots": ("app。example。com", "app.example.com"),
    "fullwidth": ("\uff41\uff50\uff50.example", "app.example"),
    "decomposed": ("mu\u0308nchen.example", "xn--mnchen-3ya.example"),
    "cyrillic": ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
}


@pytest.mark.parametrize(("typed", "converted"), HOSTS.values(), ids=HOSTS)
def test_unicode_hosts_convert_as_in_a_browser(typed: str, converted: str) -> None:
    """What an operator types becomes the name that a browser asks for."""
    host = ascii_host(typed)

    assert host == converted
    assert ada_url.URL(f"https://{typed}/").hostname == host


@pytest.mark.parametrize(
    "typed", ["", "a..b", "a\u2100b.de", "\u200b.de", "💩.la", "ü_"]
)
def test_what_is_no_domain_name_does_not_convert(typed: str) -> None:
    """A name that cannot be one is an error, not a guess."""
    with pytest.raises(ValueError):  # noqa: PT011 - idna's own errors, all of them
        ascii_host(typed)


@given(st.text(max_size=80) | st.from_regex(r"https?://[^\n]{1,60}", fullmatch=True))
@settings(max_examples=200, derandomize=True, database=None)
def test_any_text_is_read_or_refused_with_a_reason(raw: str) -> None:
    """No text whatever raises anything but a refusal with a stable reason."""
    answer = _read_or_reason(raw)

    assert isinstance(answer, TargetUrl | RefusalReason)


_PUNYCODE: Final = st.from_regex(
    r"[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?", fullmatch=True
)


@given(_PUNYCODE)
@settings(max_examples=200, derandomize=True, database=None)
def test_accepted_xn_label_has_one_reading(encoded: str) -> None:
    """An xn-- label that is accepted is the one spelling of one name, and so it stays.

    Proves L-33 for internationalised hosts.
    """
    host = f"xn--{encoded}.example.com"

    answer = _read_or_reason(f"https://{host}/")

    if isinstance(answer, RefusalReason):
        assert answer is RefusalReason.HOST_IDNA
    else:
        unicode_host = ada_url.idna.decode(host)
        assert not unicode_host.startswith("xn--")
        assert ada_url.idna.encode(unicode_host).decode("ascii") == answer.host == host


@given(st.text(st.characters(categories=("L", "N", "M")), min_size=1, max_size=10))
@settings(max_examples=200, derandomize=True, database=None)
def test_name_that_converts_is_accepted_and_asked_for(label: str) -> None:
    """A host that an operator may write in Unicode is the host a browser goes to."""
    try:
        host = ascii_host(f"{label}.example.com")
    except ValueError:
        return

    url = parse_target_url(f"https://{host}/")

    assert url.host == host
    assert ada_url.URL(f"https://{label}.example.com/").hostname == host


def test_reasons_are_stable_words() -> None:
    """Reasons are ids for logs and metrics: lower case, named like their members."""
    assert all(re.fullmatch(r"[a-z_]+", reason) for reason in RefusalReason)
    assert all(reason.name.lower() == reason.value for reason in RefusalReason)
