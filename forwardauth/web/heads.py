"""Heads of plain requests, told apart by their lines without reading each of them.

    bytes ─► cookie, lines ─► what is asked, those that mean something beside it

Proxies and browsers send nearly the same lines again and again, so a line that has been
read once is known the next time, and most of them mean nothing to anybody here. aiohttp
builds some 70 objects for a head of 20 lines, which takes longer than all of verify.

Laws: only the part of HTTP/1.1 that every parser reads alike is read here: one whole
request without a body, each line ``Name: value`` in printable ASCII with one space, and
no line twice. A line is known only after it has been read. Whatever is otherwise is
left to aiohttp's strict parser, byte for byte, and so is all that could change how a
request is framed or who asks.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

MAX_HEAD_BYTES: Final = 16_384
MAX_LINES: Final = 100
"""Below the limits that apply to all requests: what is refused is refused there."""

MAX_KNOWN: Final = 4096
MAX_KNOWN_BYTES: Final = 512
"""How many lines are known of each kind, and the longest of them: 7 MB, whatever is
sent."""

_START: Final = re.compile(
    rb"(GET|POST|PUT|PATCH|DELETE|OPTIONS|TRACE)"
    rb" (/[A-Za-z0-9/._~!$&'()*+,;=:@%?-]*) HTTP/1\.1"
)
"""HEAD is not read here: aiohttp leaves the length out of its answer to one."""

_FIELD: Final = re.compile(rb"([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)")
_PRINTABLE: Final = bytes(range(0x20, 0x7F))

_LEFT_ALONE: Final = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"cookie",  # A second one, or one in a spelling of its own.
        b"expect",
        b"proxy-connection",
        b"transfer-encoding",
        b"upgrade",
        # These aiohttp refuses, alone or when they are repeated.
        b"content-location",
        b"content-range",
        b"etag",
        b"max-forwards",
        b"sec-websocket-key1",
        b"server",
    }
)
"""Where one of them stands there is more to think about than is here."""

_ONLY: Final = {b"connection": b"keep-alive", b"content-length": b"0"}
"""What they may say here, which is what is so without them."""

_SINGLE: Final = frozenset({b"host", b"user-agent", b"content-type"})
"""Those that everybody sends and that aiohttp refuses when they are repeated."""


def cut_cookie(data: bytes) -> tuple[bytes, bytes] | None:
    """Return *data* without its ``Cookie`` line, and the value; empty without one.

    The cookie is what tells the requests of people apart. A line in printable ASCII
    changes nothing about those around it, so the rest is a plain head if all of it is.

    Returns:
        ``None`` where the value is not plain, or all of it is too long.
    """
    if len(data) > MAX_HEAD_BYTES:
        return None
    begin = data.find(b"\r\nCookie: ")
    if begin < 0:
        begin = data.find(b"\r\ncookie: ")
        if begin < 0:
            return data, b""
    end = data.find(b"\r\n", begin + 2)
    cookie = data[begin + 10 : end]
    if (
        end < 0
        # Quicker than a pattern, and this stands in each request.
        or cookie.translate(None, _PRINTABLE)
        or cookie[:1] == b" "
        or not cookie
        or cookie[-1:] == b" "
    ):
        return None
    return data[:begin] + data[end:], cookie


class Head(NamedTuple):
    """What a head says.

    Attributes:
        method: Of the request line.
        target: Of the request line.
        asked: By the names in lower case, what differs from question to question.
        lines: All others that mean something; ``Heads.read_lines`` says what.
    """

    method: str
    target: str
    asked: Mapping[str, str]
    lines: frozenset[bytes]


class Heads:
    """Reads heads, and remembers the lines that it has read."""

    def __init__(self, names: Iterable[str], *, asking: Iterable[str]) -> None:
        """Know no line yet.

        Args:
            names: Of the headers that mean something to somebody.
            asking: Those of them that differ from question to question.
        """
        meant = [name.lower().encode("ascii") for name in names]
        self._names = _SINGLE.union(_ONLY, meant)
        self._asking = frozenset(name.lower() for name in asking)
        # The end of a head has an empty line.
        self._idle: set[bytes] = {b""}
        self._known: dict[bytes, tuple[str, str]] = {}

    def read(self, data: bytes) -> Head | None:
        """Return what *data* says, ``None`` unless it is one whole plain head, alone.

        Args:
            data: Without the cookie; see ``cut_cookie``.
        """
        if not data.endswith(b"\r\n\r\n"):
            return None
        lines = data.split(b"\r\n")
        start = _START.fullmatch(lines[0])
        distinct = set(lines)
        # The end makes two empty ones; a third would be of a body or another request.
        if start is None or len(distinct) != len(lines) - 1 or len(lines) > MAX_LINES:
            return None
        distinct -= self._idle
        distinct.discard(lines[0])
        asked: dict[str, str] = {}
        for line in distinct.difference(self._known):
            field = self._read_line(line)
            if field is None:
                return None
            name, value = field
            if name in self._asking:
                if name in asked:
                    return None
                asked[name] = value
            if not name or name in self._asking:
                distinct.discard(line)
        method, target = start[1].decode("ascii"), start[2].decode("ascii")
        return Head(method, target, asked, frozenset(distinct))

    def read_lines(self, lines: Iterable[bytes]) -> dict[str, str] | None:
        """Return what *lines* of one head say, by the names in lower case.

        Args:
            lines: As ``read`` has found them.

        Returns:
            ``None`` if two have the same name, or none is ``Host``: the head is not
            plain.
        """
        values: dict[str, str] = {}
        for line in lines:
            field = self._known.get(line) or self._read_line(line)
            if field is None or field[0] in values:
                return None
            name, value = field
            values[name] = value
        return values if "host" in values else None

    def _read_line(self, line: bytes) -> tuple[str, str] | None:
        """Return name and value; an empty name for a header that means nothing."""
        field = _FIELD.fullmatch(line)
        if field is None:
            return None
        name, value = field[1].lower(), field[2]
        if name in _LEFT_ALONE or _ONLY.get(name, value.lower()) != value.lower():
            return None
        if name not in self._names:
            if len(line) <= MAX_KNOWN_BYTES:
                if len(self._idle) >= MAX_KNOWN:
                    self._idle = {b""}
                self._idle.add(line)
            return "", ""
        found = name.decode("ascii"), value.decode("ascii")
        if len(line) <= MAX_KNOWN_BYTES and found[0] not in self._asking:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[line] = found
        return found
