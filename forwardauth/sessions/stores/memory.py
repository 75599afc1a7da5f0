"""Sessions in the memory of one process, for tests and demos.

Laws 1 and 2 hold because no method waits for anything: each runs as one step of the
event loop, so nothing can come between reading and writing. It is gone with the
process, which is also why it can never be unavailable.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from operator import attrgetter

from forwardauth.sessions.events import Event
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms, to_ms
from forwardauth.sessions.rows import NoGlanceError, Row, read_record
from forwardauth.sessions.store import Entry


@dataclass(slots=True)
class _Kept(Row):
    """An ``Entry``; a glance takes it as it is. Times in ms since 1970."""

    login: str
    expires_ms: int


class MemoryStore:
    """A ``SessionStore`` in dictionaries."""

    def __init__(self) -> None:
        """Start empty."""
        # The one form that is kept: an entry is made of it when somebody wants one.
        self._rows: dict[Digest, _Kept] = {}
        self._owners: defaultdict[str, set[Digest]] = defaultdict(set)
        # Mostly one each, for which a set would take more memory than the record.
        self._logins: dict[str, tuple[Digest, ...]] = {}
        self._events: dict[str, list[tuple[Event, datetime]]] = {}

    async def create(self, entry: Entry) -> bool:
        """Add *entry*; nothing can overtake it."""
        if entry.digest in self._rows:
            raise ValueError("the digest is in use")
        siblings = self._owners[entry.owner]
        row = _Kept(
            owner=entry.owner,
            record=entry.record,
            seen_ms=to_ms(entry.seen),
            login=entry.login,
            expires_ms=to_ms(entry.expires),
        )
        self._put(entry.digest, row, sibling=next(iter(siblings), None))
        siblings.add(entry.digest)
        self._logins[entry.login] = (*self._logins.get(entry.login, ()), entry.digest)
        return True

    async def load(self, digest: Digest) -> Entry | None:
        """Return the entry, or ``None``."""
        row = self._rows.get(digest)
        return None if row is None else _entry_of(digest, row)

    def begin_peeking(self) -> None:
        """Do nothing; see ``GlancingStore``."""

    def peek(self, digest: Digest) -> Row | None:
        """Return the entry as a row; see ``GlancingStore``."""
        return self._rows.get(digest)

    def end_peeking(self) -> None:
        """Do nothing."""

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        """Move the times of an entry's login forward."""
        row = self._rows.get(digest)
        if row is None:
            return False
        seen_ms, expires_ms = to_ms(seen), to_ms(expires)
        linked = {each: self._rows[each] for each in self._logins[row.login]}
        moved = {
            key: replace(each, seen_ms=seen_ms, expires_ms=expires_ms)
            for key, each in linked.items()
            if each.seen_ms < seen_ms < each.expires_ms
        }
        for key, each in moved.items():
            self._put(key, each, sibling=key)
        return bool(moved)

    async def delete(self, digest: Digest) -> Entry | None:
        """End one entry."""
        return self._remove(digest)

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        """End every entry of one login."""
        return self._remove_all(self._logins.get(login, ()))

    async def delete_owner(
        self, owner: str, *, keep_login: str | None = None
    ) -> tuple[Entry, ...]:
        """End every entry of *owner* but those of *keep_login*."""
        return self._remove_all(
            digest
            for digest in self._owners.get(owner, ())
            if self._rows[digest].login != keep_login
        )

    async def list_owner(self, owner: str) -> tuple[Entry, ...]:
        """Return the entries of *owner*, the last used first."""
        digests = self._owners.get(owner, ())
        entries = (_entry_of(digest, self._rows[digest]) for digest in digests)
        return tuple(sorted(entries, key=attrgetter("seen"), reverse=True))

    async def list_all(self) -> AsyncIterator[Entry]:
        """Yield every entry; one that ends meanwhile may be left out."""
        for digest in tuple(self._rows):
            row = self._rows.get(digest)
            if row is not None:
                yield _entry_of(digest, row)

    async def list_expired(self, now: datetime, *, limit: int) -> tuple[Entry, ...]:
        """Return up to *limit* expired entries."""
        now_ms = to_ms(now)
        expired = (
            _entry_of(digest, row)
            for digest, row in self._rows.items()
            if row.expires_ms <= now_ms
        )
        return tuple(islice(expired, limit))

    async def append_event(
        self, event: Event, *, keep: int, lifetime: timedelta
    ) -> None:
        """Add an event, and forget those of every topic whose time is over."""
        event = replace(event, at=_to_the_ms(event.at))
        for topic, kept in [*self._events.items()]:
            self._events[topic] = [each for each in kept if each[1] > event.at]
        kept = [*self._events.get(event.topic, ()), (event, event.at + lifetime)]
        self._events[event.topic] = kept[-keep:]
        self._events = {topic: kept for topic, kept in self._events.items() if kept}

    async def list_events(self, topic: str, *, since: datetime) -> tuple[Event, ...]:
        """Return the events of *topic*, the last first."""
        found = [event for event, _ in self._events.get(topic, ()) if event.at >= since]
        return tuple(reversed(found))

    async def count(self) -> int:
        """Return how many entries are kept."""
        return len(self._rows)

    async def ping(self) -> None:
        """Return: memory is always there."""

    async def close(self) -> None:
        """Keep everything: there is nothing to release."""

    def _put(self, digest: Digest, row: _Kept, *, sibling: Digest | None) -> None:
        """Keep *row*, and let sessions of one user say the same in one place.

        Args:
            digest: The key.
            row: Not read yet.
            sibling: Of a session that probably says the same.
        """
        with suppress(NoGlanceError):
            known = None if sibling is None else self._rows[sibling].glance
            if read_record(row) == known:
                row.glance = known
        self._rows[digest] = row

    def _remove_all(self, digests: Iterable[Digest]) -> tuple[Entry, ...]:
        removed = (self._remove(digest) for digest in tuple(digests))
        return tuple(entry for entry in removed if entry is not None)

    def _remove(self, digest: Digest) -> Entry | None:
        row = self._rows.pop(digest, None)
        if row is None:
            return None
        self._owners[row.owner].discard(digest)
        if not self._owners[row.owner]:
            del self._owners[row.owner]
        others = tuple(each for each in self._logins.pop(row.login) if each != digest)
        if others:
            self._logins[row.login] = others
        return _entry_of(digest, row)


def _entry_of(digest: Digest, row: _Kept) -> Entry:
    return Entry(
        digest=digest,
        owner=row.owner,
        login=row.login,
        record=row.record,
        seen=from_ms(row.seen_ms),
        expires=from_ms(row.expires_ms),
    )


def _to_the_ms(moment: datetime) -> datetime:
    return from_ms(to_ms(moment))
