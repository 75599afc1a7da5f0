"""Sessions from one store to another, with nobody signed out and nobody back in.

    what stands in TO ─► FROM, first look: copy ─► FROM, second look: end what has gone

Laws:

1. A session that has ended in FROM, or that the journal promises to end, does not live
   in TO when a run is over. What ends in FROM after that is ended by the next run.
2. A copy that has ended in TO is not made again: the ledger knows it.
3. A session that nobody copied is left alone: it began in TO.
4. A run may be repeated, and be cut short at any point. TO is for a service to use only
   after a run has come to its end.

Copies keep record, owner, login, last use and end, to the millisecond. Handovers, which
are worth something for a minute and once, are left behind.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.handover import parse_handover
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.migration_ledger import BATCH, Copied, MigrationLedger
from forwardauth.sessions.store import Entry, SessionStore


@dataclass(slots=True, kw_only=True)
class MigrationCounts:
    """What one run has done.

    Attributes:
        copied: Sessions that TO did not have.
        present: Those that it had, of a former run.
        expired: Those of FROM whose time is over, which are left behind.
        ended: Copies that were ended in TO, since they have ended in FROM.
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


@dataclass(slots=True)
class _Target:
    """What stands in TO, and what of it is ours."""

    seen: dict[Digest, datetime] = field(default_factory=dict)
    made: set[Digest] = field(default_factory=set)
    begun: frozenset[Digest] = frozenset()


class SessionMigration:
    """Copies the sessions of one store to another, once."""

    def __init__(
        self,
        source: SessionStore,
        target: SessionStore,
        *,
        ledger: MigrationLedger,
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
            journal: The promises that the service of *source* has made.
            clock: Tells what is over.
            is_dry: Whether everything is counted and nothing written.
            tell: Called with the number of entries that were read at the first look.
        """
        self._source = source
        self._target = target
        self._ledger = ledger
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
            StoreUnavailableError: One of the two did not answer. What was done so far
                stands, and the next run goes on with it.
        """
        await self._read_promises()
        copied = await self._ledger.read()
        target = await self._look_at_target(copied)
        first: set[Digest] = set()
        batch: list[Entry] = []
        read = 0
        async for entry in self._source.list_all():
            read += 1
            if entry.digest in first:
                continue
            if self._is_living(entry):
                first.add(entry.digest)
                if await self._is_new(entry, target):
                    batch.append(entry)
            if len(batch) == BATCH:
                await self._copy(batch, target)
                batch = []
            self._tell(read)
        await self._copy(batch, target)
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

    async def _look_at_target(self, copied: Copied) -> _Target:
        target = _Target(made=set(copied.made), begun=copied.begun)
        async for entry in self._target.list_all():
            target.seen[entry.digest] = entry.seen
        # Of what was begun, the copies that are there have been made.
        target.made |= {each for each in copied.begun if each in target.seen}
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

    async def _is_new(self, entry: Entry, target: _Target) -> bool:
        """Whether TO lacks *entry*; one that it has is brought up to date."""
        seen = target.seen.get(entry.digest)
        if seen is None and entry.digest in target.made:
            # Its copy has ended in TO, and is not to come back.
            self._counts.withheld += 1
            return False
        if seen is None:
            return True
        self._counts.present += 1
        if self._is_dry:
            return False
        if entry.digest not in target.made:
            # It came another way, and is the same: its end counts from now on, too.
            await self._ledger.close(await self._ledger.open([entry.digest]))
            target.made.add(entry.digest)
        if entry.seen > seen:
            await self._target.touch(
                entry.digest, seen=entry.seen, expires=entry.expires
            )
        return False

    async def _copy(self, batch: Sequence[Entry], target: _Target) -> None:
        if batch and not self._is_dry:
            name = await self._ledger.open([entry.digest for entry in batch])
            answers = await asyncio.gather(
                *map(self._create, batch), return_exceptions=True
            )
            for answer in answers:
                if answer is not None:
                    raise answer
            await self._ledger.close(name)
        self._counts.copied += len(batch)
        for entry in batch:
            target.made.add(entry.digest)
            target.seen[entry.digest] = entry.seen

    async def _create(self, entry: Entry) -> None:
        try:
            if await self._target.create(entry):
                return
        except ValueError:
            # Another run was faster.
            return
        message = "sessions are ended in TO at the same time: run it again"
        raise StoreUnavailableError(message)

    async def _end(self, target: _Target, living: set[Digest]) -> None:
        """End the copies in TO of which FROM has nothing that lives."""
        for digest in (target.made & target.seen.keys()) - living:
            if self._is_dry or await self._target.delete(digest) is not None:
                self._counts.ended += 1
