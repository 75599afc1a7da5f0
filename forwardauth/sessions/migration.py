"""Sessions from one store to another, with nobody signed out and nobody back in.

    what stands in TO ─► FROM, first look: copy ─► FROM, second look: end what has gone

Laws:

1. A session that has ended in FROM, or that the journal promises to end, does not live
   in TO when a run is over. What ends in FROM after that is ended by the next run.
2. A copy that has ended in TO is not made again: it is missing before its time, which
   the ledger knows.
3. A session that nobody copied is left alone: it began in TO. The way back is no
   exception to law 1: what FROM once got from TO, and has ended, ends in TO.
4. A run may be repeated, and be cut short at any point. TO is for a service to use only
   after a run has come to its end.

Copies keep record, owner, login, last use and end, to the millisecond. Handovers, which
are worth something for a minute and once, are left behind.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from forwardauth.clock import Clock
from forwardauth.sessions.handover import parse_handover
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.migration_copies import Copies
from forwardauth.sessions.migration_ledger import (
    LINE,
    NOTHING,
    Copied,
    MigrationLedger,
)
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.waiting import gather_all

_T = TypeVar("_T")

BATCH: Final = 8 * LINE
"""Copies that are made between two looks at the ledger."""


@dataclass(slots=True, kw_only=True)
class MigrationCounts:
    """What one run has done.

    Attributes:
        copied: Sessions that TO did not have.
        present: Those that it had.
        expired: Those of FROM whose time is over, which are left behind.
        ended: Sessions that were ended in TO, since they have ended in FROM.
        withheld: Sessions of FROM that are not copied: their end is promised, or the
            copy has ended in TO.
        handovers: Left behind.
        is_settled: Whether FROM held the same at both looks.
    """

    copied: int = 0
    present: int = 0
    expired: int = 0
    ended: int = 0
    withheld: int = 0
    handovers: int = 0
    is_settled: bool = True


@dataclass(slots=True, kw_only=True)
class _Target:
    """What stands in TO.

    Attributes:
        seen: When each session was used last.
        copied: Of former runs.
        known: What FROM answers for: copies, and what it once got from here.
    """

    seen: dict[Digest, datetime] = field(default_factory=dict)
    copied: Copied = NOTHING
    known: set[Digest] = field(default_factory=set)


class SessionMigration:
    """Copies the sessions of one store to another, once."""

    def __init__(
        self,
        source: SessionStore,
        target: SessionStore,
        *,
        ledger: MigrationLedger,
        way_back: Copied = NOTHING,
        journal: RevocationJournal,
        clock: Clock,
        is_dry: bool = False,
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Keep the parts.

        Args:
            source: Read, and never written.
            target: Where the copies go.
            ledger: Of *source*, in *target*.
            way_back: What stands in the ledger of *target*, in *source*.
            journal: The promises that the service of *source* has made.
            clock: Tells what is over.
            is_dry: Whether everything is counted and nothing written.
            tell: Called with the number of entries that were read at the first look.
        """
        self._source = source
        self._target = target
        self._copies = Copies(target)
        self._ledger = ledger
        self._way_back = way_back
        self._journal = journal
        self._clock = clock
        self._is_dry = is_dry
        self._tell = tell
        self._counts = MigrationCounts()
        self._promised_logins: set[str] = set()
        self._promised_owners: set[str] = set()

    async def run(self) -> MigrationCounts:
        """Copy what is to be copied, end what is to be ended, and return the counts.

        Raises:
            StoreUnavailableError: One of the two did not answer; the next run goes on.
        """
        await self._read_promises()
        target = await self._look_at_target()
        first: set[Digest] = set()
        batch: list[Entry] = []
        read = 0
        async for entry in self._source.list_all():
            read += 1
            self._tell(read)
            if entry.digest in first or not self._is_living(entry):
                continue
            first.add(entry.digest)
            if self._is_to_be_written(entry, target):
                batch.append(entry)
            if len(batch) == BATCH:
                await self._write(batch, target)
                batch = []
        await self._write(batch, target)
        second = {entry.digest async for entry in self._live_entries()}
        await self._end(target, second)
        self._counts.is_settled = first == second
        return self._counts

    async def _read_promises(self) -> None:
        """Learn from FROM what the promises of the journal are about.

        Some say no more than a digest, of which TO could not tell the login any more.
        """
        for promise in self._journal.list_pending():
            entry = await self._source.load(promise.digest)
            if entry is not None:
                self._promised_logins.add(entry.login)
                if promise.is_for_user:
                    self._promised_owners.add(entry.owner)

    def _is_promised(self, entry: Entry) -> bool:
        return (
            entry.login in self._promised_logins
            or entry.owner in self._promised_owners
            or self._journal.covers(entry)
        )

    async def _look_at_target(self) -> _Target:
        target = _Target(copied=await self._ledger.read())
        async for entry in self._target.list_all():
            target.seen[entry.digest] = entry.seen
        # Of what was begun, the copies that are there have been made.
        for past in (target.copied, self._way_back):
            target.known |= past.made.keys() | past.begun.keys()
        return target

    async def _live_entries(self) -> AsyncIterator[Entry]:
        """Yield what lives in FROM at the second look."""
        now = self._clock.now()
        async for entry in self._source.list_all():
            is_over = entry.expires <= now or self._is_promised(entry)
            if not is_over and parse_handover(entry) is None:
                yield entry

    def _is_living(self, entry: Entry) -> bool:
        """Whether *entry* is a session that counts, counting it where it is none."""
        if parse_handover(entry) is not None:
            self._counts.handovers += 1
        elif entry.expires <= self._clock.now():
            self._counts.expired += 1
        elif self._is_promised(entry):
            self._counts.withheld += 1
        else:
            return True
        return False

    def _is_to_be_written(self, entry: Entry, target: _Target) -> bool:
        """Whether TO lacks *entry*, or has it as it was before its last use."""
        seen = target.seen.get(entry.digest)
        if seen is not None:
            self._counts.present += 1
            return entry.seen > seen or entry.digest not in target.known
        until = target.copied.made.get(entry.digest)
        if until is not None and until > self._clock.now():
            # Its copy has ended in TO before its time, and is not to come back.
            self._counts.withheld += 1
            return False
        self._counts.copied += 1
        return True

    async def _write(self, batch: Sequence[Entry], target: _Target) -> None:
        target.known |= {entry.digest for entry in batch}
        new = [entry for entry in batch if entry.digest not in target.seen]
        target.seen |= {entry.digest: entry.seen for entry in new}
        if self._is_dry or not batch:
            return
        pages = list(_pages(batch))
        names = await gather_all(*map(self._ledger.open, pages))
        await self._copies.make(new)
        fresh = {entry.digest for entry in new}
        await self._copies.renew([each for each in batch if each.digest not in fresh])
        await gather_all(*map(self._ledger.close, names))

    async def _end(self, target: _Target, living: set[Digest]) -> None:
        """End what stands in TO and FROM answers for, if nothing of it lives there."""
        gone = [*((target.known & target.seen.keys()) - living)]
        if self._is_dry:
            self._counts.ended = len(gone)
            return
        for page in _pages(gone):
            self._counts.ended += await self._copies.end(page)


def _pages(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[start : start + LINE] for start in range(0, len(items), LINE))
