"""The SQLite file: made, opened, and checked to be ours.

A ``DatabaseFile`` is the pair of connections to one file on disk, the inode and not
the name. Whoever uses it asks ``is_current`` first: a file that was deleted or replaced
is not read any more, because its sessions are not those that others see and end.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import quote

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.sqlite_remedies import lookup_remedy

APPLICATION_ID: Final = 0x66617468
"""Written to ``PRAGMA application_id``, so that no other program's file is taken."""

# An ordinary table: records are too large for WITHOUT ROWID to pay. Times are
# milliseconds since 1970.
_FIRST: Final = (
    """
    CREATE TABLE sessions (
        digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
        owner TEXT NOT NULL,
        login TEXT NOT NULL,
        record BLOB NOT NULL,
        seen INTEGER NOT NULL,
        expires INTEGER NOT NULL
    )
    """,
    "CREATE INDEX sessions_owner ON sessions (owner)",
    "CREATE INDEX sessions_login ON sessions (login)",
    "CREATE INDEX sessions_expires ON sessions (expires)",
    f"PRAGMA application_id = {APPLICATION_ID}",
)

Steps: TypeAlias = tuple[tuple[str, ...], ...]

STEPS: Final[Steps] = (_FIRST,)
"""What takes a file from one schema version to the next; an empty one has 0. A table
that a release can do without is no step: whoever needs it makes it, as for events."""

SCHEMA_VERSION: Final = len(STEPS)
"""In ``PRAGMA user_version``; a file with a higher one is not opened."""

_START_NEWER: Final = (
    "start that release, or restore the copy of the file that was made before it"
    " ran; docs/upgrading.md tells how to go back"
)
_CACHE_KIB: Final = 16_384
_WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024
_RETRY_SECONDS: Final = 0.01


@dataclass(slots=True, kw_only=True)
class DatabaseFile:
    """Two connections to one file.

    Attributes:
        writer: Belongs to the thread of ``sqlite_worker``.
        reader: For point reads on the event loop's thread. It never waits for a lock:
            what is busy is an error there.
        cursor: Of the reader, for all that it is asked; a new one each time would
            take longer than many a read.
        lock: Held while *reader* is used or closed.
    """

    path: Path
    identity: tuple[int, int]
    writer: sqlite3.Connection
    reader: sqlite3.Connection
    cursor: sqlite3.Cursor
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_current(self) -> bool:
        """Whether the name still leads to the file that is open. One ``stat``."""
        return _identity(self.path) == self.identity

    def close(self) -> None:
        """Close both connections; the last one folds the log into the file."""
        with self.lock, suppress(sqlite3.Error):
            self.reader.close()
        with suppress(sqlite3.Error):
            self.writer.close()


@contextmanager
def faults_of(path: Path) -> Iterator[None]:
    """Turn whatever SQLite or the file system says into the one error of a store."""
    try:
        yield
    except FileNotFoundError as exc:
        message = f"sqlite store: the folder {path.parent} does not exist"
        raise StoreUnavailableError(message) from exc
    except (sqlite3.Error, OSError) as exc:
        raise StoreUnavailableError(
            f"sqlite store {path}: {exc}", remedy=lookup_remedy(exc)
        ) from exc


def open_file(
    path: Path, *, busy_timeout: timedelta, steps: Steps = STEPS
) -> DatabaseFile:
    """Open *path*, made ready for use; a missing file is made, readable by us alone.

    Args:
        path: The file; its folder exists.
        busy_timeout: How long to wait for locks of other processes.
        steps: Those of this release.

    Raises:
        StoreUnavailableError: No folder, no right, no space, not ours, corrupt, newer
            than this release, or locked for too long.
    """
    with faults_of(path):
        _make(path)
        identity = _identity(path)
        if identity is None:
            raise StoreUnavailableError(f"sqlite store {path}: cannot be found")
        writer = _connect(path, busy_timeout)
        try:
            _prepare(writer, path, busy_timeout, steps)
            reader = _connect(path, timedelta())
        except BaseException:
            writer.close()
            raise
        reader.execute("PRAGMA query_only = ON")
        return DatabaseFile(
            path=path,
            identity=identity,
            writer=writer,
            reader=reader,
            cursor=reader.cursor(),
        )


def _make(path: Path) -> None:
    # By hand, because SQLite would make it readable for everyone; its log and shared
    # memory take the rights of the file. Only a file that is new is touched: closing
    # a descriptor drops the locks that this process holds on the same file.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - for each read, and three times as fast
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _connect(path: Path, busy_timeout: timedelta) -> sqlite3.Connection:
    # mode=rw: a file that vanishes now is an error, not a file with other rights.
    connection = sqlite3.connect(
        f"file:{quote(os.fspath(path))}?mode=rw",
        uri=True,
        timeout=busy_timeout.total_seconds(),
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _prepare(
    connection: sqlite3.Connection, path: Path, busy_timeout: timedelta, steps: Steps
) -> None:
    """Bring the file to WAL and to our schema; several processes may do so at once.

    All steps are one transaction: another process finds all of them done, or none.
    """
    set_wal(connection, busy_timeout)
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    connection.execute("PRAGMA synchronous = FULL")
    # Looked at without the lock first, so that a long write elsewhere stops no reader.
    for begin in ("BEGIN", "BEGIN IMMEDIATE"):
        connection.execute(begin)
        version = _check_ours(connection, path, newest=len(steps))
        missing = steps[version:]
        if missing and begin == "BEGIN IMMEDIATE":
            for statement in chain.from_iterable(missing):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
        if not missing:
            return


def set_wal(connection: sqlite3.Connection, busy_timeout: timedelta) -> None:
    """Let readers and the writer work side by side, by a log that is written ahead.

    Raises:
        sqlite3.OperationalError: The file is in use for too long, or cannot have one.
    """
    # The switch needs the file alone and does not wait for it, so we do.
    deadline = time.monotonic() + busy_timeout.total_seconds()
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
            continue
        if mode != "wal":
            raise sqlite3.OperationalError("this file system has no write-ahead log")
        return


def _check_ours(connection: sqlite3.Connection, path: Path, *, newest: int) -> int:
    """Return the schema version, 0 for an empty file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (version, application, tables) == (0, 0, 0):
        return 0
    if application != APPLICATION_ID:
        message = f"sqlite store {path}: the database of another program"
        raise StoreUnavailableError(message)
    if version > newest:
        message = (
            f"sqlite store {path}: written by a newer release (schema {version}; "
            f"this one reads up to {newest})"
        )
        raise StoreUnavailableError(message, remedy=_START_NEWER)
    return int(version)
