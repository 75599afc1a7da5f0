"""Point reads of the SQLite file on the event loop's own thread.

One takes 8 microseconds, where handing it to another thread would take 60; in a
write-ahead log it waits for no writer. Half of those 8 are for the locks of the log, so
glances of one turn of the loop share a snapshot, which takes them once.

A row that a glance has read is known until something is committed to the file, by
whichever process or program: SQLite tells it by a number (``PRAGMA data_version``), by
which it judges its own cached pages, too. Each turn asks for that number first.

Three things keep a read from holding the loop up: its connection never waits for a
lock; a file that is not open yet, was replaced, or is busy is left to the worker's
thread; and so is every read for ``DETOUR_SECONDS`` after one that took longer than
``SLOW_SECONDS``, because then the pages come from a slow disk. Where the system says
that nothing came from the disk, the time went by on a busy processor, and the detour
would take even more of it.

Laws: ``read`` never reads from a snapshot or from what is known, so whoever has changed
something, or waited for whoever did, reads that. What ``peek`` tells is what the file
had at the beginning of the turn, or later.
"""

import contextlib
import resource
import sqlite3
import sys
import time
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, TypeAlias

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.known_rows import KnownRow, KnownRows
from forwardauth.sessions.model import is_time
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.stores.sqlite_file import DatabaseFile
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker

SELECT: Final = "SELECT digest, owner, login, record, seen, expires FROM sessions"
BY_DIGEST: Final = "WHERE digest = ?"

SLOW_SECONDS: Final = 0.025
DETOUR_SECONDS: Final = 10.0

EntryRow: TypeAlias = tuple[bytes, str, str, bytes, int, int]

_SELECT_ONE: Final = f"{SELECT} {BY_DIGEST}"
_VERSION: Final = "PRAGMA data_version"
_PEEK: Final = (
    "SELECT owner, login, record, seen, expires FROM sessions WHERE digest = ?"
)


class NotHereError(Exception):
    """A point read is to be done by the worker's thread."""


class PointReader:
    """Reads single entries of the file that *worker* has open."""

    def __init__(
        self, worker: SqliteWorker, *, count_blocks: Callable[[], int] | None = None
    ) -> None:
        """Keep *worker*.

        Args:
            worker: Has the file.
            count_blocks: Returns how many blocks this thread has read from disks so
                far; the system's count when not given.
        """
        self._worker = worker
        self._count_blocks = count_blocks or _count_blocks
        self._blocks = self._count_blocks()
        self._detour_until = 0.0
        self._snapshot: DatabaseFile | None = None
        self._is_begun = False
        self._known = KnownRows()
        self._known_of: DatabaseFile | None = None
        self._version = 0

    def read(self, digest: Digest) -> list[EntryRow]:
        """Return the row of *digest* as it is now, if there is one.

        Raises:
            NotHereError: It could take a while.
        """
        return self._read_now(_SELECT_ONE, digest)

    def _read_now(self, query: str, digest: Digest) -> list[Any]:
        self.end()
        file = self._acquire()
        try:
            return self._select(file, query, digest)
        finally:
            file.lock.release()

    def begin(self) -> None:
        """Let ``peek`` read what is there now, or later; see ``GlancingStore``.

        Raises:
            NoGlanceError: As ``peek``.
        """
        try:
            file = self._acquire()
        except NotHereError as exc:
            raise NoGlanceError from exc
        try:
            ((self._version,),) = file.cursor.execute(_VERSION).fetchall()
        except sqlite3.Error as exc:
            file.lock.release()
            raise NoGlanceError from exc
        if self._known_of is not file:
            self._known.clear()
            self._known_of = file
        self._snapshot = file

    def peek(self, digest: Digest) -> Row | None:
        """Return what there was at the beginning or since; now, if that has ended.

        Raises:
            NoGlanceError: It could take a while, or is not as we write it.
        """
        file = self._snapshot
        if file is None:
            return self._peek_now(digest)
        row = self._known.get(digest)
        if row is None or row.version != self._version:
            return self._read_row(file, digest)
        return row

    def _peek_now(self, digest: Digest) -> Row | None:
        try:
            return _row_of(self._read_now(_PEEK, digest))
        except NotHereError as exc:
            raise NoGlanceError from exc

    def _read_row(self, file: DatabaseFile, digest: Digest) -> Row | None:
        row = _row_of(self._select_here(file, _PEEK, digest))
        if row is None:
            self._known.forget(digest)
            return None
        row = self._known.read(digest, row)
        if isinstance(row, KnownRow):
            row.version = self._version
        return row

    def _select_here(self, file: DatabaseFile, query: str, digest: Digest) -> list[Any]:
        """Return what the snapshot has; it is made by the first one in a turn."""
        try:
            if not self._is_begun:
                # Deferred: it is of the moment of the first read.
                file.cursor.execute("BEGIN")
                self._is_begun = True
            return self._select(file, query, digest)
        except (NotHereError, sqlite3.Error) as exc:
            raise NoGlanceError from exc

    def end(self) -> None:
        """Close the snapshot, if there is one."""
        file, self._snapshot = self._snapshot, None
        if file is None:
            return
        is_begun, self._is_begun = self._is_begun, False
        try:
            if is_begun:
                # Whatever goes wrong here, nothing was written, and the next is new.
                with contextlib.suppress(sqlite3.Error):
                    file.cursor.execute("ROLLBACK")
        finally:
            file.lock.release()

    def _acquire(self) -> DatabaseFile:
        """Return the file with its lock held, and with no snapshot of before."""
        file = self._worker.file
        if (
            file is None
            or monotonic() < self._detour_until
            or not file.is_current()
            or not file.lock.acquire(blocking=False)
        ):
            raise NotHereError
        if _is_stuck(file):
            file.lock.release()
            raise NotHereError
        return file

    def _select(self, file: DatabaseFile, query: str, digest: Digest) -> list[Any]:
        started = monotonic()
        try:
            return file.cursor.execute(query, (digest,)).fetchall()
        except sqlite3.Error as exc:
            raise NotHereError from exc
        finally:
            if monotonic() - started > SLOW_SECONDS and self._has_read_blocks():
                self._detour_until = monotonic() + DETOUR_SECONDS

    def _has_read_blocks(self) -> bool:
        """Whether the disk was read since this was last asked, as far as is known."""
        before, self._blocks = self._blocks, self._count_blocks()
        return self._blocks != before


def _is_stuck(file: DatabaseFile) -> bool:
    """Whether a snapshot could not be closed, which would show for ever what was."""
    try:
        return file.reader.in_transaction
    except sqlite3.Error:
        return True


def _row_of(found: list[Any]) -> Row | None:
    """Return the row that ``_PEEK`` has *found*.

    Raises:
        NoGlanceError: It is for ``load`` to judge.
    """
    for owner, login, record, seen, expires in found:
        are_ours = (
            type(owner) is type(login) is str
            and type(record) is bytes
            and type(seen) is type(expires) is int
        )
        if not (are_ours and is_time(seen) and is_time(expires)):
            raise NoGlanceError
        return Row(owner, record, seen)
    return None


def _count_blocks() -> int:
    if sys.platform != "linux":
        return time.monotonic_ns()  # Nobody counts: as if there were always some.
    return resource.getrusage(resource.RUSAGE_THREAD).ru_inblock
