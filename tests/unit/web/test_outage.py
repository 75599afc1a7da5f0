"""An outage has one line when it begins and one when it ends, however many meet it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.web.outage import LOOK_SECONDS, StoreOutage


class _Store(MemoryStore):
    """A store that may be away, and counts who asks whether it is back."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = True
        self.pings = 0

    async def ping(self) -> None:
        self.pings += 1
        if self.is_away:
            raise StoreUnavailableError("away")


class _Sleep:
    """Lets one look after the other happen when the test says so."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._turns = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._turns.acquire()

    async def end_one(self) -> None:
        self._turns.release()
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
def store() -> _Store:
    """A store that is away."""
    return _Store()


@pytest.fixture
def sleep() -> _Sleep:
    """Sleep without time."""
    return _Sleep()


@pytest.fixture
async def outage(store: _Store, sleep: _Sleep) -> AsyncIterator[StoreOutage]:
    """Looks after the store."""
    outage = StoreOutage(store, sleep=sleep)
    yield outage
    await outage.close()


async def test_outage_is_told_with_cause_and_remedy(
    outage: StoreOutage, caplog: pytest.LogCaptureFixture
) -> None:
    """A thousand refused requests are one line."""
    for _ in range(1_000):
        outage.note(StoreUnavailableError("the disk is full", remedy="make room"))

    (line,) = caplog.messages
    assert line.endswith("the disk is full; make room")


async def test_end_is_told_although_nobody_asks_for_anything(
    outage: StoreOutage,
    store: _Store,
    sleep: _Sleep,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The store is asked once a second until it answers."""
    outage.note(StoreUnavailableError("away"))
    await asyncio.sleep(0)
    await sleep.end_one()
    store.is_away = False
    await sleep.end_one()

    assert "answers again" in caplog.messages[-1]
    assert store.pings == 2
    assert sleep.slept == [LOOK_SECONDS, LOOK_SECONDS]


async def test_next_outage_is_told_as_new(
    outage: StoreOutage,
    store: _Store,
    sleep: _Sleep,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that has ended leaves nothing behind."""
    store.is_away = False
    for _ in range(2):
        outage.note(StoreUnavailableError("away"))
        await asyncio.sleep(0)
        await sleep.end_one()

    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"] * 2


async def test_close_ends_the_looking(
    outage: StoreOutage, store: _Store, sleep: _Sleep
) -> None:
    """Nothing asks a store that is closed; closing without an outage is no error."""
    idle = StoreOutage(store, sleep=sleep)
    outage.note(StoreUnavailableError("away"))
    await asyncio.sleep(0)

    await outage.close()
    await idle.close()
    await sleep.end_one()

    assert store.pings == 0
