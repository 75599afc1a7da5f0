"""Tests of touches: what is used often is written seldom, and what is noted is kept."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.touches import MAX_NOTED, Touches
from tests.support.until import until

SOON = timedelta(milliseconds=1)
LATER = timedelta(hours=1)


class Noting(MemoryStore):
    """Notes what is written, and may hold it up."""

    def __init__(self) -> None:
        super().__init__()
        self.touched: list[tuple[Digest, datetime, datetime]] = []
        self.under_way = 0
        self.most_at_once = 0
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.is_down = False

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await self.is_open.wait()
        await asyncio.sleep(0)
        self.under_way -= 1
        if self.is_down:
            raise StoreUnavailableError("down")
        self.touched.append((digest, seen, expires))
        return True


def digests(count: int) -> Iterator[Digest]:
    """Yield different digests."""
    return (Digest(number.to_bytes(32)) for number in range(count))


def note(
    touches: Touches, digest: Digest, seen_ms: int = 1, *, left_ms: int = 60_000
) -> None:
    """Note a use that prolongs a session with *left_ms* to live to a minute."""
    touches.note(
        digest, seen_ms=seen_ms, expires_ms=seen_ms + 60_000, ends_ms=seen_ms + left_ms
    )


async def test_uses_of_a_moment_are_written_together() -> None:
    """Nothing is written while the request is answered, all of it soon after (V-44)."""
    store = Noting()
    touches = Touches(store, moment=SOON)

    for digest in digests(3):
        note(touches, digest)
    at_once = list(store.touched)
    await until(lambda: len(store.touched) == 3)

    assert at_once == []
    assert store.most_at_once == 3
    assert store.touched[0][1:] == (from_ms(1), from_ms(60_001))
    await touches.close()


async def test_session_is_written_about_once_at_a_time() -> None:
    """Whoever clicks on while the store is slow causes no second write (V-44)."""
    store = Noting()
    store.is_open.clear()
    touches = Touches(store, moment=SOON)
    (digest,) = digests(1)
    note(touches, digest)
    await until(lambda: store.under_way == 1)

    note(touches, digest, seen_ms=2)
    store.is_open.set()
    await touches.close()

    assert [each[0] for each in store.touched] == [digest]


async def test_use_that_comes_during_a_write_is_written_next() -> None:
    """What is noted behind a slow write is not forgotten (V-44)."""
    store = Noting()
    store.is_open.clear()
    touches = Touches(store, moment=SOON)
    first, second = digests(2)
    note(touches, first)
    await until(lambda: store.under_way == 1)

    note(touches, second)
    store.is_open.set()
    await until(lambda: len(store.touched) == 2)

    assert store.most_at_once == 1
    await touches.close()


async def test_many_uses_do_not_keep_the_loop_busy() -> None:
    """A crowd that comes back at the same moment is written some at a time."""
    store = Noting()
    touches = Touches(store, moment=SOON)

    for digest in digests(100):
        note(touches, digest)
    await touches.close()

    assert [each[0] for each in store.touched] == [*digests(100)]
    assert store.most_at_once <= 16


async def test_uses_that_wait_are_bounded() -> None:
    """A store that takes nothing for a while costs no more than some memory."""
    store = Noting()
    touches = Touches(store, moment=LATER)

    for digest in digests(MAX_NOTED + 1):
        note(touches, digest)
    await touches.close()

    assert len(store.touched) == MAX_NOTED


async def test_outage_loses_a_touch_and_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The next use of the session is noted again (V-44)."""
    caplog.set_level("DEBUG", "forwardauth.sessions")
    store = Noting()
    touches = Touches(store, moment=SOON)
    (digest,) = digests(1)
    store.is_down = True
    note(touches, digest)
    await until(lambda: "not recorded" in caplog.text)

    store.is_down = False
    note(touches, digest, seen_ms=5)
    await touches.close()

    assert [each[1] for each in store.touched] == [from_ms(5)]


async def test_stop_waits_for_what_is_noted() -> None:
    """Nobody's use is lost by a restart, and closing twice is no error (V-44)."""
    store = Noting()
    touches = Touches(store, moment=LATER)
    (digest,) = digests(1)
    note(touches, digest)

    async with asyncio.timeout(5):
        await touches.close()
        await touches.close()

    assert [each[0] for each in store.touched] == [digest]


@pytest.mark.parametrize("is_busy", [False, True])
async def test_session_that_is_about_to_end_is_written_at_once(
    *, is_busy: bool
) -> None:
    """Who is back in the last second is not signed out half a second later (V-44)."""
    store = Noting()
    touches = Touches(store, moment=LATER)
    first, second, third = digests(3)
    note(touches, first)
    if is_busy:
        store.is_open.clear()
        note(touches, second, left_ms=500)
        await until(lambda: store.under_way == 2)

    note(touches, third, left_ms=500)
    store.is_open.set()

    await until(lambda: third in [each[0] for each in store.touched])
    await touches.close()


async def test_write_that_is_cancelled_is_made_up_for() -> None:
    """A store that gives up a call does not stop all further ones (V-44)."""
    store = Noting()
    store.is_open.clear()
    touches = Touches(store, moment=SOON)
    (digest,) = digests(1)
    note(touches, digest)
    await until(lambda: store.under_way == 1)

    assert touches._writing is not None  # noqa: SLF001 - nobody else can cancel it
    touches._writing.cancel()  # noqa: SLF001
    store.is_open.set()

    await until(lambda: [each[0] for each in store.touched] == [digest])
    await touches.close()
