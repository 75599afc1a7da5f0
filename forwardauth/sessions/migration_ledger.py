"""Which sessions a migration has copied, kept beside them in the store they went to.

    open (these are about to be copied) ─► copies ─► close

Laws: what is copied stands here first. So a migration that is repeated, after an
interruption or for what has changed, knows its own copies from the sessions that
somebody began at the new store, and a copy that has ended there from one that was never
made, or whose time was over.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from forwardauth.clock import Clock
from forwardauth.sessions.events import Event, EventStore
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms, to_ms
from forwardauth.sessions.store import Entry

LINE: Final = 25
"""Copies in one line of it: an event holds a kibibyte."""

_NAME_BYTES: Final = 8
_DIGEST_BYTES: Final = 32
_COPY_BYTES: Final = _DIGEST_BYTES + 8
_OPEN: Final = b"o"
_CLOSE: Final = b"c"
_NO_BOUND: Final = 10_000_000
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What former runs have done.

    Attributes:
        made: The copies that were made for sure, and until when each was to live.
        begun: Those of which nobody knows: the run was interrupted there.
    """

    made: Mapping[Digest, datetime]
    begun: Mapping[Digest, datetime]


NOTHING: Final = Copied(made={}, begun={})


class MigrationLedger:
    """The ledger of one source."""

    def __init__(
        self, store: EventStore, clock: Clock, *, source: str, lifetime: timedelta
    ) -> None:
        """Keep it in *store*.

        Args:
            store: Where the copies go.
            clock: Tells when.
            source: The name of the store that they come from.
            lifetime: As long as a session may live, and longer.
        """
        self._store = store
        self._clock = clock
        self._topic = f"migration:{source}"
        self._lifetime = lifetime

    async def read(self) -> Copied:
        """Return what stands in it.

        Raises:
            StoreUnavailableError: The store did not answer.
        """
        opened: dict[bytes, dict[Digest, datetime]] = {}
        closed: set[bytes] = set()
        for event in await self._store.list_events(self._topic, since=_EVER):
            kind, rest = event.record[:1], event.record[1:]
            name, copies = rest[:_NAME_BYTES], rest[_NAME_BYTES:]
            if kind == _OPEN:
                opened[name] = dict(_split(copies))
            else:
                closed.add(name)
        made: dict[Digest, datetime] = {}
        begun: dict[Digest, datetime] = {}
        for name, found in opened.items():
            of_kind = made if name in closed else begun
            for digest, until in found.items():
                of_kind[digest] = max(until, of_kind.get(digest, until))
        unknown = {d: until for d, until in begun.items() if d not in made}
        return Copied(made=made, begun=unknown)

    async def open(self, entries: Sequence[Entry]) -> bytes:
        """Write down that *entries*, at most ``LINE``, are about to be copied.

        Returns:
            The name to close them by.
        """
        name = secrets.token_bytes(_NAME_BYTES)
        copies = (e.digest + to_ms(e.expires).to_bytes(8) for e in entries)
        await self._append(_OPEN + name + b"".join(copies))
        return name

    async def close(self, name: bytes) -> None:
        """Write down that the copies have been made."""
        await self._append(_CLOSE + name)

    async def _append(self, record: bytes) -> None:
        event = Event(topic=self._topic, at=self._clock.now(), record=record)
        await self._store.append_event(event, keep=_NO_BOUND, lifetime=self._lifetime)


def _split(copies: bytes) -> Iterator[tuple[Digest, datetime]]:
    for start in range(0, len(copies), _COPY_BYTES):
        copy = copies[start : start + _COPY_BYTES]
        until = from_ms(int.from_bytes(copy[_DIGEST_BYTES:]))
        yield Digest(copy[:_DIGEST_BYTES]), until
