"""Paths of redirect targets: as plain as they look, or read in every way there is."""

from typing import Final

import pytest

from forwardauth.errors import UnsafeTargetError
from forwardauth.target_path import is_plain_path, plain_name, plain_names
from forwardauth.target_url import RefusalReason

PLAIN: Final = [
    *("", "/", "/a", "/a/", "/a/b.c/...", "/.a/..b/a..", "/a;p=.", "/%C3%BC", "/%7e"),
    *("/100%25", "/100%25-x", "/%25/", "/~-_!$&'()*+,=:@", "/a%20b", "/%e0%a4%b9"),
]

TWOFOLD: Final = {
    "here": "/a/.",
    "here-inside": "/./a",
    "up": "/..",
    "up-inside": "/a/../b",
    "up-with-parameter": "/a/..;x/b",
    "here-with-parameter": "/a/.;/b",
    "double-slash": "/a//b",
    "double-slash-at-start": "//a",
    "double-slash-at-end": "/a//",
    "encoded-dot": "/a%2eb",
    "encoded-dot-upper-case": "/a%2Eb",
    "encoded-slash": "/a%2fb",
    "encoded-backslash": "/a%5Cb",
    "encoded-twice": "/a%252fb",
    "encoded-in-pieces": "/a%25%32%66b",
    "encoded-in-halves": "/a%252%66b",
    "nul": "/a%00",
    "newline": "/a%0ab",
    "delete": "/a%7Fb",
    "overlong-dot": "/a/%c0%ae%c0%ae/b",
    "overlong-slash-of-three": "/a%e0%80%afb",
    "overlong-slash-of-four": "/a%F0%80%80%AFb",
    "no-hex": "/a%zz",
    "percent-u": "/a%u002e",
    "lone-percent": "/a%",
    "half-escape": "/a%2",
}

READINGS: Final = {
    "empty": ("", ["/"]),
    "as-it-is": ("/a/b", ["/a/b"]),
    "resolved-as-in-a-browser": ("/a/./b/../c", ["/a/c"]),
    "above-the-root": ("/../../a", ["/a"]),
    "encoded-dots-resolved": ("/a/%2e%2E/b/.%2e/%2e/c", ["/c"]),
    "empty-name-counts-for-a-browser": ("/a//../b", ["/a/b"]),
    "encoded-slash-is-one-name-for-a-browser": ("/a/x%2fy/../b", ["/a/b"]),
    "decoded-once": ("/%61", ["/%61", "/a"]),
    "decoded-twice": ("/%2561", ["/%2561", "/%61", "/a"]),
    "decoded-thrice": ("/%252561", ["/%252561", "/%2561", "/%61", "/a"]),
    "literal-percent": ("/100%", ["/100%"]),
    "parameter-before-decoding": ("/a;%2fb/c", ["/a/c", "/a", "/a/b/c"]),
}

NAMES: Final = {
    "root": ("/", "/"),
    "slashes": ("//a///b//", "/a/b"),
    "backslashes": ("/a\\b\\", "/a/b"),
    "parameters": ("/a;x=1/;y/b;", "/a/b"),
    "query": ("/a?b/c", "/a"),
    "fragment": ("/a#b/c", "/a"),
    "nul": ("/a\0/c", "/a"),
    "invisible": ("/\ta \n/\x7fb", "/a/b"),
    "case": ("/A/\u017f", "/a/s"),
    "here": ("/./a/./", "/a"),
}


@pytest.mark.parametrize("path", PLAIN)
def test_plain_path_has_one_reading(path: str) -> None:
    """Names, dots within names, parameters and encoded letters are plain (L-37)."""
    assert is_plain_path(path)


@pytest.mark.parametrize("path", TWOFOLD.values(), ids=TWOFOLD)
def test_path_with_two_readings_is_not_plain(path: str) -> None:
    """What may leave a prefix on some server does not count as within it (L-37)."""
    assert not is_plain_path(path)


@pytest.mark.parametrize(("path", "name"), NAMES.values(), ids=NAMES)
def test_name_drops_what_servers_overlook(path: str, name: str) -> None:
    """Two spellings that one server takes for the same path have the same name."""
    assert plain_name(path) == name


@pytest.mark.parametrize(("path", "names"), READINGS.values(), ids=READINGS)
def test_every_depth_of_decoding_is_a_reading(path: str, names: list[str]) -> None:
    """The browser resolves dots first; then it is decoded until nothing changes."""
    assert list(dict.fromkeys(plain_names(path))) == names


@pytest.mark.parametrize(
    "path",
    ["/a/..%2fb", "/a/..%5Cb", "/a/..;/b", "/a/..%00/b", "/a/.%20./b", "/%252e%252e/b"],
)
def test_parent_that_only_a_server_resolves_is_refused(path: str) -> None:
    """A ``..`` behind the browser's back could lead to any path (L-41)."""
    with pytest.raises(UnsafeTargetError) as refused:
        list(plain_names(path))

    assert refused.value.reason == RefusalReason.LOOP_POSSIBLE


@pytest.mark.parametrize("depth", [4, 5, 600])
def test_endless_encoding_is_refused(depth: int) -> None:
    """More than three layers are no path of anyone, and cost no more to refuse."""
    path = "/%" + "25" * (depth - 1) + "61"

    with pytest.raises(UnsafeTargetError) as refused:
        list(plain_names(path))

    assert refused.value.reason == RefusalReason.LOOP_POSSIBLE
