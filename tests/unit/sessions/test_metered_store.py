"""The store that is timed keeps the contract, and tells of each call once."""

import asyncio
from datetime import datetime

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import Found, Question
from forwardauth.sessions.metered_store import (
    BATCH,
    MeteredBatches,
    MeteredStore,
    StoreOutcome,
)
from forwardauth.sessions.rows import NoGlanceError
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from tests.support.deferred_store import DeferredStore
from tests.support.stores import DownStore
from tests.unit.sessions.contract import StoreContract, at, create_entry


class Observed:
    """What has been told of the store."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.seconds: list[float] = []

    def __call__(self, operation: str, outcome: StoreOutcome, seconds: float) -> None:
        self.calls.append((operation, outcome))
        self.seconds.append(seconds)


class TestMeteredStore(StoreContract):
    """The contract, kept through the meter."""

    @pytest.fixture
    def store(self) -> SessionStore:
        """An empty store in memory."""
        return MeteredStore(MemoryStore(), Observed())


async def call_all(store: SessionStore, entry: Entry, now: datetime) -> list[str]:
    """Call every operation that is timed; return their names."""
    calls = {
        "create": store.create(entry),
        "load": store.load(entry.digest),
        "touch": store.touch(entry.digest, seen=at(9), expires=at(3_609)),
        "list_owner": store.list_owner("alice"),
        "list_expired": store.list_expired(now, limit=1),
        "count": store.count(),
        "ping": store.ping(),
        "delete": store.delete(entry.digest),
        "delete_login": store.delete_login("login"),
        "delete_owner": store.delete_owner("alice"),
    }
    await asyncio.gather(*calls.values(), return_exceptions=True)
    return [*calls]


async def test_each_call_is_told_once() -> None:
    """By the name of the operation, with how long it took."""
    observed = Observed()
    store = MeteredStore(MemoryStore(), observed)

    names = await call_all(store, create_entry(), at(0))

    assert sorted(observed.calls) == sorted((name, "ok") for name in names)
    assert all(0 <= seconds < 60 for seconds in observed.seconds)


async def test_outage_is_told_as_such_and_stays_one() -> None:
    """Who asked still gets the error."""
    observed, down = Observed(), DownStore()
    down.go_down()
    store = MeteredStore(down, observed)

    names = await call_all(store, create_entry(), at(0))
    with pytest.raises(StoreUnavailableError):
        await store.load(create_entry().digest)

    expected = [*((name, "unavailable") for name in names), ("load", "unavailable")]
    assert sorted(observed.calls) == sorted(expected)


async def test_fault_is_neither_success_nor_outage() -> None:
    """A mistake of ours is counted as one."""
    observed = Observed()
    store = MeteredStore(MemoryStore(), observed)
    entry = create_entry()
    await store.create(entry)

    with pytest.raises(ValueError, match="digest"):
        await store.create(entry)

    assert observed.calls == [("create", "ok"), ("create", "fault")]


async def test_call_that_was_given_up_is_not_told() -> None:
    """How long it would have taken, nobody knows."""

    class Hung(MemoryStore):
        async def ping(self) -> None:
            await asyncio.Event().wait()

    observed = Observed()
    task = asyncio.create_task(MeteredStore(Hung(), observed).ping())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert observed.calls == []


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (None, "ok"),
        (lambda: StoreUnavailableError("down"), "unavailable"),
        (NoGlanceError, "fault"),
    ],
    ids=["found", "outage", "another way"],
)
async def test_batch_is_told_once_for_all_of_it(fault: object, outcome: str) -> None:
    """Everybody in it is told what the store has told."""
    observed, store = Observed(), DeferredStore()
    store.fault = fault  # type: ignore[assignment]
    entries = [create_entry(), create_entry(), create_entry()]
    await store.create(entries[0])
    found: list[Found] = []

    MeteredBatches(store, observed).ask(
        [Question(each.digest, lambda it, _: found.append(it)) for each in entries]
    )
    await asyncio.sleep(0.001)

    assert len(found) == 3
    assert observed.calls == [(BATCH, outcome)]
    assert store.batches == [3]
