"""Calls on behalf of probes: bounded, and one at a time."""

import asyncio
import gc

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.web.shared_call import SharedCall


class Held:
    """A store that answers when a test says so."""

    def __init__(self) -> None:
        self.calls = 0
        self.answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> int:
        self.calls += 1
        return await asyncio.shield(self.answer)


async def test_everybody_at_once_is_one_call() -> None:
    """A hundred probes ask the store as much as one."""
    held = Held()
    call = SharedCall(held, seconds=5)
    waiting = asyncio.gather(*(call.get() for _ in range(100)))
    await asyncio.sleep(0)
    held.answer.set_result(7)

    assert await waiting == [7] * 100
    assert held.calls == 1


async def test_next_one_asks_again() -> None:
    """What was true before is not told again."""
    held = Held()
    held.answer.set_result(7)
    call = SharedCall(held, seconds=5)

    await call.get()
    await call.get()

    assert held.calls == 2


async def test_wait_has_an_end_and_the_call_goes_on() -> None:
    """A store that hangs has one question in it, however many probes gave up."""
    held = Held()
    call = SharedCall(held, seconds=0.01)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError, match="has not answered"):
            await call.get()
    held.answer.set_result(7)

    assert await call.get() == 7
    assert held.calls == 1


async def test_error_is_for_everybody() -> None:
    """Who waits for a call that fails is told so, and the next one asks again."""
    held = Held()
    call = SharedCall(held, seconds=5)
    first, second = (asyncio.ensure_future(call.get()) for _ in range(2))
    await asyncio.sleep(0)
    held.answer.set_exception(StoreUnavailableError("down"))

    told = await asyncio.gather(first, second, return_exceptions=True)

    assert [str(error) for error in told] == ["down", "down"]


async def test_error_that_comes_too_late_is_no_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever waited was told already; asyncio would tell of it as a fault of ours."""
    held = Held()
    call = SharedCall(held, seconds=0.01)
    with pytest.raises(StoreUnavailableError):
        await call.get()
    held.answer.set_exception(StoreUnavailableError("down"))
    await asyncio.sleep(0)
    del call, held
    gc.collect()

    assert caplog.messages == []


async def test_one_who_goes_takes_nobody_along() -> None:
    """A probe whose connection broke does not end the call of the others."""
    held = Held()
    call = SharedCall(held, seconds=5)
    first, second = (asyncio.ensure_future(call.get()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    held.answer.set_result(7)

    assert await second == 7


async def test_close_gives_the_call_up() -> None:
    """A stop does not wait for a store that hangs; there may have been no call."""
    held = Held()
    idle, call = SharedCall(held, seconds=5), SharedCall(held, seconds=0.01)
    with pytest.raises(StoreUnavailableError):
        await call.get()

    await idle.close()
    await call.close()

    assert held.calls == 1
