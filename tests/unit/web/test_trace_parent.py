"""``traceparent``: what is plain counts, and nothing else."""

import pytest

from forwardauth.web.trace_parent import (
    find_trace_parent,
    is_sampled,
    parse_trace_parent,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("01", True), ("00", False), ("03", True), ("02", False), ("ff", True)],
)
def test_last_bit_says_whether_it_is_recorded(flags: str, expected: bool) -> None:
    """The other bits are for later."""
    value = f"00-{TRACE}-{SPAN}-{flags}"
    head = f"GET / HTTP/1.1\r\nHost: a\r\nTraceparent: {value}\r\n\r\n".encode()

    parent = parse_trace_parent([value])

    assert parent is not None
    assert (parent.trace_id, parent.span_id) == (TRACE, SPAN)
    assert parent.is_sampled is expected
    assert find_trace_parent(head) == parent
    assert is_sampled(head) is expected


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        [GOOD, GOOD],
        [GOOD + "-00"],
        [GOOD.upper()],
        ["ff" + GOOD[2:]],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"00-{TRACE}-{SPAN}"],
        [GOOD + "\n"],
        [GOOD.replace("4", "\u0664")],
    ],
    ids=ascii,
)
def test_other_values_are_none(values: list[str]) -> None:
    """What another program may read in another way belongs to no trace."""
    assert parse_trace_parent(values) is None


def test_head_without_one_is_not_sampled() -> None:
    """Nor is one in which another header has the value."""
    assert not is_sampled(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert not is_sampled(f"GET / X\r\nX-traceparent: {GOOD}\r\n\r\n".encode())
    assert not is_sampled(
        f"GET / X\r\ntraceparent: {GOOD}\r\ntraceparent: {GOOD}\r\n\r\n".encode()
    )
