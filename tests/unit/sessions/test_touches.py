"""Tests of touches: what is used often is written seldom, and what is noted is kept."""

import asyncio
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Final

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions import touches as module
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.touches import AT_ONCE, HURRY_MS, MAX_NOTED, MOMENT, Touches
from tests.support.until import until

SOON: Final = timedelta(milliseconds=1)
LATER: Final = timedelta(hours=1)
INTERVAL: Final = timedelta(minutes=6)
USED_MS: Final = 1_000_000_000
WHO: Final = ContextVar("WHO", default="nobody")


class Noting(MemoryStore):
    """Has every session, last used at 0; notes what is written, and may hold it up."""

    def __init__(self) -> None:
        super().__init__()
        self.touched: list[tuple[Digest, datetime, datetime]] = []
        self.seen: dict[Digest, datetime] = {}
        self.under_way = 0
        self.most_at_once = 0
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.fault: Exception | None = None
        self.whose: set[str] = set()

    async def load(self, digest: Digest) -> Entry | None:
        seen = self.seen.get(digest, from_ms(0))
        return Entry(
            digest=digest,
            owner="alice",
            login="login",
            record=b"",
            seen=seen,
            expires=from_ms(2 * USED_MS),
        )

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        self.whose.add(WHO.get())
        try:
            await self.is_open.wait()
            await asyncio.sleep(0)
        finally:
            self.under_way -= 1
        if self.fault is not None:
            raise self.fault
        self.touched.append((digest, seen, expires))
        self.seen[digest] = seen
        return True

    @property
    def digests(self) -> list[Digest]:
        """Whose uses were written, in order."""
        return [each[0] for each in self.touched]


@pytest.fixture
def store() -> Noting:
    """A store that takes everything at once."""
    return Noting()


def start(store: Noting, *, moment: timedelta = SOON) -> Touches:
    """Return touches that wait for *moment*."""
    return Touches(store, interval=INTERVAL, moment=moment)


def digests(count: int) -> Iterator[Digest]:
    """Yield different digests."""
    return (Digest(number.to_bytes(32)) for number in range(count))


def note(
    touches: Touches, digest: Digest, *, used_ms: int = USED_MS, left_ms: int = 600_000
) -> None:
    """Note a use that prolongs a session with *left_ms* to live to an hour."""
    touches.note(
        digest,
        seen_ms=used_ms,
        expires_ms=used_ms + 3_600_000,
        ends_ms=used_ms + left_ms,
    )


async def turns(count: int = 20) -> None:
    """Let the event loop go round some times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_uses_of_a_moment_are_written_together(store: Noting) -> None:
    """Nothing is written while the request is answered, all of it soon after (V-44)."""
    touches = start(store)
    store.is_open.clear()

    for digest in digests(3):
        note(touches, digest)
    at_once = store.under_way
    await until(lambda: store.under_way == 3)
    store.is_open.set()
    await touches.close()

    assert at_once == 0
    assert store.touched[0][1:] == (from_ms(USED_MS), from_ms(USED_MS + 3_600_000))


async def test_moment_is_waited_for(store: Noting) -> None:
    """Those who come a little later are written about with the first (V-44)."""
    touches = start(store, moment=LATER)
    for digest in digests(3):
        note(touches, digest)
        await turns()

    assert store.under_way == 0
    assert store.touched == []
    assert timedelta() < MOMENT < timedelta(milliseconds=HURRY_MS) / 10
    await touches.close()


async def test_last_use_before_the_write_counts(store: Noting) -> None:
    """However long a use had to wait, the session lives from the last one on (V-44)."""
    touches = start(store, moment=LATER)
    (digest,) = digests(1)

    note(touches, digest)
    note(touches, digest, used_ms=USED_MS + 5)
    await touches.close()

    assert [each[1] for each in store.touched] == [from_ms(USED_MS + 5)]


async def test_session_is_written_about_once_at_a_time(store: Noting) -> None:
    """Whoever clicks on while the store is slow causes no second write (V-44)."""
    store.is_open.clear()
    touches = start(store)
    (digest,) = digests(1)
    note(touches, digest)
    await until(lambda: store.under_way == 1)

    note(touches, digest, used_ms=USED_MS + 5, left_ms=500)
    await turns()
    at_once = store.under_way
    store.is_open.set()
    await touches.close()

    assert at_once == 1
    assert store.digests == [digest]


async def test_use_that_another_worker_has_recorded_is_not_written(
    store: Noting,
) -> None:
    """Four workers that are asked for one page write one use (V-44)."""
    mine, theirs = digests(2)
    touches = start(store)
    used = from_ms(USED_MS)
    store.seen = {mine: used - INTERVAL, theirs: used - INTERVAL + SOON}

    note(touches, mine)
    note(touches, theirs)
    await touches.close()

    assert store.digests == [mine]


async def test_ended_session_is_not_written_about() -> None:
    """What is gone by then stays gone (L-5, V-44)."""
    store = MemoryStore()
    touches = Touches(store, interval=INTERVAL)
    (digest,) = digests(1)

    note(touches, digest)
    await touches.close()

    assert await store.count() == 0


async def test_use_that_comes_during_a_write_is_written_next(store: Noting) -> None:
    """What is noted behind a slow write is not forgotten (V-44)."""
    store.is_open.clear()
    touches = start(store)
    first, second = digests(2)
    note(touches, first)
    await until(lambda: store.under_way == 1)

    note(touches, second)
    store.is_open.set()
    await until(lambda: len(store.touched) == 2)
    third, *_ = reversed([*digests(3)])
    note(touches, third)

    await until(lambda: len(store.touched) == 3)
    assert store.most_at_once == 1


async def test_many_uses_do_not_keep_the_loop_busy(store: Noting) -> None:
    """A crowd that comes back at the same moment is written some at a time."""
    touches = start(store)

    for digest in digests(100):
        note(touches, digest)
    await touches.close()

    assert sorted(store.digests) == [*digests(100)]
    assert store.most_at_once == AT_ONCE


async def test_slow_part_of_a_store_holds_up_nobody_else(store: Noting) -> None:
    """While one machine of a cluster hangs, what is on the others is written."""
    slow, *others = digests(100)
    hanging = asyncio.Event()
    touch = store.touch

    async def hang(digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        if digest == slow:
            await hanging.wait()
        return await touch(digest, seen=seen, expires=expires)

    store.touch = hang  # type: ignore[method-assign]  # of this one store
    touches = start(store)
    for digest in (slow, *others):
        note(touches, digest)

    await until(lambda: sorted(store.digests) == others)
    for number, left_ms in enumerate((600_000, 500), 1000):
        note(touches, Digest(number.to_bytes(32)), left_ms=left_ms)
        await until(lambda: len(store.touched) == len(others) + 1)
        store.touched.pop()
    hanging.set()
    await touches.close()


@pytest.mark.parametrize("left_ms", [600_000, 500], ids=["long", "short"])
async def test_uses_that_wait_are_bounded(store: Noting, left_ms: int) -> None:
    """A store that takes nothing for a while costs no more than some memory."""
    touches = start(store, moment=LATER)

    for digest in digests(MAX_NOTED + 1):
        note(touches, digest, left_ms=left_ms)
    await until(lambda: left_ms < HURRY_MS or not store.under_way)
    await touches.close()

    assert len(store.touched) == MAX_NOTED


@pytest.mark.parametrize(
    "fault", [StoreUnavailableError("down"), RuntimeError("broken")]
)
async def test_fault_loses_a_touch_and_no_more(
    store: Noting, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """The next use of the session is noted again; an outage is no fault (V-44)."""
    caplog.set_level("DEBUG", "forwardauth.sessions")
    touches = start(store)
    (digest,) = digests(1)
    store.fault = fault
    note(touches, digest)
    await until(lambda: "not recorded" in caplog.text)

    store.fault = None
    note(touches, digest, used_ms=USED_MS + 5)
    await touches.close()

    levels = {each.levelname for each in caplog.records}
    assert levels == {"ERROR" if isinstance(fault, RuntimeError) else "DEBUG"}
    assert [each[1] for each in store.touched] == [from_ms(USED_MS + 5)]


async def test_stop_waits_for_what_is_noted(store: Noting) -> None:
    """Nobody's use is lost by a restart, and closing twice is no error (V-44)."""
    touches = start(store, moment=LATER)
    (digest,) = digests(1)
    note(touches, digest)

    async with asyncio.timeout(5):
        await touches.close()
        await touches.close()

    assert store.digests == [digest]


async def test_stop_does_not_wait_for_a_store_that_hangs(
    store: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that takes too long to stop is killed, with more left undone."""
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.05)
    store.is_open.clear()
    touches = start(store)
    for digest in digests(1000):
        note(touches, digest)

    async with asyncio.timeout(5):
        await touches.close()
    store.is_open.set()
    await until(lambda: store.under_way == 0)

    assert store.touched == []


async def test_stop_that_is_given_up_does_not_end_the_writing(store: Noting) -> None:
    """Whoever waited for it goes away; the uses are written all the same."""
    store.is_open.clear()
    touches = start(store)
    (digest,) = digests(1)
    note(touches, digest)
    closing = asyncio.create_task(touches.close())
    await until(lambda: store.under_way == 1)

    closing.cancel()
    store.is_open.set()

    await until(lambda: store.digests == [digest])


@pytest.mark.parametrize("left_ms", [HURRY_MS - 1, 1])
async def test_session_that_is_about_to_end_is_written_at_once(
    store: Noting, left_ms: int
) -> None:
    """Who is back in the last second is not signed out half a second later (V-44)."""
    touches = start(store, moment=LATER)
    first, second, third = digests(3)
    note(touches, first, left_ms=HURRY_MS)
    await turns()
    before = [*store.touched]
    store.is_open.clear()
    note(touches, second, left_ms=left_ms)
    await until(lambda: store.under_way)
    note(touches, third, left_ms=left_ms)
    store.is_open.set()

    await until(lambda: {second, third} <= {*store.digests})
    assert before == []


async def test_session_that_is_about_to_end_goes_before_a_crowd(store: Noting) -> None:
    """It has no time to wait until all others have been written (V-44)."""
    touches = start(store)
    *crowd, urgent, turned = digests(1002)
    store.is_open.clear()
    for digest in (*crowd, turned):
        note(touches, digest)
    await until(lambda: store.under_way == AT_ONCE)

    note(touches, urgent, left_ms=500)
    note(touches, turned, left_ms=500)
    store.is_open.set()
    await touches.close()

    assert max(map(store.digests.index, (urgent, turned))) < 2 * AT_ONCE
    assert sorted(store.digests) == sorted((*crowd, urgent, turned))


async def test_writing_is_nobodys_in_particular(store: Noting) -> None:
    """What is written for many has neither the request id nor the trace of one."""
    touches = start(store)
    first, second, third = digests(3)
    WHO.set("alice")

    note(touches, first)
    await until(lambda: store.touched)
    note(touches, second, left_ms=500)
    await until(lambda: len(store.touched) == 2)
    note(touches, third)
    await touches.close()

    assert store.whose == {"nobody"}
