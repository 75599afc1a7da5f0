"""What names a request: in the log, on the page that refuses it, and in the answer.

    the proxy's header, where it may be believed ─► else a reference of ours

One name for all of it: who reads a page finds the line, and who reads a line of the
proxy's log finds ours. Where the proxy names none, a refusal is named as ``references``
has it.

Laws: an id finds lines and does nothing else. What a proxy sent counts when it is there
once, short and plain; it is never a proof. A request that nobody writes about is given
no name.

The current request is the one value here that is not handed on: audit events come from
below the handlers, where nobody knows of requests.
"""

import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar, Token
from typing import Final, Protocol

from forwardauth.web.references import create_reference
from forwardauth.web.trace_parent import (
    HEADER,
    TraceParent,
    find_trace_parent,
    parse_trace_parent,
)

SENT_BACK: Final = "X-Request-ID"
"""The header of our answers, whatever the proxy's is called."""

_ID: Final = r"[A-Za-z0-9._:@+=-]{1,128}"
_VALUE: Final = re.compile(_ID, re.ASCII)


class Headers(Protocol):
    """The headers of a request."""

    def getall(self, key: str, default: list[str], /) -> Iterable[str]:
        """Return every value of *key*, else *default*."""
        ...


class RequestIds:
    """Reads what a trusted proxy calls a request."""

    def __init__(self, header: str | None, *, is_traced: bool = False) -> None:
        """Read *header*, ``None`` for none.

        Where that names nothing and it *is_traced*, the id of the trace is the name.
        """
        self._header = header
        self._is_traced = is_traced
        name = re.escape((header or "").encode("ascii"))
        self._line = re.compile(
            rb"\r\n" + name + rb":[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE
        )

    def lookup(self, headers: Headers) -> str | None:
        """Return the id in *headers*, ``None`` where there is none that counts."""
        values = [] if self._header is None else [*headers.getall(self._header, [])]
        if len(values) == 1 and _VALUE.fullmatch(values[0]):
            return values[0]
        return self._trace_id(parse_trace_parent(headers.getall(HEADER, [])))

    def find(self, head: bytes) -> str | None:
        """Return the id in the bytes of a plain *head*; see ``Heads``."""
        values = [] if self._header is None else self._line.findall(head)
        value: str = values[0].decode("latin-1") if len(values) == 1 else ""
        if _VALUE.fullmatch(value):
            return value
        return self._trace_id(find_trace_parent(head) if self._is_traced else None)

    def _trace_id(self, parent: TraceParent | None) -> str | None:
        return parent.trace_id if self._is_traced and parent is not None else None


class RequestName:
    """The name of one request, settled when somebody first needs it."""

    __slots__ = ("_lookup_given", "_told")

    def __init__(self, lookup_given: Callable[[], str | None]) -> None:
        """Ask *lookup_given*, when it is needed, what the proxy calls the request."""
        self._lookup_given = lookup_given
        self._told: str | None = None

    def lookup_given(self) -> str | None:
        """Return what the proxy calls it, ``None`` where it does not."""
        return self._lookup_given()

    @property
    def told(self) -> str | None:
        """What the log or a page calls it, ``None`` where neither does."""
        return self._told

    def tell(self, otherwise: str | None = None) -> str:
        """Return the name, for the log and the page to use.

        Args:
            otherwise: A reference for a request that has no name yet; one is made up
                when not given.
        """
        if self._told is None:
            self._told = self._lookup_given() or otherwise or create_reference()
        return self._told


_current: Final[ContextVar[RequestName]] = ContextVar("request")


def enter(name: RequestName) -> Token[RequestName]:
    """Make *name* that of the request that is being answered; see ``leave``."""
    return _current.set(name)


def leave(token: Token[RequestName]) -> None:
    """End what ``enter`` has begun."""
    _current.reset(token)


def lookup_current_id() -> str | None:
    """Return the name of the request that is being answered, if there is one."""
    name = _current.get(None)
    return None if name is None else name.tell()


def lookup_given_id() -> str | None:
    """Return what the proxy calls that request, ``None`` where it does not."""
    name = _current.get(None)
    return None if name is None else name.lookup_given()


def tell_current_id(otherwise: str | None = None) -> str:
    """Return the name of that request for a page; see ``RequestName.tell``."""
    name = _current.get(None)
    if name is None:
        return otherwise or create_reference()
    return name.tell(otherwise)
