"""A call that is made once for all who want it at the time, and waited for briefly.

Law: however many ask, and however often, one call at most is under way. Who has waited
long enough is told so and goes; the call is not cut off, so that a store that hangs has
one question of ours in it and not one for each probe.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from forwardauth.errors import StoreUnavailableError

T = TypeVar("T")


class SharedCall(Generic[T]):
    """Asks a store on behalf of probes and scrapes."""

    def __init__(self, call: Callable[[], Awaitable[T]], *, seconds: float) -> None:
        """Make *call*, and wait *seconds* for it at most."""
        self._call = call
        self._seconds = seconds
        self._running: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Return what the call has returned.

        Raises:
            StoreUnavailableError: The store did not answer, or not in time.
        """
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._run())
            self._running.add_done_callback(_take_error)
        task = self._running
        done, _ = await asyncio.wait({task}, timeout=self._seconds)
        if not done:
            message = f"the store has not answered for {self._seconds:g} s"
            raise StoreUnavailableError(message)
        return task.result()

    async def close(self) -> None:
        """Give up the call that is under way."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    async def _run(self) -> T:
        return await self._call()


def _take_error(task: asyncio.Task[T]) -> None:
    """Look at the error, as everybody who waited for it may have gone."""
    if not task.cancelled():
        task.exception()
