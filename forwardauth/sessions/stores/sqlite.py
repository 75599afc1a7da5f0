"""Sessions in one SQLite file, for the processes of one machine.

Laws 1 and 2 need no protocol here. Every change is one transaction, SQLite runs one
at a time, and each sees all that was committed before it: ``touch`` is an UPDATE, which
cannot create; a ``create`` is either committed before a ``delete_owner``, which then
finds its row, or after it, and then it was not overtaken. So ``create`` never returns
false.

What survives what: the log is flushed to the disk before a ``create`` or a ``delete``
is answered (``synchronous = FULL``), so an answered logout outlives a loss of power. A
``touch`` is not flushed (``NORMAL``): it outlives a kill of the process, and one lost
with the power only ends a session earlier. It costs a seventh: 14 against 99
microseconds on a fast disk, milliseconds against tens of them on a slow one.

Reads: ``load`` and ``peek`` are point reads on the event loop's own thread where that
cannot hold the loop up (``sqlite_reader``); else ``load`` goes to the worker's thread.
Everything else runs in the worker's thread.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from forwardauth.attempts.limits import Rules
from forwardauth.attempts.store import Attempt, Result
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.events import Event
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms, to_ms
from forwardauth.sessions.rows import Row
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.sqlite_attempts import admit_attempt, settle_attempt
from forwardauth.sessions.stores.sqlite_events import append_event, select_events
from forwardauth.sessions.stores.sqlite_reader import (
    BY_DIGEST,
    SELECT,
    EntryRow,
    NotHereError,
    PointReader,
)
from forwardauth.sessions.stores.sqlite_worker import Need, SqliteWorker

BY_LOGIN: Final = "WHERE login = ?"
BY_OWNER: Final = "WHERE owner = ?"
BY_OWNER_BUT: Final = "WHERE owner = ? AND login <> ?"
"""The conditions; each is answered by an index, so the cost follows the answer."""

LAST_USED_FIRST: Final = "ORDER BY seen DESC"
NEXT_PAGE: Final = "WHERE digest > ? ORDER BY digest LIMIT ?"
EXPIRED: Final = "WHERE expires <= ? ORDER BY expires LIMIT ?"

_DELETE: Final = "DELETE FROM sessions"
_INSERT: Final = (
    "INSERT INTO sessions (digest, owner, login, record, seen, expires)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
TOUCH: Final = (
    "UPDATE sessions SET seen = ?1, expires = ?2 WHERE seen < ?1 AND expires > ?1"
    " AND login = (SELECT login FROM sessions WHERE digest = ?3)"
)

_PAGE: Final = 500


class SqliteStore:
    """A ``SessionStore`` in one file."""

    def __init__(self, worker: SqliteWorker) -> None:
        """Keep *worker*; the file is opened, and made if need be, by the first call."""
        self._worker = worker
        self._reader = PointReader(worker)

    async def create(self, entry: Entry) -> bool:
        """Add *entry*; nothing can overtake a transaction."""
        row = (
            entry.digest,
            entry.owner,
            entry.login,
            entry.record,
            to_ms(entry.seen),
            to_ms(entry.expires),
        )

        def insert(connection: sqlite3.Connection) -> bool:
            try:
                connection.execute(_INSERT, row)
            except sqlite3.IntegrityError as exc:
                raise ValueError("the digest is in use, or is not 32 bytes") from exc
            return True

        return await self._worker.run(insert, Need.DURABLE_WRITE)

    async def load(self, digest: Digest) -> Entry | None:
        """Return the entry, or ``None``; see the module about its cost."""
        try:
            found = self._reader.read(digest)
        except NotHereError:
            found = await self._select(BY_DIGEST, digest)
        return next(self._parse(found), None)

    def begin_peeking(self) -> None:
        """Open a snapshot of the file; see ``GlancingStore``."""
        self._reader.begin()

    def peek(self, digest: Digest) -> Row | None:
        """Return the entry as a row; see ``GlancingStore``."""
        return self._reader.peek(digest)

    def end_peeking(self) -> None:
        """Close the snapshot, if there is one."""
        self._reader.end()

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        """Move the times of an entry's login forward."""
        values = (to_ms(seen), to_ms(expires), digest)

        def update(connection: sqlite3.Connection) -> bool:
            return connection.execute(TOUCH, values).rowcount > 0

        return await self._worker.run(update, Need.WRITE)

    async def delete(self, digest: Digest) -> Entry | None:
        """End one entry."""
        removed = await self._delete(BY_DIGEST, digest)
        return removed[0] if removed else None

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        """End every entry of one login, in one transaction."""
        return await self._delete(BY_LOGIN, login)

    async def delete_owner(
        self, owner: str, *, keep_login: str | None = None
    ) -> tuple[Entry, ...]:
        """End every entry of *owner* but those of *keep_login*, in one transaction."""
        if keep_login is None:
            return await self._delete(BY_OWNER, owner)
        return await self._delete(BY_OWNER_BUT, owner, keep_login)

    async def list_owner(self, owner: str) -> tuple[Entry, ...]:
        """Return the entries of *owner*, the last used first."""
        found = await self._select(f"{BY_OWNER} {LAST_USED_FIRST}", owner)
        return tuple(self._parse(found))

    async def list_all(self) -> AsyncIterator[Entry]:
        """Yield every entry, page by page in the order of the digests."""
        digest = b""
        while rows := await self._select(NEXT_PAGE, digest, _PAGE):
            for entry in self._parse(rows):
                yield entry
            digest = rows[-1][0]

    async def list_expired(self, now: datetime, *, limit: int) -> tuple[Entry, ...]:
        """Return up to *limit* expired entries, the longest expired first."""
        return tuple(self._parse(await self._select(EXPIRED, to_ms(now), limit)))

    async def append_event(
        self, event: Event, *, keep: int, lifetime: timedelta
    ) -> None:
        """Add an event; one that is lost with the power is no loss."""
        add = partial(append_event, event=event, keep=keep, lifetime=lifetime)
        await self._worker.run(add, Need.WRITE)

    async def list_events(self, topic: str, *, since: datetime) -> tuple[Event, ...]:
        """Return the events of *topic*, the last first."""
        select = partial(select_events, topic=topic, since=since)
        return await self._worker.run(select, Need.READ)

    async def admit_attempt(self, attempt: Attempt, rules: Rules, now_ms: int) -> int:
        """Let *attempt* in, or say how long it has to wait."""
        admit = partial(admit_attempt, attempt=attempt, rules=rules, now=now_ms)
        return await self._worker.run(admit, Need.WRITE)

    async def settle_attempt(
        self, attempt: Attempt, result: Result, rules: Rules, now_ms: int
    ) -> None:
        """Say what became of *attempt*."""
        settle = partial(
            settle_attempt, attempt=attempt, result=result, rules=rules, now=now_ms
        )
        await self._worker.run(settle, Need.WRITE)

    async def count(self) -> int:
        """Return how many entries are kept."""

        def count_rows(connection: sqlite3.Connection) -> int:
            (rows,) = connection.execute("SELECT count(*) FROM sessions").fetchone()
            return int(rows)

        return await self._worker.run(count_rows, Need.READ)

    async def ping(self) -> None:
        """Write to the file what stands there already."""

        def write(connection: sqlite3.Connection) -> None:
            # Not our own version: a newer release may have taken the file further.
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {version}")

        await self._worker.run(write, Need.WRITE)

    async def close(self) -> None:
        """End the thread and close the file."""
        self._reader.end()  # The thread would wait for it.
        await self._worker.close()

    async def _select(self, condition: str, *values: object) -> list[EntryRow]:
        def select(connection: sqlite3.Connection) -> list[EntryRow]:
            return connection.execute(f"{SELECT} {condition}", values).fetchall()

        return await self._worker.run(select, Need.READ)

    async def _delete(self, condition: str, *values: object) -> tuple[Entry, ...]:
        # Two statements, because RETURNING is newer than some systems' SQLite. The
        # transaction makes them one.
        def delete(connection: sqlite3.Connection) -> list[EntryRow]:
            rows = connection.execute(f"{SELECT} {condition}", values).fetchall()
            if rows:
                connection.execute(f"{_DELETE} {condition}", values)
            return rows

        removed = await self._worker.run(delete, Need.DURABLE_WRITE)
        return tuple(self._parse(removed))

    def _parse(self, rows: Iterable[EntryRow]) -> Iterator[Entry]:
        for digest, owner, login, record, seen, expires in rows:
            try:
                yield Entry(
                    digest=Digest(digest),
                    owner=owner,
                    login=login,
                    record=record,
                    seen=from_ms(seen),
                    expires=from_ms(expires),
                )
            except (TypeError, ValueError, OverflowError) as exc:
                message = f"sqlite store {self._worker.path}: a row cannot be read"
                raise StoreUnavailableError(message) from exc
