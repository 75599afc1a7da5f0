"""A person's window or a program: told by what browsers say, in doubt a program."""

from typing import Final

import pytest

from forwardauth.adapters.base import RequestKind
from forwardauth.adapters.kinds import (
    KIND_HEADERS,
    classify,
    is_prefetch,
    is_preflight,
    prefers_html,
)
from tests.support.headers import FakeHeaders

HTML: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
MODE: Final = "Sec-Fetch-Mode"
DEST: Final = "Sec-Fetch-Dest"
BROWSER: Final = ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156")

NAVIGATIONS: Final = {
    "typed address": ((MODE, "navigate"), (DEST, "document")),
    "frame": ((MODE, "navigate"), (DEST, "iframe")),
    "old frame": ((MODE, "navigate"), (DEST, "frame")),
    "mode alone": ((MODE, "navigate"),),
    "destination alone": ((DEST, "document"),),
    "metadata over Accept": ((MODE, "navigate"), ("Accept", "application/json")),
    "metadata over XHR": ((MODE, "navigate"), ("X-Requested-With", "org.example.app")),
    "no metadata": (("Accept", HTML),),
    "empty purpose": ((MODE, "navigate"), (DEST, "document"), ("Purpose", "")),
    "upgrade to HTTP/2": (("Accept", HTML), ("Upgrade", "h2c, TLS/1.2")),
    "wish for https": (("Accept", HTML), ("Upgrade-Insecure-Requests", "1")),
    "body to be continued": (("Accept", HTML), ("Expect", "100-continue")),
    "curl with a browser's Accept": (("Accept", HTML), ("User-Agent", "curl/8.0")),
}

PROGRAMS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "nothing at all": (),
    "browser by its name alone": (BROWSER,),
    "cors": ((MODE, "cors"), (DEST, "empty"), ("Accept", HTML)),
    "no-cors": ((MODE, "no-cors"), (DEST, "image"), ("Accept", HTML)),
    "websocket": ((MODE, "websocket"), (DEST, "empty")),
    "old websocket": (("Accept", HTML), ("Upgrade", "websocket")),
    "websocket of many": (("Accept", HTML), ("Upgrade", "h2c,WebSocket/13")),
    "websocket on a line of its own": (
        *(("Accept", HTML), ("Upgrade", "h2c"), ("Upgrade", "websocket")),
    ),
    "websocket whose proxy keeps Upgrade": (
        *(("Accept", HTML), ("Sec-WebSocket-Version", "13")),
    ),
    "websocket that claims to be a window": (
        *((MODE, "navigate"), (DEST, "document"), ("Upgrade", "websocket")),
    ),
    "prefetch": ((MODE, "navigate"), (DEST, "document"), ("Sec-Purpose", "prefetch")),
    "prerender": (
        *((MODE, "navigate"), (DEST, "document")),
        ("Sec-Purpose", "prefetch;prerender"),
    ),
    "old prefetch": (("Accept", HTML), ("X-Moz", "prefetch")),
    "plugin": ((MODE, "navigate"), (DEST, "object")),
    "embedded": ((MODE, "navigate"), (DEST, "embed")),
    "navigation to nothing": ((MODE, "navigate"), (DEST, "empty")),
    "document without navigation": ((MODE, "cors"), (DEST, "document")),
    "upper case": ((MODE, "NAVIGATE"), (DEST, "document")),
    "mode twice": ((MODE, "navigate"), (MODE, "navigate")),
    "mode both ways": ((MODE, "navigate"), (MODE, "cors"), (DEST, "document")),
    "destination both ways": ((MODE, "navigate"), (DEST, "document"), (DEST, "empty")),
    "empty mode": ((MODE, ""), (DEST, "document")),
    "empty destination": ((MODE, "navigate"), (DEST, "")),
    "XHR": (("X-Requested-With", "XMLHttpRequest"), ("Accept", HTML)),
    "JSON": (("Accept", "application/json"),),
    "two Accept lines": (("Accept", HTML), ("Accept", HTML)),
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("lines", NAVIGATIONS.values(), ids=NAVIGATIONS)
def test_window_of_a_person_is_a_navigation(
    lines: tuple[tuple[str, str], ...], method: str
) -> None:
    """Fetch metadata says so, or without it an ``Accept`` that asks for HTML (V-29)."""
    assert classify(method, FakeHeaders(*lines)) is RequestKind.NAVIGATION


@pytest.mark.parametrize("lines", PROGRAMS.values(), ids=PROGRAMS)
def test_everything_else_is_a_program(lines: tuple[tuple[str, str], ...]) -> None:
    """What is not plainly a navigation gets an answer that programs read (V-29)."""
    assert classify("GET", FakeHeaders(*lines)) is RequestKind.FETCH


@pytest.mark.parametrize(
    "lines",
    [*NAVIGATIONS.values(), *PROGRAMS.values()],
    ids=[*NAVIGATIONS, *PROGRAMS],
)
def test_kind_depends_on_no_other_headers(lines: tuple[tuple[str, str], ...]) -> None:
    """Whoever knows those that are named knows the kind."""
    headers = _Recorder(*lines)

    classify("GET", headers)

    assert headers.asked <= {name.lower() for name in KIND_HEADERS}


class _Recorder(FakeHeaders):
    """Notes which names it is asked for."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        super().__init__(*lines)
        self.asked: set[str] = set()

    def getall(self, key: str, default: list[str], /) -> list[str]:
        self.asked.add(key.lower())
        return super().getall(key, default)


@pytest.mark.parametrize(
    "method", ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "CONNECT", "get"]
)
def test_other_methods_are_programs(method: str) -> None:
    """No window sends them, whatever the headers say (V-29)."""
    headers = FakeHeaders((MODE, "navigate"), (DEST, "document"), ("Accept", HTML))

    assert classify(method, headers) is RequestKind.FETCH


@pytest.mark.parametrize(
    "accept",
    [
        HTML,
        "text/html",
        "TEXT/HTML",
        "application/xhtml+xml",
        "text/html;charset=utf-8",
        "text/html;level=1;q=0.3",
        "text/html;q=0.001",
        "text/html ; Q=0.5",
        "text/html;q=1.000",
        "text/html;q=.5",
        "text/html;q=0.33333",
        "application/json;q=0.5, text/html;q=0.9",
        "application/json, text/html",
        "application/json;q=0, text/html;q=0.1",
        "text/html;q=0.2, application/xhtml+xml;q=0.9, application/json;q=0.8",
        "application/json;q=x, text/html;q=0.1",
        ",text/html,,",
    ],
)
def test_html_is_preferred(accept: str) -> None:
    """An HTML type is named, and JSON is not wanted more (V-29)."""
    assert prefers_html(accept)


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "text/*",
        "text/plain",
        "application/json",
        "application/json, text/plain, */*",
        "application/xml",
        "application/json;q=0.9, text/html;q=0.5",
        "application/json, text/html;q=0.999",
        "text/html;q=0",
        "text/html;q=0.000, */*",
        "text/html;q=-1",
        "text/html;q=2",
        "text/html;q=inf",
        "text/html;q=nan",
        "text/html;q=",
        "text/html;q",
        "text/html;q=high",
        "text/html;q=1e-1",
        "text/html;q=0_1",
        "text/html;q=\u0661",
        "text/html;q=0.5.5",
        "text/html;q=.",
        "text/htmlx",
        "xtext/html",
        "text/html/x",
        "image/avif,image/webp,*/*;q=0.8",
        "text/html" + " " * 1024,
        "text/html," * 500,
    ],
    ids=lambda accept: str(accept)[:48],
)
def test_html_is_not_preferred(accept: str | None) -> None:
    """Missing, unnamed, refused, malformed or endless: not a person's window (V-29)."""
    assert not prefers_html(accept)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Sec-Purpose", "prefetch", True),
        ("Sec-Purpose", "prefetch;prerender", True),
        ("Sec-Purpose", "prefetch;anonymous-client-ip", True),
        ("Purpose", "prefetch", True),
        ("Purpose", "Prefetch", True),
        ("X-Moz", "prefetch", True),
        ("X-Purpose", "preview", True),
        ("X-Purpose", ": preview", True),
        ("Sec-Purpose", "", False),
        ("Purpose", "signing out", False),
        ("X-Other", "prefetch", False),
    ],
)
def test_browser_that_fetches_ahead_says_so(
    name: str, value: str, expected: bool
) -> None:
    """In several words, on any of several lines (V-29, L-18)."""
    headers = FakeHeaders((name, ""), (name, value))

    assert is_prefetch(headers) is expected


ORIGIN: Final = ("Origin", "https://other.example.com")
WANTED: Final = ("Access-Control-Request-Method", "PUT")


@pytest.mark.parametrize(
    ("method", "lines", "expected"),
    [
        ("OPTIONS", (ORIGIN, WANTED), True),
        ("OPTIONS", (ORIGIN, ORIGIN, WANTED), True),
        ("OPTIONS", (ORIGIN,), False),
        ("OPTIONS", (WANTED,), False),
        ("OPTIONS", (), False),
        ("GET", (ORIGIN, WANTED), False),
        ("options", (ORIGIN, WANTED), False),
    ],
)
def test_preflight_is_told_by_method_and_headers(
    method: str, lines: tuple[tuple[str, str], ...], expected: bool
) -> None:
    """Method, origin and what is asked for: all three (V-38)."""
    assert is_preflight(method, FakeHeaders(*lines)) is expected
