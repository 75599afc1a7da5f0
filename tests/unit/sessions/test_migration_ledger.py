"""What a migration remembers of its copies."""

from dataclasses import replace
from datetime import timedelta

import pytest

from forwardauth.sessions.migration_ledger import LINE, MigrationLedger
from forwardauth.sessions.stores.memory import MemoryStore
from tests.support.clock import START, FakeClock
from tests.unit.sessions.contract import at, create_entry

MONTH = timedelta(days=30)
ENTRIES = [create_entry() for _ in range(LINE)]
COPIES = {entry.digest: entry.expires for entry in ENTRIES}


def ledger_in(store: MemoryStore, *, source: str = "a") -> MigrationLedger:
    """Return the ledger of *source* in *store*."""
    return MigrationLedger(store, FakeClock(), source=source, lifetime=MONTH)


@pytest.fixture
def store() -> MemoryStore:
    """Where it is kept."""
    return MemoryStore()


@pytest.fixture
def ledger(store: MemoryStore) -> MigrationLedger:
    """An empty one."""
    return ledger_in(store)


async def test_copies_are_made_when_they_are_closed(ledger: MigrationLedger) -> None:
    """Until then nobody knows."""
    name = await ledger.open(ENTRIES)
    begun = await ledger.read()
    await ledger.close(name)
    made = await ledger.read()

    assert (begun.made, begun.begun) == ({}, COPIES)
    assert (made.made, made.begun) == (COPIES, {})


async def test_batch_that_was_begun_again_is_made(ledger: MigrationLedger) -> None:
    """An interrupted attempt does not spoil the one after it."""
    await ledger.open(ENTRIES[:2])
    await ledger.close(await ledger.open(ENTRIES[1:3]))

    copied = await ledger.read()

    assert set(copied.made) == {entry.digest for entry in ENTRIES[1:3]}
    assert set(copied.begun) == {ENTRIES[0].digest}


async def test_last_end_of_a_copy_counts(ledger: MigrationLedger) -> None:
    """It was written down again when the copy was renewed."""
    entry = create_entry()
    later = replace(entry, expires=at(7200))
    for each in (later, entry):
        await ledger.close(await ledger.open([each]))

    assert (await ledger.read()).made == {entry.digest: at(7200)}


async def test_sources_have_ledgers_of_their_own(
    store: MemoryStore, ledger: MigrationLedger
) -> None:
    """What came from one store is not gone because another never had it."""
    await ledger.close(await ledger.open(ENTRIES))

    assert not (await ledger_in(store, source="b").read()).made


async def test_line_of_a_whole_batch_is_an_event(
    store: MemoryStore, ledger: MigrationLedger
) -> None:
    """It fits into what a store of events promises to keep."""
    await ledger.open(ENTRIES)

    (event,) = await store.list_events("migration:a", since=START)

    assert len(event.record) <= 1024
