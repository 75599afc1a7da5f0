"""The one thread that writes to the SQLite file, and its queue.

Work that waits together is committed together: however many logins or logouts arrive
while the disk is busy, they share one transaction and one flush. Every caller is
answered after the commit, so what was answered is on the disk.

Law: a caller waits a bounded time. Work whose caller has given up and that has not
begun is dropped; work that has begun may still come true, as with any store that
does not answer.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.sqlite_file import DatabaseFile, faults_of, open_file

BUSY_TIMEOUT: Final = timedelta(seconds=2)
"""How long a transaction waits for one of another process."""

PATIENCE: Final = timedelta(seconds=5)
"""How long a caller waits for its answer."""

MAX_QUEUED: Final = 10_000
_MAX_BATCH: Final = 128

_T = TypeVar("_T")


class Need(StrEnum):
    """What a piece of work needs."""

    READ = "read"
    """No transaction."""

    WRITE = "write"
    """A transaction that survives a crash of the process, not a loss of power."""

    DURABLE_WRITE = "durable_write"
    """A transaction that is flushed to the disk before anyone is answered."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    need: Need
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]

    def settle(self, outcome: object) -> None:
        """Hand *outcome*, a result or an exception, to whoever waits."""
        # A loop that was closed has nobody waiting.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._settle, outcome)

    def _settle(self, outcome: object) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class SqliteWorker:
    """Runs work on the file at *path*; opens it when needed, again after a failure."""

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout: timedelta = BUSY_TIMEOUT,
        patience: timedelta = PATIENCE,
    ) -> None:
        """Keep the arguments; thread and file wait for the first work."""
        self.path = path
        self._busy_timeout = busy_timeout
        self._patience = patience.total_seconds()
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self.file: DatabaseFile | None = None
        """The open file, for point reads; replaced by the thread of the worker."""

    async def run(self, work: Callable[[sqlite3.Connection], _T], need: Need) -> _T:
        """Return what *work* returns, called in the thread with the connection.

        Raises:
            Exception: Whatever *work* raises but faults of SQLite and the disk.
            StoreUnavailableError: The file cannot be used, or not within ``PATIENCE``.
        """
        self._check_open()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        self._queue.put(_Job(work=work, need=need, loop=loop, answer=answer))
        try:
            async with asyncio.timeout(self._patience):
                return await answer
        except TimeoutError as exc:
            message = f"sqlite store {self.path}: no answer within {PATIENCE.seconds} s"
            raise StoreUnavailableError(message) from exc

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreUnavailableError(f"sqlite store {self.path}: closed")
        if self._queue.qsize() >= MAX_QUEUED:
            message = f"sqlite store {self.path}: {MAX_QUEUED} calls wait already"
            raise StoreUnavailableError(message)
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._serve, name="sqlite-store", daemon=True
            )
            self._thread.start()

    async def close(self) -> None:
        """Finish what was begun, then end the thread and close the file."""
        self._is_closed = True
        if self._thread is None:
            return
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, self._patience)

    def _serve(self) -> None:
        is_open = True
        while is_open:
            batch = self._take()
            is_open = None not in batch
            jobs = [job for job in batch if job is not None]
            self._carry_out([job for job in jobs if not job.answer.cancelled()])
        self._drop_file()

    def _take(self) -> list[_Job | None]:
        """Wait for work; return it with all that waits behind it."""
        batch = [self._queue.get()]
        with contextlib.suppress(queue.Empty):
            while len(batch) < _MAX_BATCH:
                batch.append(self._queue.get_nowait())
        return batch

    def _carry_out(self, jobs: Sequence[_Job]) -> None:
        # Reads first: they need not wait for the lock, or for the disk.
        reads = [job for job in jobs if job.need is Need.READ]
        writes = [job for job in jobs if job.need is not Need.READ]
        for group, carry_out in ((reads, _read), (writes, _write)):
            if not group:
                continue
            try:
                with faults_of(self.path):
                    outcomes = carry_out(self._open_file().writer, group)
            except StoreUnavailableError as exc:
                self._drop_file()
                outcomes = [exc] * len(group)
            for job, outcome in zip(group, outcomes, strict=True):
                job.settle(outcome)

    def _open_file(self) -> DatabaseFile:
        if self.file is not None and not self.file.is_current():
            self._drop_file()
        if self.file is None:
            self.file = open_file(self.path, busy_timeout=self._busy_timeout)
        return self.file

    def _drop_file(self) -> None:
        file, self.file = self.file, None
        if file is not None:
            file.close()


def _read(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> list[object]:
    return [_do(job, connection) for job in jobs]


def _write(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> list[object]:
    """Return the outcomes of *jobs*, committed together."""
    is_durable = any(job.need is Need.DURABLE_WRITE for job in jobs)
    level = "FULL" if is_durable else "NORMAL"
    connection.execute(f"PRAGMA synchronous = {level}")
    connection.execute("BEGIN IMMEDIATE")
    outcomes = [_do(job, connection) for job in jobs]
    connection.execute("COMMIT")
    return outcomes


def _do(job: _Job, connection: sqlite3.Connection) -> object:
    """Return the result of one job, or what it raised, for its caller alone.

    A fault of SQLite or of the disk is everybody's: the transaction cannot be trusted.
    """
    try:
        return job.work(connection)
    except (sqlite3.Error, OSError):
        raise
    except Exception as exc:  # noqa: BLE001 - handed to the caller; the thread lives on
        return exc
