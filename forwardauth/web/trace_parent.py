"""``traceparent``: which trace a request belongs to, and whether that is recorded.

Source: W3C Trace Context, 3.2: version, trace id, parent id and flags, in lower-case
hex; all zeros are no id.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

HEADER: Final = "traceparent"

_VALUE: Final = re.compile(
    r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII
)
_LINE: Final = re.compile(
    rb"\r\ntraceparent:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE
)
_SAMPLED: Final = 0x01


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceParent:
    """What a proxy says about the trace of a request.

    Attributes:
        trace_id: 32 hex digits.
        span_id: 16 hex digits: the proxy's own span.
        is_sampled: Whether the proxy records the trace.
    """

    trace_id: str
    span_id: str
    is_sampled: bool


def parse_trace_parent(values: Iterable[str]) -> TraceParent | None:
    """Return what the *values* of the header say, ``None`` unless it is one, and plain.

    A version that is not known yet counts as none.
    """
    first, *others = [*values] or [""]
    found = _VALUE.fullmatch(first)
    if others or found is None:
        return None
    return TraceParent(
        trace_id=found[1],
        span_id=found[2],
        is_sampled=bool(int(found[3], 16) & _SAMPLED),
    )


def find_trace_parent(head: bytes) -> TraceParent | None:
    """Return what the bytes of a plain *head* say; see ``Heads``."""
    return parse_trace_parent(each.decode("latin-1") for each in _LINE.findall(head))


def is_sampled(head: bytes) -> bool:
    """Whether the trace that *head* belongs to is recorded."""
    parent = find_trace_parent(head)
    return parent is not None and parent.is_sampled
