"""Heads of plain requests, told apart by their lines without reading each of them.

    bytes ─► cookie, lines ─► those that are new or mean something

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
from collections.abc import Iterable, Iterator, Mapping
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


class Fields(NamedTuple):
    """What a head says.

    Attributes:
        method: Of the request line.
        target: Of the request line.
        values: By the names in lower case, of the headers that mean something.
    """

    method: str
    target: str
    values: Mapping[str, str]


class PlainHeaders:
    """A ``HeaderSource`` of headers that are there once each, all by plain names."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Keep *values*, which are by names in lower case."""
        self._values = values

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Return the value of *key* as all of its values, else *default*."""
        value = self._values.get(key.lower())
        return default if value is None else [value]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._values)


class Heads:
    """Reads heads, and remembers the lines that it has read."""

    def __init__(self, names: Iterable[str]) -> None:
        """Know no line yet.

        Args:
            names: Of the headers that mean something to somebody.
        """
        meant = [name.lower().encode("ascii") for name in names]
        self._names = _SINGLE.union(_ONLY, meant)
        # The end of a head has an empty line.
        self._idle: set[bytes] = {b""}
        self._read: dict[bytes, tuple[str, str]] = {}

    def read(self, data: bytes) -> Fields | None:
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
        values: dict[str, str] = {}
        for line in distinct:
            field = self._read.get(line) or self._read_line(line)
            if field is None:
                return None
            name, value = field
            if not name:
                continue
            if name in values:
                return None
            values[name] = value
        if "host" not in values:
            return None
        return Fields(start[1].decode("ascii"), start[2].decode("ascii"), values)

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
        if len(line) <= MAX_KNOWN_BYTES:
            if len(self._read) >= MAX_KNOWN:
                self._read.clear()
            self._read[line] = found
        return found
