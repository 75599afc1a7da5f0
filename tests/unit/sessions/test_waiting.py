"""Waiting for several calls: none goes on unseen, and no cancellation is lost."""

import asyncio
import contextlib

import pytest

from forwardauth.sessions.waiting import gather_all, kept_cancellation


async def test_answers_come_in_the_order_of_the_calls() -> None:
    """Whichever is done first."""
    first = asyncio.Event()

    async def slow() -> str:
        await first.wait()
        return "slow"

    async def quick() -> str:
        first.set()
        return "quick"

    assert await gather_all(slow(), quick()) == ["slow", "quick"]


async def test_all_have_ended_before_one_raises() -> None:
    """Nothing is written any more by a call that nobody waits for."""
    ended: list[str] = []

    async def fail() -> None:
        raise OSError("first")

    async def go_on() -> None:
        await asyncio.sleep(0)
        ended.append("second")

    with pytest.raises(OSError, match="first"):
        await gather_all(fail(), go_on())

    assert ended == ["second"]


async def test_cancellation_that_was_forgotten_inside_is_raised() -> None:
    """As by a ``wait_for`` whose result came at the same moment."""

    async def forget() -> None:
        with kept_cancellation(), contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3_600)

    task = asyncio.create_task(forget())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_raised_where_nobody_was_cancelled() -> None:
    """What goes on inside is left alone."""
    with kept_cancellation():
        await asyncio.sleep(0)

    with pytest.raises(OSError, match="inside"), kept_cancellation():
        raise OSError("inside")
