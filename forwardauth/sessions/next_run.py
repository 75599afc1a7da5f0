"""One run after the other of something costly, for all who wait for it together.

Law: whoever waits hears of a run that began after they asked, never of one that was
under way. So however many ask, one is under way and one is next.
"""

import asyncio
from collections.abc import Awaitable, Callable


class NextRun:
    """Runs what it was given, for whoever waits."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run *work*, never twice at once."""
        self._work = work
        self._last: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Return when a run has ended that begins from now on, or raise what it did."""
        if self._next is None:
            self._next = asyncio.create_task(self._run(self._last))
            self._next.add_done_callback(_take_error)
        await asyncio.shield(self._next)

    async def _run(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._last, self._next = self._next, None
        await self._work()


def _take_error(task: asyncio.Task[None]) -> None:
    """Look at the error, as everybody who waited for it may have gone."""
    if not task.cancelled():
        task.exception()
