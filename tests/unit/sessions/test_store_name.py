"""The name that a store keeps of itself."""

import asyncio
from datetime import timedelta

from forwardauth.sessions.store_name import give_name, lookup_name
from forwardauth.sessions.stores.memory import MemoryStore
from tests.support.clock import FakeClock

MONTH = timedelta(days=30)


async def test_store_has_no_name_before_it_is_given_one() -> None:
    """Looking gives none."""
    store = MemoryStore()

    assert await lookup_name(store) is None
    assert await lookup_name(store) is None


async def test_name_stays() -> None:
    """Whoever asks, however often, and for as long as somebody does."""
    store, clock = MemoryStore(), FakeClock()
    name = await give_name(store, clock, lifetime=MONTH)
    for _ in range(3):
        clock.advance(timedelta(days=20))
        assert await give_name(store, clock, lifetime=MONTH) == name

    assert await lookup_name(store) == name


async def test_two_stores_have_two_names() -> None:
    """That is what names are for."""
    names = [
        await give_name(MemoryStore(), FakeClock(), lifetime=MONTH) for _ in range(2)
    ]

    assert names[0] != names[1]


async def test_two_who_name_at_once_agree() -> None:
    """The first name counts for both."""
    store, clock = MemoryStore(), FakeClock()

    names = await asyncio.gather(
        *(give_name(store, clock, lifetime=MONTH) for _ in range(5))
    )

    assert len(set(names)) == 1
