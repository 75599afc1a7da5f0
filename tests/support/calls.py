"""How many functions are called: a cost that no busy machine changes.

Law: calls of Python and of C count alike, and those of one thread alone: a client in
another thread costs nothing.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_CALLS = frozenset({"call", "c_call"})


class Calls:
    """The number of calls so far."""

    def __init__(self) -> None:
        self.count = 0

    def note(self, _frame: FrameType, event: str, _argument: object) -> None:
        """Count *event* if it is a call; for ``sys.setprofile``."""
        if event in _CALLS:
            self.count += 1


@contextmanager
def counted_calls() -> Iterator[Calls]:
    """Count the calls of this thread as long as the context lasts."""
    calls = Calls()
    before = sys.getprofile()
    sys.setprofile(calls.note)
    try:
        yield calls
    finally:
        sys.setprofile(before)
