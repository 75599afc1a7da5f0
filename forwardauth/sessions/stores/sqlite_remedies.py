"""What an operator can do about a fault of SQLite or of the disk below it.

Law: a remedy is chosen by the number of a fault, never by its text.
"""

import errno
import sqlite3
from collections.abc import Mapping
from typing import Final

_MAKE_ROOM: Final = "make room on the disk of the file; nothing has to be restarted"
_LET_WRITE: Final = (
    "let the service write to the file and to its folder; a file system that has"
    " become read-only tells of a broken disk"
)
_TAKE_AWAY: Final = (
    "move the file away, with those that end in -wal and -shm: a new one is made, and"
    " people sign in again; then check the disk"
)
_FREE_FILES: Final = "raise the limit of open files"
_LET_GO: Final = "end the program that holds the file locked"

_BY_CODE: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_FULL: _MAKE_ROOM,
    sqlite3.SQLITE_READONLY: _LET_WRITE,
    sqlite3.SQLITE_PERM: _LET_WRITE,
    sqlite3.SQLITE_CANTOPEN: _LET_WRITE,
    sqlite3.SQLITE_CORRUPT: _TAKE_AWAY,
    sqlite3.SQLITE_NOTADB: _TAKE_AWAY,
    sqlite3.SQLITE_BUSY: _LET_GO,
}
_BY_ERRNO: Final[Mapping[int, str]] = {
    errno.ENOSPC: _MAKE_ROOM,
    errno.EDQUOT: _MAKE_ROOM,
    errno.EROFS: _LET_WRITE,
    errno.EACCES: _LET_WRITE,
    errno.EPERM: _LET_WRITE,
    errno.EMFILE: _FREE_FILES,
    errno.ENFILE: _FREE_FILES,
}
_PRIMARY: Final = 0xFF
"""The part of an extended result code that says which kind of fault it is."""


def lookup_remedy(fault: sqlite3.Error | OSError) -> str | None:
    """Return what to do about *fault*, ``None`` where nothing in particular helps."""
    if isinstance(fault, OSError):
        return _BY_ERRNO.get(fault.errno or 0)
    code = getattr(fault, "sqlite_errorcode", None)
    return None if code is None else _BY_CODE.get(code & _PRIMARY)
