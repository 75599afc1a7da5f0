"""Sessions in the memory of one process, for tests and demos.

Laws 1 and 2 hold because no method waits for anything: each runs as one step of the
event loop, so nothing can come between reading and writing. It is gone with the
process, which is also why it can never be unavailable.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from operator import attrgetter

from forwardauth.sessions.events import Event
from forwardauth.sessions.glances import Row
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms, to_ms
from forwardauth.sessions.store import Entry


class MemoryStore:
    """A ``SessionStore`` in dictionaries."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: dict[Digest, Entry] = {}
        self._rows: dict[Digest, Row] = {}
        self._owners: defaultdict[str, set[Digest]] = defaultdict(set)
        # Mostly one each, for which a set would take more memory than the record.
        self._logins: dict[str, tuple[Digest, ...]] = {}
        self._events: dict[str, list[tuple[Event, datetime]]] = {}

    async def create(self, entry: Entry) -> bool:
        """Add *entry*; nothing can overtake it."""
        if entry.digest in self._entries:
            raise ValueError("the digest is in use")
        self._put(
            replace(
                entry, seen=_to_the_ms(entry.seen), expires=_to_the_ms(entry.expires)
            )
        )
        self._owners[entry.owner].add(entry.digest)
        self._logins[entry.login] = (*self._logins.get(entry.login, ()), entry.digest)
        return True

    async def load(self, digest: Digest) -> Entry | None:
        """Return the entry, or ``None``."""
        return self._entries.get(digest)

    def begin_peeking(self) -> None:
        """Do nothing; see ``GlancingStore``."""

    def peek(self, digest: Digest) -> Row | None:
        """Return the entry as a row; see ``GlancingStore``."""
        return self._rows.get(digest)

    def end_peeking(self) -> None:
        """Do nothing."""

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        """Move the times of an entry's login forward."""
        entry = self._entries.get(digest)
        if entry is None:
            return False
        seen, expires = _to_the_ms(seen), _to_the_ms(expires)
        linked = [self._entries[each] for each in self._logins[entry.login]]
        moved = [each for each in linked if each.seen < seen < each.expires]
        for each in moved:
            self._put(replace(each, seen=seen, expires=expires))
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
            if self._entries[digest].login != keep_login
        )

    async def list_owner(self, owner: str) -> tuple[Entry, ...]:
        """Return the entries of *owner*, the last used first."""
        entries = (self._entries[digest] for digest in self._owners.get(owner, ()))
        return tuple(sorted(entries, key=attrgetter("seen"), reverse=True))

    async def list_all(self) -> AsyncIterator[Entry]:
        """Yield every entry; one that ends meanwhile may be left out."""
        for digest in tuple(self._entries):
            entry = self._entries.get(digest)
            if entry is not None:
                yield entry

    async def list_expired(self, now: datetime, *, limit: int) -> tuple[Entry, ...]:
        """Return up to *limit* expired entries."""
        expired = (entry for entry in self._entries.values() if entry.expires <= now)
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
        return len(self._entries)

    async def ping(self) -> None:
        """Return: memory is always there."""

    async def close(self) -> None:
        """Keep everything: there is nothing to release."""

    def _put(self, entry: Entry) -> None:
        self._entries[entry.digest] = entry
        self._rows[entry.digest] = Row(
            entry.owner,
            entry.login,
            entry.record,
            to_ms(entry.seen),
            to_ms(entry.expires),
        )

    def _remove_all(self, digests: Iterable[Digest]) -> tuple[Entry, ...]:
        removed = (self._remove(digest) for digest in tuple(digests))
        return tuple(entry for entry in removed if entry is not None)

    def _remove(self, digest: Digest) -> Entry | None:
        entry = self._entries.pop(digest, None)
        self._rows.pop(digest, None)
        if entry is not None:
            self._owners[entry.owner].discard(digest)
            if not self._owners[entry.owner]:
                del self._owners[entry.owner]
            others = tuple(
                each for each in self._logins.pop(entry.login) if each != digest
            )
            if others:
                self._logins[entry.login] = others
        return entry


def _to_the_ms(moment: datetime) -> datetime:
    return from_ms(to_ms(moment))
