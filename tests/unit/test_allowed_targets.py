"""Entries of ``logout.allowed_targets``: what they say, and which stop the start."""

from typing import Final

import pytest

from forwardauth.allowed_targets import AllowedTarget, parse_allowed_target
from forwardauth.errors import UnsafeTargetError
from forwardauth.target_url import RefusalReason

ENTRIES: Final = {
    "origin": (
        "https://www.example.net",
        AllowedTarget(scheme="https", host="www.example.net"),
    ),
    "root-path-is-every-path": (
        "https://www.example.net/",
        AllowedTarget(scheme="https", host="www.example.net"),
    ),
    "upper-case": (
        "HTTPS://WWW.Example.NET/Shop",
        AllowedTarget(scheme="https", host="www.example.net", path_prefix="/Shop"),
    ),
    "http-where-it-says-so": (
        "http://legacy.example.net",
        AllowedTarget(scheme="http", host="legacy.example.net"),
    ),
    "port": (
        "https://www.example.net:8443",
        AllowedTarget(scheme="https", host="www.example.net", port=8443),
    ),
    "default-port": (
        "https://www.example.net:443",
        AllowedTarget(scheme="https", host="www.example.net"),
    ),
    "default-port-of-http": (
        "http://www.example.net:80",
        AllowedTarget(scheme="http", host="www.example.net"),
    ),
    "other-scheme's-port": (
        "http://www.example.net:443",
        AllowedTarget(scheme="http", host="www.example.net", port=443),
    ),
    "wildcard": (
        "https://*.apps.example.net",
        AllowedTarget(scheme="https", host="apps.example.net", is_wildcard=True),
    ),
    "wildcard-with-all": (
        "https://*.apps.example.net:8443/shop/",
        AllowedTarget(
            scheme="https",
            host="apps.example.net",
            is_wildcard=True,
            port=8443,
            path_prefix="/shop/",
        ),
    ),
    "unicode": (
        "https://faß.example.net/a",
        AllowedTarget(scheme="https", host="xn--fa-hia.example.net", path_prefix="/a"),
    ),
    "unicode-wildcard-with-port": (
        "https://*.MÜNCHEN.example:8443",
        AllowedTarget(
            scheme="https", host="xn--mnchen-3ya.example", is_wildcard=True, port=8443
        ),
    ),
    "ideographic-dots": (
        "https://www。example。net",
        AllowedTarget(scheme="https", host="www.example.net"),
    ),
    "encoded-umlaut-in-path": (
        "https://www.example.net/%C3%BC/",
        AllowedTarget(scheme="https", host="www.example.net", path_prefix="/%C3%BC/"),
    ),
}

REFUSED: Final = {
    RefusalReason.ENTRY_ANY: [
        "*",
        "*:443",
        "*/",
        "https://*",
        "https://*/",
        "https://*:8443",
        "https://*/shop",
        "*://*",
        "*://*/*",
    ],
    RefusalReason.ENTRY_WILDCARD: [
        "https://*.*.example.net",
        "https://a.*.example.net",
        "https://a*.example.net",
        "https://*a.example.net",
        "https://**.example.net",
        "https://example.*",
        "https://www.example.net:*",
        "https://www.example.net/*",
        "https://www.example.net/shop/**",
        "https://*.apps.example.net/*",
    ],
    RefusalReason.ENTRY_USERINFO: [
        "https://user@example.net",
        "https://user:password@example.net/",
        "https://@example.net",
        "https://:@example.net",
        "https://example.net@evil.test",
        "https://*.example.net@evil.test",
        "https://www.example.net:443@evil.test",
    ],
    RefusalReason.ENTRY_QUERY: [
        "https://www.example.net/?x=1",
        "https://www.example.net?x=1",
        "https://www.example.net/#top",
        "https://www.example.net#",
    ],
    RefusalReason.ENTRY_PATH_DOTS: [
        "https://www.example.net/a/../b",
        "https://www.example.net/..",
        "https://www.example.net/./a",
        "https://www.example.net/a/.",
        "https://www.example.net/%2e%2e/a",
        "https://www.example.net/a%2fb",
        "https://www.example.net/a%5cb",
        "https://www.example.net/a%252fb",
        "https://www.example.net//",
        "https://www.example.net/a//b",
        "https://www.example.net/a/..;/b",
        "https://www.example.net/%",
        "https://www.example.net/%00",
    ],
    RefusalReason.ENTRY_MALFORMED: [
        "",
        " ",
        "example.net",
        "*.example.net",
        "//example.net",
        "//*",
        "/shop",
        "https:example.net",
        "https:/example.net",
        "https://",
        "https:///shop",
        "https://.example.net",
        "https://*..example.net",
        "https://*.net",
        "https://net",
        "https://localhost",
        "https://example.net.",
        "https://example..net",
        "https://exam_ple.net",
        "https://-example.net",
        "https://exam%70le.net",
        "https://example.net:",
        "https://example.net:0",
        "https://example.net:0443",
        "https://example.net:65536",
        "https://example.net:https",
        "https://192.0.2.1",
        "https://[2001:db8::1]",
        "https://*.192.0.2.1",
        "https://xn--a.example.net",
        "https://\u200b.example.net",
        "https://a\u2100b.example.net",
        "https://💩.example.net",
        "https://ü_.example.net",
        "https://example.net/käse",
        "https://example.net/a b",
        "https://example.net\\shop",
        " https://example.net",
        "https://example.net ",
        "https://example.net\n",
        "https://example.net,https://example.org",
        "ftp://example.net",
        "javascript:alert(1)",
        "javascript://example.net",
        "http\u017f://example.net",
        "https://example.net/" + "a" * 2048,
    ],
}

PREFIXES: Final = {
    "none": ("", ["", "/", "/a", "/a/b"], []),
    "open-ended": (
        "/shop",
        ["/shop", "/shop/", "/shop/a"],
        ["", "/", "/shops", "/Shop"],
    ),
    "below": (
        "/shop/",
        ["/shop/", "/shop/a"],
        ["", "/", "/shop", "/shops/", "/a/shop/"],
    ),
    "nested": ("/a/b", ["/a/b", "/a/b/c"], ["/a", "/a/bc", "/b", "/a/b;x"]),
}


@pytest.mark.parametrize(("text", "entry"), ENTRIES.values(), ids=ENTRIES)
def test_entry_is_read(text: str, entry: AllowedTarget) -> None:
    """An entry comes out in normal form, its Unicode names converted once (L-42)."""
    assert parse_allowed_target(text) == entry


@pytest.mark.parametrize(("text", "entry"), ENTRIES.values(), ids=ENTRIES)
def test_entry_spells_itself(text: str, entry: AllowedTarget) -> None:
    """The normal spelling of an entry reads as the same entry."""
    assert parse_allowed_target(str(entry)) == parse_allowed_target(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [(text, reason) for reason, texts in REFUSED.items() for text in texts],
    ids=[
        f"{reason}-{number}"
        for reason, texts in REFUSED.items()
        for number in range(len(texts))
    ],
)
def test_entry_is_refused_with_its_reason(text: str, reason: RefusalReason) -> None:
    """An entry that says too much or too little stops the start (L-42)."""
    with pytest.raises(UnsafeTargetError) as refused:
        parse_allowed_target(text)

    assert refused.value.reason == reason


def test_fault_within_an_entry_is_named() -> None:
    """The message tells the operator which part of the entry is wrong."""
    with pytest.raises(UnsafeTargetError, match="port_malformed"):
        parse_allowed_target("https://example.net:0443")


@pytest.mark.parametrize(
    ("prefix", "within", "outside"), PREFIXES.values(), ids=PREFIXES
)
def test_prefix_ends_at_a_segment(
    prefix: str, within: list[str], outside: list[str]
) -> None:
    """A prefix admits whole names only, and with a final slash only what is below."""
    entry = AllowedTarget(scheme="https", host="a.test", path_prefix=prefix)

    admitted = [path for path in within + outside if entry.admits_path(path)]

    assert admitted == within
