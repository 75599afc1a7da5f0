"""Which sessions a migration has copied, kept beside them in the store they went to.

    open (these are about to be copied) ─► copies ─► close

Laws: what is copied stands here first. So a migration that is repeated, after an
interruption or for what has changed, knows its own copies from the sessions that
somebody began at the new store, and a copy that has ended there from one that was never
made.
"""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from forwardauth.clock import Clock
from forwardauth.sessions.events import Event, EventStore
from forwardauth.sessions.ids import Digest

BATCH: Final = 31
"""Digests in one line of it: an event holds a kibibyte."""

_NAME_BYTES: Final = 8
_DIGEST_BYTES: Final = 32
_OPEN: Final = b"o"
_CLOSE: Final = b"c"
_NO_BOUND: Final = 10_000_000
_LIFETIME: Final = timedelta(days=400)
"""Longer than any cookie is kept by a browser, and so than any session is of use."""

_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What former runs have done.

    Attributes:
        made: Digests whose copies were made for sure.
        begun: Those of which nobody knows: the run was interrupted there.
    """

    made: frozenset[Digest]
    begun: frozenset[Digest]


class MigrationLedger:
    """The ledger of one source."""

    def __init__(self, store: EventStore, clock: Clock, *, source: str) -> None:
        """Keep it in *store*, under the name of *source*."""
        self._store = store
        self._clock = clock
        self._topic = f"migration:{source}"

    async def read(self) -> Copied:
        """Return what stands in it.

        Raises:
            StoreUnavailableError: The store did not answer.
        """
        opened: dict[bytes, frozenset[Digest]] = {}
        closed: set[bytes] = set()
        for event in await self._store.list_events(self._topic, since=_EVER):
            kind, rest = event.record[:1], event.record[1:]
            name, digests = rest[:_NAME_BYTES], rest[_NAME_BYTES:]
            if kind == _OPEN:
                opened[name] = frozenset(_split(digests))
            else:
                closed.add(name)
        made = frozenset[Digest]().union(*(opened[n] for n in opened.keys() & closed))
        every = frozenset[Digest]().union(*opened.values())
        return Copied(made=made, begun=every - made)

    async def open(self, digests: Collection[Digest]) -> bytes:
        """Write down that *digests*, at most ``BATCH``, are about to be copied.

        Returns:
            The name to close them by.
        """
        name = secrets.token_bytes(_NAME_BYTES)
        await self._append(_OPEN + name + b"".join(digests))
        return name

    async def close(self, name: bytes) -> None:
        """Write down that the copies have been made."""
        await self._append(_CLOSE + name)

    async def _append(self, record: bytes) -> None:
        event = Event(topic=self._topic, at=self._clock.now(), record=record)
        await self._store.append_event(event, keep=_NO_BOUND, lifetime=_LIFETIME)


def _split(digests: bytes) -> Iterable[Digest]:
    starts = range(0, len(digests), _DIGEST_BYTES)
    return (Digest(digests[start : start + _DIGEST_BYTES]) for start in starts)
