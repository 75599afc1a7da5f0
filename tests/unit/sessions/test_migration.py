"""Sessions from one store to another: nobody signed out, nobody back in."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.events import Event
from forwardauth.sessions.handover import Handover, dump_handover
from forwardauth.sessions.ids import Digest, create_session_id, digest_of
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.migration import BATCH, MigrationCounts, SessionMigration
from forwardauth.sessions.migration_ledger import NOTHING, Copied, MigrationLedger
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from tests.support.clock import START, FakeClock
from tests.support.stored_sessions import make_live
from tests.support.stores import DownStore
from tests.unit.sessions.contract import at, create_entry


class FragileStore(DownStore):
    """Counts calls about events as well: any of them may be the last one answered."""

    async def append_event(
        self, event: Event, *, keep: int, lifetime: timedelta
    ) -> None:
        self._answer()
        await super().append_event(event, keep=keep, lifetime=lifetime)


class Move:
    """Two stores, and what a run between them needs."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.source: SessionStore = MemoryStore()
        self.target = FragileStore()
        self.journal = RevocationJournal(folder / "revocations.journal")
        self.ledger = MigrationLedger(
            self.target, self.clock, source="test", lifetime=timedelta(days=30)
        )
        self.way_back = NOTHING

    async def add(self, *entries: Entry) -> list[Entry]:
        """Keep *entries* in the source, and return them."""
        for entry in entries:
            assert await self.source.create(entry)
        return list(entries)

    async def run(self, *, is_dry: bool = False) -> MigrationCounts:
        """Run once."""
        migration = SessionMigration(
            self.source,
            self.target,
            ledger=self.ledger,
            way_back=self.way_back,
            journal=self.journal,
            clock=self.clock,
            is_dry=is_dry,
        )
        return await migration.run()

    async def living(self) -> set[bytes]:
        """Return the digests that stand in the target."""
        return {entry.digest async for entry in self.target.list_all()}

    def promise(self, entry: Entry, *, is_for_user: bool = False) -> None:
        """Promise the end of *entry*, of which no more is known than its digest."""
        self.journal.check_writable()
        promise = PendingRevocation(
            digest=entry.digest,
            login=None,
            owner=None,
            cause="user",
            until=START + timedelta(days=30),
            is_for_user=is_for_user,
        )
        self.journal.add(promise)


@pytest.fixture
def move(tmp_path: Path) -> Move:
    """Two empty stores."""
    return Move(tmp_path)


async def test_entries_are_copied_as_they_are(move: Move) -> None:
    """Record, owner, login, last use and end; the source keeps its own."""
    entries = await move.add(
        create_entry(),
        create_entry(owner="bob", login="login-2", record=b'{"v":9,"new":1}'),
        create_entry(seen=at(0.123), lifetime=timedelta(days=3)),
    )

    counts = await move.run()

    assert counts == MigrationCounts(copied=3)
    for entry in entries:
        assert await move.target.load(entry.digest) == entry
        assert await move.source.load(entry.digest) == entry


async def test_many_are_copied_in_batches(move: Move) -> None:
    """However many, each once."""
    entries = await move.add(*(create_entry() for _ in range(2 * BATCH + 5)))

    counts = await move.run()

    assert counts.copied == len(entries)
    assert await move.living() == {entry.digest for entry in entries}


async def test_linked_sessions_stay_linked(move: Move) -> None:
    """The end of one ends the other in the new store as well."""
    await move.add(create_entry(login="one"), create_entry(login="one"))
    await move.run()

    ended = await move.target.delete_login("one")

    assert len(ended) == 2


async def test_second_run_copies_nothing_twice(move: Move) -> None:
    """It counts what is there, and moves the times that have moved."""
    (entry,) = await move.add(create_entry())
    await move.run()
    await move.source.touch(entry.digest, seen=at(60), expires=at(7200))

    counts = await move.run()

    assert counts == MigrationCounts(present=1)
    kept = await move.target.load(entry.digest)
    assert kept is not None
    assert (kept.seen, kept.expires) == (at(60), at(7200))


async def test_dry_run_writes_nothing(move: Move) -> None:
    """It counts what a run would do, and leaves not even a ledger."""
    await move.add(create_entry(), create_entry())

    counts = await move.run(is_dry=True)

    assert counts == MigrationCounts(copied=2)
    assert await move.living() == set()
    assert await move.ledger.read() == NOTHING


async def test_session_that_has_ended_in_between_is_ended_in_the_target(
    move: Move,
) -> None:
    """A logout between two runs reaches the copy."""
    gone, stays = await move.add(create_entry(), create_entry())
    await move.run()
    await move.source.delete(gone.digest)

    counts = await move.run()

    assert counts == MigrationCounts(present=1, ended=1)
    assert await move.living() == {stays.digest}


async def test_session_that_ends_while_it_is_copied_does_not_stay(move: Move) -> None:
    """The second look at the source ends the copy, and says that it has changed."""
    entries = [create_entry() for _ in range(3)]

    class Leaving(MemoryStore):
        """Signs one out as soon as all have been read."""

        is_first = True

        async def list_all(self) -> AsyncIterator[Entry]:
            async for entry in super().list_all():
                yield entry
            if self.is_first:
                self.is_first = False
                await self.delete(entries[1].digest)

    move.source = Leaving()
    await move.add(*entries)

    counts = await move.run()

    assert await move.living() == {entries[0].digest, entries[2].digest}
    assert counts == MigrationCounts(copied=3, ended=1, is_settled=False)


async def test_copy_that_has_ended_in_the_target_is_not_made_again(move: Move) -> None:
    """Who has signed out at the new store stays signed out."""
    (entry,) = await move.add(create_entry())
    await move.run()
    await move.target.delete(entry.digest)

    counts = await move.run()

    assert counts == MigrationCounts(withheld=1)
    assert await move.living() == set()


async def test_copy_whose_time_was_over_is_made_again(move: Move) -> None:
    """Hours between two runs sign nobody out who was there meanwhile."""
    (entry,) = await move.add(create_entry())
    await move.run()
    await move.source.touch(entry.digest, seen=at(3000), expires=at(6600))
    # The new store has forgotten it, as Redis does.
    await move.target.delete(entry.digest)
    move.clock.advance(timedelta(seconds=4000))

    counts = await move.run()

    assert counts == MigrationCounts(copied=1)
    kept = await move.target.load(entry.digest)
    assert kept is not None
    assert kept.expires == at(6600)


async def test_copy_that_is_over_and_still_stands_lives_again(move: Move) -> None:
    """No use prolongs what was over before it; the session itself was not."""
    (entry,) = await move.add(create_entry())
    await move.run()
    for seen in (3000, 6000):
        await move.source.touch(entry.digest, seen=at(seen), expires=at(seen + 3600))

    await move.run()

    kept = await move.target.load(entry.digest)
    assert kept is not None
    assert (kept.seen, kept.expires) == (at(6000), at(9600))


async def test_renewed_copy_that_has_ended_is_not_made_again(move: Move) -> None:
    """The ledger knows until when it was to live after the last run, too."""
    (entry,) = await move.add(create_entry())
    await move.run()
    await move.source.touch(entry.digest, seen=at(3000), expires=at(6600))
    await move.run()
    await move.target.delete(entry.digest)
    move.clock.advance(timedelta(seconds=4000))

    counts = await move.run()

    assert counts == MigrationCounts(withheld=1)


async def test_way_back_brings_nobody_back(move: Move) -> None:
    """What FROM once got from TO and has ended, ends in TO, where it still stood."""
    ended, lives = create_entry(), create_entry()
    for entry in (ended, lives):
        await move.target.create(entry)
    await move.add(lives)
    copies = {entry.digest: entry.expires for entry in (ended, lives)}
    move.way_back = Copied(made=copies, begun={})

    counts = await move.run()

    assert counts == MigrationCounts(present=1, ended=1)
    assert await move.living() == {lives.digest}


async def test_session_of_the_target_is_left_alone(move: Move) -> None:
    """Who has signed in at the new store is no copy of anybody."""
    own = create_entry(owner="carol")
    await move.target.create(own)
    await move.add(create_entry())

    await move.run()
    await move.run()

    assert own.digest in await move.living()


async def test_session_that_was_there_before_is_known_from_then_on(move: Move) -> None:
    """One that came with a copy of the file ends with its original."""
    (entry,) = await move.add(create_entry())
    await move.target.create(entry)
    await move.run()
    await move.source.delete(entry.digest)

    counts = await move.run()

    assert counts.ended == 1
    assert await move.living() == set()


@pytest.mark.parametrize("calls", range(1, 12))
async def test_interrupted_run_is_completed_by_the_next(move: Move, calls: int) -> None:
    """Wherever the target went away, nobody is signed out and nobody is back."""
    gone, *stay = await move.add(*(create_entry() for _ in range(4)))
    move.target.calls_left = calls
    with contextlib.suppress(StoreUnavailableError):
        await move.run()
    move.target.come_back()
    await move.source.delete(gone.digest)

    await move.run()

    assert await move.living() == {entry.digest for entry in stay}


async def test_unanswered_second_look_ends_nobody(move: Move) -> None:
    """A source that stops answering is no source in which everybody has gone."""
    source = DownStore()
    move.source = source
    entries = await move.add(*(create_entry() for _ in range(3)))
    await move.run()
    source.calls_left = 1

    with pytest.raises(StoreUnavailableError):
        await move.run()

    assert await move.living() == {entry.digest for entry in entries}


async def test_what_is_over_is_left_behind(move: Move) -> None:
    """An expired session is nobody's, and has nothing to do in the new store."""
    await move.add(create_entry(lifetime=timedelta(minutes=1)))
    move.clock.advance(timedelta(minutes=1))

    counts = await move.run()

    assert counts == MigrationCounts(expired=1)
    assert await move.living() == set()


async def test_codes_between_portals_are_left_behind(move: Move) -> None:
    """One that is used at the old store could be used once more at the new one."""
    live = make_live(now=START)
    handover = Handover(
        domain="example.org",
        binding="b",
        parent=live.digest,
        expires=START + timedelta(seconds=60),
    )
    await move.add(dump_handover(handover, live, digest_of(create_session_id())))

    counts = await move.run()

    assert counts == MigrationCounts(handovers=1)
    assert await move.living() == set()


@pytest.mark.parametrize("is_for_user", [False, True])
async def test_promised_end_takes_what_it_covers_along(
    move: Move, is_for_user: bool
) -> None:
    """The source alone knows which login, and which user, the promise is about."""
    promised, linked, other = await move.add(
        create_entry(login="one"),
        create_entry(login="one"),
        create_entry(login="two"),
    )
    move.promise(promised, is_for_user=is_for_user)

    counts = await move.run()

    assert linked.digest not in await move.living()
    assert (other.digest in await move.living()) is not is_for_user
    assert counts.withheld == (3 if is_for_user else 2)


async def test_end_that_is_promised_later_reaches_the_copy(move: Move) -> None:
    """What a former run has copied is ended by the next."""
    (entry,) = await move.add(create_entry())
    await move.run()
    move.promise(entry)

    counts = await move.run()

    assert counts.ended == 1
    assert await move.living() == set()


async def test_two_runs_at_once_do_no_harm(move: Move) -> None:
    """Each session is there once, and none is lost."""
    entries = await move.add(*(create_entry() for _ in range(BATCH + 3)))

    await asyncio.gather(move.run(), move.run())

    assert await move.living() == {entry.digest for entry in entries}
    assert (await move.run()).present == len(entries)


async def test_entry_that_is_told_twice_is_copied_once(move: Move) -> None:
    """A store may tell of one more than once."""
    entry = create_entry()

    class Stammering(MemoryStore):
        async def list_all(self) -> AsyncIterator[Entry]:
            async for each in super().list_all():
                yield each
                yield replace(each)

    move.source = Stammering()
    await move.add(entry)

    assert await move.run() == MigrationCounts(copied=1)


async def test_promise_about_a_session_that_is_gone_keeps_nobody_back(
    move: Move,
) -> None:
    """What has been carried out already says nothing about those who are left."""
    (entry,) = await move.add(create_entry())
    move.promise(create_entry())

    counts = await move.run()

    assert counts.withheld == 0
    assert await move.living() == {entry.digest}


async def test_copy_that_another_run_has_just_made_is_one(move: Move) -> None:
    """Who comes second finds what it wanted."""

    class Raced(FragileStore):
        """Where another run is always faster."""

        async def create(self, entry: Entry) -> bool:
            await super().create(entry)
            return await super().create(entry)

    move.target = Raced()
    (entry,) = await move.add(create_entry())

    await move.run()

    assert await move.living() == {entry.digest}


async def test_copy_that_is_overtaken_by_an_end_is_told(move: Move) -> None:
    """Nobody is told that all are there when one could not be made."""

    class Ending(FragileStore):
        """Where a user ends all sessions while one is made."""

        async def create(self, entry: Entry) -> bool:  # noqa: ARG002 - of the protocol
            return False

    move.target = Ending()
    await move.add(create_entry())

    with pytest.raises(StoreUnavailableError, match="run it again"):
        await move.run()


async def test_copy_that_somebody_else_has_ended_is_not_counted(move: Move) -> None:
    """The sum tells what this run has ended, and no more."""

    class Raced(FragileStore):
        """Where somebody else is always faster to end a session."""

        async def delete(self, digest: Digest) -> Entry | None:
            await super().delete(digest)
            return await super().delete(digest)

    move.target = Raced()
    move.ledger = MigrationLedger(
        move.target, move.clock, source="test", lifetime=timedelta(days=30)
    )
    (entry,) = await move.add(create_entry())
    await move.run()
    await move.source.delete(entry.digest)

    counts = await move.run()

    assert counts.ended == 0
    assert await move.living() == set()
