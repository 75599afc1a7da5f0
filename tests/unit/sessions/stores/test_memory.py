"""The store in memory keeps the contract."""

from datetime import timedelta

import pytest

from forwardauth.sessions.events import Event, EventStore
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from tests.support.clock import START
from tests.unit.sessions.contract import StoreContract, at, create_entry
from tests.unit.sessions.event_contract import (
    MONTH,
    EventStoreContract,
    append,
    create_event,
)


class TestMemoryStore(StoreContract):
    """The contract, kept in memory."""

    @pytest.fixture
    def store(self) -> SessionStore:
        """An empty store."""
        return MemoryStore()


class TestMemoryEvents(EventStoreContract):
    """The contract of events, kept in memory."""

    @pytest.fixture
    def events(self) -> EventStore:
        """A store without events."""
        return MemoryStore()


async def test_topics_do_not_outgrow_their_time() -> None:
    """What nobody adds to any more takes no memory after its lifetime."""
    store = MemoryStore()
    for number in range(100):
        await append(store, create_event(topic=f"user{number}"))

    await append(store, create_event(0, topic="last"), lifetime=timedelta(0))
    later = Event(topic="later", at=START + MONTH, record=b"")
    await append(store, later)

    assert list(vars(store)["_events"]) == ["later"]


async def test_indexes_do_not_outgrow_the_entries() -> None:
    """A name without entries takes no memory."""
    store = MemoryStore()
    for number in range(100):
        entry = create_entry(owner=f"user{number}", login=f"login-{number}")
        await store.create(entry)
        await store.touch(entry.digest, seen=at(60), expires=at(3_660))
        await store.delete(entry.digest)

    kept = [vars(store)[name] for name in vars(store)]

    assert kept == [{}] * len(kept)


async def test_two_stores_share_nothing() -> None:
    """Each process is for itself."""
    entry = create_entry()
    await MemoryStore().create(entry)

    assert await MemoryStore().load(entry.digest) is None
