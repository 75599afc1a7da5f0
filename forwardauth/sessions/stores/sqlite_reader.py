"""Point reads of the SQLite file on the event loop's own thread.

One takes 8 microseconds, where handing it to another thread would take 60; in a
write-ahead log it waits for no writer. Half of those 8 are for the locks of the log, so
glances of one turn of the loop share a snapshot, which takes them once.

Three things keep a read from holding the loop up: its connection never waits for a
lock; a file that is not open yet, was replaced, or is busy is left to the worker's
thread; and so is every read for ``DETOUR_SECONDS`` after one that took longer than
``SLOW_SECONDS``, because then the pages come from a slow disk. Where the system says
that nothing came from the disk, the time went by on a busy processor, and the detour
would take even more of it.

Law: ``read`` never reads from a snapshot, so whoever has changed something, or waited
for whoever did, reads that.
"""

import contextlib
import resource
import sqlite3
import sys
import time
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, TypeAlias

from forwardauth.sessions.glances import NoGlanceError, Row
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.stores.sqlite_file import DatabaseFile
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker

SELECT: Final = "SELECT digest, owner, login, record, seen, expires FROM sessions"
BY_DIGEST: Final = "WHERE digest = ?"

SLOW_SECONDS: Final = 0.025
DETOUR_SECONDS: Final = 10.0

EntryRow: TypeAlias = tuple[bytes, str, str, bytes, int, int]

_SELECT_ONE: Final = f"{SELECT} {BY_DIGEST}"
_PEEK: Final = "SELECT owner, record, seen FROM sessions WHERE digest = ?"
"""No more than that: the library describes every column of every answer."""


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
        """Open a snapshot for ``peek``; see ``GlancingStore``.

        Raises:
            NoGlanceError: As ``peek``.
        """
        try:
            file = self._acquire()
        except NotHereError as exc:
            raise NoGlanceError from exc
        try:
            # Deferred: it is of the moment of the first read.
            file.cursor.execute("BEGIN")
        except sqlite3.Error as exc:
            file.lock.release()
            raise NoGlanceError from exc
        self._snapshot = file

    def peek(self, digest: Digest) -> Row | None:
        """Return what the snapshot has; what there is now if that has ended.

        Raises:
            NoGlanceError: It could take a while, or is not as we write it.
        """
        try:
            file = self._snapshot
            if file is None:
                found = self._read_now(_PEEK, digest)
            else:
                found = self._select(file, _PEEK, digest)
        except NotHereError as exc:
            raise NoGlanceError from exc
        for owner, record, seen in found:
            if type(record) is not bytes or type(seen) is not int:
                raise NoGlanceError  # For ``load`` to judge.
            return Row(owner, record, seen)
        return None

    def end(self) -> None:
        """Close the snapshot, if there is one."""
        file, self._snapshot = self._snapshot, None
        if file is None:
            return
        try:
            # Whatever goes wrong here, nothing was written, and the next one is new.
            with contextlib.suppress(sqlite3.Error):
                file.cursor.execute("ROLLBACK")
        finally:
            file.lock.release()

    def _acquire(self) -> DatabaseFile:
        """Return the file with its lock held."""
        file = self._worker.file
        if (
            file is None
            or monotonic() < self._detour_until
            or not file.is_current()
            or not file.lock.acquire(blocking=False)
        ):
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


def _count_blocks() -> int:
    if sys.platform != "linux":
        return time.monotonic_ns()  # Nobody counts: as if there were always some.
    return resource.getrusage(resource.RUSAGE_THREAD).ru_inblock
