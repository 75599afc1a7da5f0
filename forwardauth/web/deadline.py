"""A time that something on a connection has to be done by."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Acts once, unless it is stopped in time; may be started again.

    Starting it while it runs changes nothing: whoever sends a byte now and then gains
    no time by it.
    """

    __slots__ = ("_act", "_handle", "_loop", "_seconds")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
        act: Callable[[], None],
    ) -> None:
        """Wait to be started.

        Args:
            loop: Of the connection.
            seconds: From the start.
            act: What happens to who is late.
        """
        self._loop = loop
        self._seconds = seconds
        self._act = act
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Count from now, unless it counts already."""
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._end)

    def stop(self) -> None:
        """Forget what was started; nothing happens if nothing was."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _end(self) -> None:
        self._handle = None
        self._act()
