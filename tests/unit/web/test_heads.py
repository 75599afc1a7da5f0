"""Heads: what is read is what aiohttp's strict parser reads, and nothing else is."""

import asyncio
from random import Random
from typing import Any, Final, NamedTuple

import pytest
from aiohttp.http import HttpProcessingError, HttpRequestParser, RawRequestMessage

from forwardauth.web.heads import (
    MAX_HEAD_BYTES,
    MAX_KNOWN,
    MAX_KNOWN_BYTES,
    MAX_LINES,
    Heads,
    cut_cookie,
)

ASKING: Final = ("X-Original-URL", "X-Forwarded-Uri")
NAMES: Final = (*ASKING, "X-Original-Method", "Accept")
START: Final = "GET /verify/nginx HTTP/1.1"
LINES: Final = (
    START,
    "Host: auth.example.com",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0)",
    "Accept: text/html,*/*;q=0.8",
    "X-Trace: 0af7",
    "Cookie: theme=dark; a=b",
    "X-Original-URL: https://app.example.com/inbox?folder=7",
    "X-Original-Method: GET",
)
PIECES: Final = (
    *(b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b"\t", b" ", b"  ", b":", b": "),
    *(b"\x7f", b"\x80", b"\xff", b"\x0b", b"%", b"#", b"?", b"/", b"\\", b"_", b"-"),
    *(b"GET /verify/nginx HTTP/1.1\r\n", b"POST", b"get ", b"HTTP/1.0", b"HTTP/2.0"),
    *(b"\r\nHost: x", b"\r\nhost: y", b"\r\nCookie: x=y", b"\r\ncookie: x=y"),
    *(b"\r\nCOOKIE: x=y", b"\r\nCookie:x=y", b"\r\n Cookie: x=y", b"\r\nX: y\r\n z"),
    *(b"\r\nContent-Length: 0", b"\r\nContent-Length: 5", b"\r\nContent-Length: 00"),
    *(b"\r\nContent-Length: +0", b"\r\ncontent-length: 0", b"\r\nTransfer-Encoding: x"),
    *(b"\r\nTransfer-Encoding: chunked", b"\r\nConnection: close", b"\r\nUpgrade: x"),
    *(b"\r\nConnection: keep-alive", b"\r\nConnection: Keep-Alive, Upgrade"),
    *(b"\r\nExpect: 100-continue", b"\r\nUser-Agent: again", b"\r\nContent-Type: a/b"),
    *(b"\r\nContent-Type: c/d", b"\r\nETag: x", b"\r\nServer: y", b"\r\nServer: z"),
    *(b"\r\nSec-WebSocket-Key1: x", b"\r\nX-Original-URL: x", b"\r\nX-Empty: "),
    *(b"\r\nX-Empty:", b"\r\n: x", b"\r\nX Y: z", b"\r\nX-Original-URL : x", b""),
)


class _Protocol:
    _reading_paused = False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def parse(data: bytes) -> RawRequestMessage | None:
    """Return the one request without a body that aiohttp reads in *data*."""
    protocol: Any = _Protocol()
    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(protocol, loop, 2**16, auto_decompress=False)
    try:
        messages, _, tail = parser.feed_data(data)
    except HttpProcessingError:
        return None
    if len(messages) != 1 or tail:
        return None
    message, body = messages[0]
    return message if body.is_eof() else None


def bytes_of(*lines: str) -> bytes:
    """Return the head of *lines*."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Found(NamedTuple):
    """What a plain request says."""

    method: str
    target: str
    values: dict[str, str]
    cookie: str


def create_heads() -> Heads:
    """Return heads of which no line is known."""
    return Heads(NAMES, asking=ASKING)


def read(heads: Heads, data: bytes) -> Found | None:
    """Return what *heads* makes of *data*; ``None`` if it is not plain."""
    cut = cut_cookie(data)
    head = None if cut is None else heads.read(cut[0])
    values = None if head is None else heads.read_lines(head.lines)
    if cut is None or head is None or values is None:
        return None
    assert values.keys().isdisjoint(head.asked)
    cookie = cut[1].decode("ascii")
    return Found(head.method, head.target, {**values, **head.asked}, cookie)


def test_plain_head_says_what_its_lines_say() -> None:
    """Of a head are left: the request line, what means something, and the cookie."""
    found = read(create_heads(), bytes_of(*LINES))

    assert found is not None
    assert (found.method, found.target) == ("GET", "/verify/nginx")
    assert found.cookie == "theme=dark; a=b"
    assert found.values == {
        "host": "auth.example.com",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)",
        "accept": "text/html,*/*;q=0.8",
        "x-original-url": "https://app.example.com/inbox?folder=7",
        "x-original-method": "GET",
    }


def test_what_is_asked_stands_apart_and_is_not_known() -> None:
    """All other lines say the same of one question as of the next."""
    heads = create_heads()
    asked = [
        heads.read(bytes_of(*LINES[:5], f"{name}: {uri}", LINES[7]))
        for name, uri in (
            ("X-Original-URL", "https://a.test/"),
            ("x-original-url", "https://b.test/"),
            ("X-Forwarded-Uri", "/c"),
        )
    ]

    found = [each for each in asked if each is not None]
    assert [each.asked for each in found] == [
        {"x-original-url": "https://a.test/"},
        {"x-original-url": "https://b.test/"},
        {"x-forwarded-uri": "/c"},
    ]
    assert len({each.lines for each in found}) == 1
    assert not any(b"uri" in each.lower() for each in heads._known)  # noqa: SLF001


def test_known_line_says_the_same_again() -> None:
    """What was read once is not read again, whatever stands around it."""
    heads = create_heads()
    first = read(heads, bytes_of(*LINES))
    known = heads._idle | heads._known.keys()  # noqa: SLF001

    again = read(heads, bytes_of(*LINES[:5], *LINES[6:]))

    assert first is not None
    assert again == first._replace(cookie="")
    assert known == {b"", *(line.encode() for line in (*LINES[1:5], LINES[7]))}
    assert heads._idle | heads._known.keys() == known  # noqa: SLF001


def test_lines_say_the_same_when_they_are_no_longer_known() -> None:
    """They are read once more where too many others came in between (V-42)."""
    heads = create_heads()
    head = heads.read(bytes_of(START, *LINES[1:5]))
    assert head is not None
    before = heads.read_lines(head.lines)
    heads._known.clear()  # noqa: SLF001

    assert heads.read_lines(head.lines) == before
    assert heads._known.keys() == head.lines  # noqa: SLF001


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((LINES[1], START, *LINES[2:]), id="request line further down"),
        pytest.param(("get /verify/nginx HTTP/1.1", *LINES[1:]), id="lower case"),
        pytest.param(("HEAD /verify/nginx HTTP/1.1", *LINES[1:]), id="HEAD"),
        pytest.param(("GET /verify/nginx HTTP/1.0", *LINES[1:]), id="HTTP/1.0"),
        pytest.param(("GET http://auth/verify HTTP/1.1", *LINES[1:]), id="absolute"),
        pytest.param(("GET /a\xe9 HTTP/1.1", *LINES[1:]), id="request line not ASCII"),
        pytest.param(("GET  /verify/nginx HTTP/1.1", *LINES[1:]), id="two spaces"),
        pytest.param((START, *LINES[2:]), id="no Host"),
        pytest.param((*LINES, "host: other"), id="two Hosts"),
        pytest.param((*LINES, LINES[4]), id="a line twice"),
        pytest.param((*LINES, "x-original-url: https://a/"), id="a header twice"),
        pytest.param((*LINES, "accept: */*"), id="another header twice"),
        pytest.param((*LINES, "cookie: x=y"), id="two cookies"),
        pytest.param((*LINES[:5], "COOKIE: x=y"), id="odd spelling of Cookie"),
        pytest.param((*LINES[:5], "Cookie: x=\xe9"), id="cookie not ASCII"),
        pytest.param((*LINES[:5], "Cookie: x\n=y"), id="line feed in the cookie"),
        pytest.param((*LINES[:5], "Cookie: x\r=y"), id="carriage return in the cookie"),
        pytest.param((*LINES, "X-A:b"), id="no space"),
        pytest.param((*LINES, "X-A:  b"), id="more space"),
        pytest.param((*LINES, "X-A: b "), id="space behind"),
        pytest.param((*LINES, "X-A: "), id="empty"),
        pytest.param((*LINES, "X-A : b"), id="space before the colon"),
        pytest.param((*LINES, " X-A: b"), id="folded"),
        pytest.param((*LINES, "X-A: b\nX-B: c"), id="bare line feed"),
        pytest.param((*LINES, "X-A: b\rX-B: c"), id="bare carriage return"),
        pytest.param((*LINES, "X-A: b\0"), id="zero"),
        pytest.param((*LINES, "X-A: \xe9"), id="not ASCII"),
        pytest.param((*LINES, "X_A: b"), id="odd name (V-14)"),
        pytest.param((*LINES, "Authorization: Basic eDp5"), id="Authorization"),
        pytest.param((*LINES, "Expect: 100-continue"), id="Expect"),
        pytest.param((*LINES, "Upgrade: websocket"), id="Upgrade"),
        pytest.param((*LINES, "Connection: close"), id="last of its connection"),
        pytest.param((*LINES, "Connection: keep-alive, x"), id="more of Connection"),
        pytest.param((*LINES, "Content-Length: 1"), id="body"),
        pytest.param((*LINES, "Content-Length: 00"), id="odd length"),
        pytest.param((*LINES, "Transfer-Encoding: chunked"), id="chunks"),
        pytest.param((*LINES, "Content-Encoding: gzip"), id="packed"),
        pytest.param((*LINES, "", "GET / HTTP/1.1", "Host: x"), id="another request"),
        pytest.param((*LINES, "", "body"), id="something behind"),
        pytest.param((*LINES, *(f"X-{i}: y" for i in range(MAX_LINES))), id="many"),
        pytest.param((*LINES, "X: " + "y" * MAX_HEAD_BYTES), id="long"),
    ],
)
def test_what_is_not_plain_is_not_read(lines: tuple[str, ...]) -> None:
    """Whatever parsers could take in two ways goes to the strict one (V-13, V-14)."""
    heads = create_heads()
    read(heads, bytes_of(*LINES))  # The rest of the lines is known.

    assert read(heads, bytes_of(*lines)) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n\r\n", id="empty lines"),
        pytest.param(bytes_of(*LINES)[:-2], id="unfinished"),
        pytest.param(b"\r\n" + bytes_of(*LINES), id="empty line before"),
        pytest.param(bytes_of(*LINES) + b"G", id="beginning of the next"),
        pytest.param(bytes_of(*LINES) * 2, id="two"),
        pytest.param(bytes_of(*LINES).replace(b"\r\n", b"\n"), id="line feeds alone"),
    ],
)
def test_only_one_whole_head_is_read(data: bytes) -> None:
    """A part of a request, or more than one, is for whoever keeps count."""
    assert read(create_heads(), data) is None


async def test_strict_parser_reads_the_same() -> None:
    """Of many altered heads, each that is read says the same to aiohttp's parser."""
    random = Random(38)  # noqa: S311 - the same heads in each run
    whole = bytes_of(*LINES)
    heads = create_heads()
    seen = {"read": 0, "left": 0}
    for _ in range(4_000):
        data = whole
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            at = random.choice((random.randrange(len(data)), data.find(b"\r\n", 40)))
            cut = random.choice((0, 0, 0, 1, 2, 9))
            data = data[:at] + random.choice(PIECES) + data[at + cut :]

        found = read(heads, data)

        seen["left" if found is None else "read"] += 1
        if found is not None:
            message = parse(data)
            assert message is not None, data
            assert (message.method, message.path) == (found.method, found.target)
            assert not message.should_close, data
            assert not message.upgrade, data
            for name in (*NAMES, "Host"):
                ours = found.values.get(name.lower())
                theirs = message.headers.getall(name, [])
                assert theirs == ([] if ours is None else [ours]), data
            cookies = message.headers.getall("Cookie", [])
            assert cookies == ([found.cookie] if found.cookie else []), data
    assert min(seen.values()) > 500, seen


def test_number_of_known_lines_is_bounded() -> None:
    """Who invents lines fills no memory, long ones least of all (V-42)."""
    heads = create_heads()
    for number in range(MAX_KNOWN + 10):
        for name in ("X-Trace", "Accept"):
            read(heads, bytes_of(START, LINES[1], f"{name}: {number}"))
    long = f"X-Trace: {'x' * MAX_KNOWN_BYTES}"
    read(heads, bytes_of(START, LINES[1], long))

    assert long.encode() not in heads._idle  # noqa: SLF001
    assert len(heads._idle) <= MAX_KNOWN  # noqa: SLF001
    assert len(heads._known) <= MAX_KNOWN  # noqa: SLF001
