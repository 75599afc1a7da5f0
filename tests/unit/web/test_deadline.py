"""A deadline acts once, in time, and only on who is late."""

import asyncio
from collections.abc import Callable

from forwardauth.web.deadline import Deadline


class Late:
    """What has been done to who is late."""

    def __init__(self) -> None:
        self.count = 0
        self._act: asyncio.Event = asyncio.Event()

    def act(self) -> None:
        """Count it."""
        self.count += 1
        self._act.set()

    async def wait(self) -> None:
        """Return when it has been done since the last time."""
        async with asyncio.timeout(5):
            await self._act.wait()
        self._act.clear()


def _deadline(act: Callable[[], None], *, seconds: float = 0.01) -> Deadline:
    return Deadline(asyncio.get_running_loop(), seconds, act)


async def test_deadline_acts_once_for_each_start() -> None:
    """It can be started again after it has acted."""
    late = Late()
    deadline = _deadline(late.act)

    deadline.start()
    await late.wait()
    deadline.start()
    await late.wait()

    assert late.count == 2


async def test_stopped_deadline_does_nothing() -> None:
    """Who is done in time is left alone; stopping twice is no error."""
    late, other = Late(), Late()
    stopped, running = _deadline(late.act), _deadline(other.act)

    stopped.start()
    running.start()
    stopped.stop()
    stopped.stop()
    await other.wait()

    assert late.count == 0


async def test_second_start_gains_no_time() -> None:
    """The time counts from the first one."""
    late, other = Late(), Late()
    deadline, later = _deadline(late.act), _deadline(other.act, seconds=0.03)

    deadline.start()
    later.start()
    while other.count == 0:
        deadline.start()
        await asyncio.sleep(0)

    assert late.count >= 1
