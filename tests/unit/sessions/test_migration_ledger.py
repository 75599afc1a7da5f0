"""What a migration remembers of its copies."""

import pytest

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.migration_ledger import BATCH, MigrationLedger
from forwardauth.sessions.stores.memory import MemoryStore
from tests.support.clock import FakeClock

DIGESTS = [Digest(bytes([number]) * 32) for number in range(BATCH)]


@pytest.fixture
def store() -> MemoryStore:
    """Where it is kept."""
    return MemoryStore()


@pytest.fixture
def ledger(store: MemoryStore) -> MigrationLedger:
    """An empty one."""
    return MigrationLedger(store, FakeClock(), source="a")


async def test_copies_are_made_when_they_are_closed(ledger: MigrationLedger) -> None:
    """Until then nobody knows."""
    name = await ledger.open(DIGESTS)
    begun = await ledger.read()
    await ledger.close(name)
    made = await ledger.read()

    assert (begun.made, begun.begun) == (frozenset(), frozenset(DIGESTS))
    assert (made.made, made.begun) == (frozenset(DIGESTS), frozenset())


async def test_batch_that_was_begun_again_is_made(ledger: MigrationLedger) -> None:
    """An interrupted attempt does not spoil the one after it."""
    await ledger.open(DIGESTS[:2])
    await ledger.close(await ledger.open(DIGESTS[1:3]))

    copied = await ledger.read()

    assert copied.made == frozenset(DIGESTS[1:3])
    assert copied.begun == frozenset(DIGESTS[:1])


async def test_sources_have_ledgers_of_their_own(
    store: MemoryStore, ledger: MigrationLedger
) -> None:
    """What came from one store is not gone because another never had it."""
    await ledger.close(await ledger.open(DIGESTS))

    other = await MigrationLedger(store, FakeClock(), source="b").read()

    assert not other.made


async def test_line_of_a_whole_batch_is_an_event(
    store: MemoryStore, ledger: MigrationLedger
) -> None:
    """It fits into what a store of events promises to keep."""
    await ledger.open(DIGESTS)

    clock = FakeClock()
    (event,) = await store.list_events("migration:a", since=clock.now())

    assert len(event.record) <= 1024
