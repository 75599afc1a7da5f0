"""Standard input, output and error, whatever the caller made of them.

Law: each of the three is there. A program that was started without one (``2>&-``, some
supervisors) has its number free, and the next file that is opened takes it: what is
said on standard error would then be written into the database of the sessions.
"""

import os
import sys
from typing import Final

_MODES: Final = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""In the order of their numbers, since the lowest free number is taken."""


def open_missing() -> None:
    """Open the null device in place of each stream that is not there."""
    for name, mode in _MODES.items():
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))


def is_watched() -> bool:
    """Whether somebody sits before standard error, with a terminal that can redraw."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def words_of(error: OSError) -> str:
    """Return what the system says, and of which file, without the number."""
    if error.strerror is None:
        return str(error)
    return error.strerror if error.filename is None else _about(error)


def _about(error: OSError) -> str:
    name = error.filename
    shown = os.fsdecode(name) if isinstance(name, bytes | str) else str(name)
    return f"{error.strerror}: {shown!r}"
