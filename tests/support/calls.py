"""How many functions our code calls: a cost that no busy machine changes.

Law: counted are the functions of the package and what they call themselves, of Python
and of C alike, in one thread. What an event loop calls beside that depends on how much
it finds to do at once, and so on who else is busy.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import forwardauth

_PACKAGE: Final = str(Path(forwardauth.__file__).parent)


class Calls:
    """The number of calls so far."""

    def __init__(self) -> None:
        self.count = 0

    def note(self, frame: FrameType, event: str, _argument: object) -> None:
        """Count *event* if it is a call of ours; for ``sys.setprofile``."""
        place: FrameType | None = frame
        if event == "call" and not _is_ours(frame):
            place = frame.f_back
        if event in {"call", "c_call"} and place is not None and _is_ours(place):
            self.count += 1


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_PACKAGE)


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
