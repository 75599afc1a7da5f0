"""What the supervising process is told by signals, while it waits for its workers.

Laws: no signal is lost, neither one that comes before anybody waits nor one that comes
while something else is done. None interrupts what is being done.
"""

import os
import select
import signal
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any, Final, Protocol, Self

SUPERVISED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What the parent is told things by."""

_LOOK_BYTES: Final = 1024


class Readable(Protocol):
    """What can be waited for."""

    def fileno(self) -> int:
        """Return its descriptor."""
        ...


class WaitingSignals:
    """The signals of this process; a context manager that listens for them.

    Made by a process that starts, so that a reload that is asked for meanwhile is done
    when it can be.
    """

    def __init__(self) -> None:
        """Have heard nothing yet."""
        self._stops = 0
        self._is_reload_wanted = False
        self._read, self._write = -1, -1
        self._before: dict[int, Any] = {}
        self._pid = os.getpid()

    def __enter__(self) -> Self:
        """Listen."""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (*SUPERVISED, signal.SIGCHLD):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the signals to whoever had them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._close()

    def detach(self) -> None:
        """Leave the waiting to an event loop; what comes until it listens is noted."""
        signal.set_wakeup_fd(-1)

    def _close(self) -> None:
        self.detach()
        os.close(self._read)
        os.close(self._write)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in {signal.SIGTERM, signal.SIGINT}:
            self._stops += 1
        elif number == signal.SIGHUP:
            self._is_reload_wanted = True

    def wait(self, seconds: float | None, others: Iterable[Readable] = ()) -> None:
        """Return when a signal comes or one of *others* can be read, or in time."""
        poll = select.poll()
        for descriptor in (self._read, *(each.fileno() for each in others)):
            poll.register(descriptor, select.POLLIN)
        poll.poll(None if seconds is None else seconds * 1000)
        try:
            while os.read(self._read, _LOOK_BYTES):
                pass
        except BlockingIOError:
            return

    def take_stops(self) -> int:
        """Return how often this process was told to stop since the last call."""
        stops, self._stops = self._stops, 0
        return stops

    def is_stop_wanted(self) -> bool:
        """Whether ``take_stops`` has something to tell."""
        return self._stops > 0

    def is_reload_wanted(self) -> bool:
        """Whether ``take_reload`` has something to tell."""
        return self._is_reload_wanted

    def take_reload(self) -> bool:
        """Return whether a reload was asked for since the last call."""
        is_wanted, self._is_reload_wanted = self._is_reload_wanted, False
        return is_wanted

    def forget(self) -> None:
        """Listen no more, in a process that was forked and is told by its parent.

        Only SIGTERM means something there. A terminal sends its signals to parent and
        workers alike, and a reload is for all of them or for none.
        """
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._close()


def forget_orphans() -> None:
    """Let processes that others leave to this one end without a trace, here and now.

    For the first process of a container that serves alone: it inherits them, and starts
    and waits for none of its own. What others left behind would fill the table of
    processes else.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
