"""Copies in the store that sessions go to: made, renewed and ended, many at once."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.bulk import BulkStore, Creation
from forwardauth.sessions.migration_copies import Copies
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from tests.unit.sessions.contract import at, create_entry, everything, is_same_set


class BulkMemory(MemoryStore):
    """Makes many at once, and remembers how many that were each time."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def create_all(self, entries: Sequence[Entry]) -> tuple[Creation, ...]:
        self.sizes.append(len(entries))
        return tuple([await self._make(entry) for entry in entries])

    async def _make(self, entry: Entry) -> Creation:
        if await self.load(entry.digest) is not None:
            return Creation.IN_USE
        is_made = await self.create(entry)
        return Creation.MADE if is_made else Creation.OVERTAKEN


class OvertakenMemory(BulkMemory):
    """Ends each session of mallory before it lives."""

    async def create(self, entry: Entry) -> bool:
        return entry.owner != "mallory" and await super().create(entry)


@pytest.fixture(params=[MemoryStore, BulkMemory], ids=["one by one", "at once"])
def store(request: pytest.FixtureRequest) -> SessionStore:
    """An empty store of each kind."""
    made: SessionStore = request.param()
    return made


async def test_copies_are_made_beside_those_that_are_there(store: SessionStore) -> None:
    """Another run has been faster with one of them, and its copy stays."""
    entries = [create_entry() for _ in range(3)]
    there = replace(entries[1], record=b"as it was")
    await store.create(there)

    await Copies(store).make(entries)

    expected = [entries[0], there, entries[2]]
    assert is_same_set((await everything(store)).values(), expected)


async def test_many_are_asked_for_at_once() -> None:
    """A store that can is not asked one by one."""
    store = BulkMemory()

    await Copies(store).make([create_entry() for _ in range(5)])

    assert isinstance(store, BulkStore)
    assert store.sizes == [5]


async def test_overtaken_copy_is_told_and_the_others_are_made() -> None:
    """The next run finds what is there."""
    store, entry = OvertakenMemory(), create_entry()

    with pytest.raises(StoreUnavailableError):
        await Copies(store).make([create_entry(owner="mallory"), entry])

    assert await everything(store) == {entry.digest: entry}


async def test_copies_live_as_long_as_what_they_were_made_of(
    store: SessionStore,
) -> None:
    """One that is over already by then lives again; one that has ended does not."""
    used, over, ended = [create_entry() for _ in range(3)]
    for entry in (used, replace(over, expires=at(1))):
        await store.create(entry)
    later = [
        replace(each, seen=at(60), expires=at(7_200)) for each in (used, over, ended)
    ]

    await Copies(store).renew(later)

    assert await everything(store) == {e.digest: e for e in later[:2]}


async def test_ended_copies_are_counted_once(store: SessionStore) -> None:
    """Those that had ended by themselves are none of ours."""
    entries = [create_entry() for _ in range(3)]
    await Copies(store).make(entries[:2])

    ended = await Copies(store).end([entry.digest for entry in entries])

    assert ended == 2
    assert await everything(store) == {}
