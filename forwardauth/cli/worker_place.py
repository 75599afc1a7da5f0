"""The place of one worker: the process that has it, and the one after that."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from forwardauth.cli.channel import ChannelError, ParentEnd
from forwardauth.cli.signals import SUPERVISED, WaitingSignals
from forwardauth.errors import ForwardAuthError

Serve: TypeAlias = Callable[[int, socket.socket], None]
"""Serves in a child until it is told to stop: its number, its end of the channel."""

_LONGEST_WAIT_SECONDS: Final = 30.0
_WAITS_FOR_SETTLING: Final = 5
"""The first wait before another attempt is this part of the time to settle."""

_log = logging.getLogger(__name__)


class Life:
    """A pipe by which workers notice that their parent is gone.

    Nothing is ever written to it: they read its end.
    """

    def __init__(self) -> None:
        """Begin, in the parent."""
        self._read, self._write = os.pipe()

    def end_with(self) -> None:
        """Let this process, a child, be told to stop when the parent is gone."""
        os.close(self._write)
        # Signals are for the thread that serves.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SUPERVISED)
        threading.Thread(target=self._wait, name="parent", daemon=True).start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _wait(self) -> None:
        os.read(self._read, 1)
        os.kill(os.getpid(), signal.SIGTERM)


@dataclass(slots=True, kw_only=True)
class Place:
    """A place, as the parent knows it.

    Attributes:
        number: From 0.
        pid: Of its process; of the last one when there is none.
        since: When that was started, by the monotonic clock.
        end: The parent's end of the channel to it; ``None`` where no process is.
        is_serving: Whether it has said that it serves.
        is_given_up: Whether it was killed since it did not come to that.
        is_waited_for: Whether it was told of that a reload waits for it.
        has_served: Whether it, or one before it, has ever said so.
        failures: How many in a row have not lived for long.
        due: When the next one is started; ``None`` for not at all.
    """

    number: int
    pid: int = 0
    since: float = 0.0
    end: ParentEnd | None = None
    is_serving: bool = False
    is_given_up: bool = False
    is_waited_for: bool = False
    has_served: bool = False
    failures: int = 0
    due: float | None = None

    def __str__(self) -> str:
        """Return how it is named in the log."""
        return f"worker {self.number} (pid {self.pid})"

    @property
    def is_starting(self) -> bool:
        """Whether there is a process that has yet to serve."""
        return self.end is not None and not self.is_serving and not self.is_given_up

    def wait_seconds(self, settled_seconds: float) -> float:
        """Return how long the next one waits: longer each time it failed in a row."""
        if not self.failures:
            return 0.0
        first = settled_seconds / _WAITS_FOR_SETTLING
        return min(first * 2.0 ** min(self.failures - 1, 10), _LONGEST_WAIT_SECONDS)

    def give_up(self) -> None:
        """Kill the process, which does not come to serve; a successor may."""
        lived = time.monotonic() - self.since
        _log.error("%s does not serve after %.0f s; it is killed", self, lived)
        self.is_given_up = True
        self.signal(signal.SIGKILL)

    def tell_waiting(self) -> None:
        """Log, once for each process, that a reload waits for it."""
        if not self.is_waited_for:
            _log.info("the reload waits for %s, which does not serve yet", self)
        self.is_waited_for = True

    def hear(self) -> None:
        """Note whether it serves, if it has just said so."""
        if self.end is None or self.is_serving:
            return
        try:
            self.end.receive(time.monotonic(), lambda: False)
        except ChannelError:
            return
        self.is_serving = self.has_served = True

    def signal(self, number: int) -> None:
        """Send a signal to its process: not waited for, it is nobody else's by now."""
        if self.end is not None:
            os.kill(self.pid, number)

    def clear(self) -> None:
        """Note that its process has been waited for."""
        if self.end is not None:
            self.end.close()
        self.end, self.is_serving = None, False

    def fill(
        self,
        serve: Serve,
        *,
        signals: WaitingSignals,
        life: Life,
        all_places: "Iterable[Place]",
    ) -> None:
        """Start a process for it."""
        own, other = ParentEnd.create()
        # One that comes too early for the child to know what to do with it waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, SUPERVISED)
        pid = os.fork()
        if pid == 0:
            for each in all_places:
                each.clear()
            own.close()
            _become_worker(self.number, other, serve, signals, life)
        other.close()
        self.pid, self.since, self.end = pid, time.monotonic(), own
        self.is_given_up = self.is_waited_for = False
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SUPERVISED)


def _become_worker(
    number: int, end: socket.socket, serve: Serve, signals: WaitingSignals, life: Life
) -> NoReturn:
    status = 1
    try:
        signals.forget()
        life.end_with()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SUPERVISED)
        serve(number, end)
        status = 0
    except (ForwardAuthError, OSError) as exc:
        _log.error("worker %d cannot serve: %s", number, exc)
    except BaseException:  # noqa: BLE001 - nothing may return into the parent's code
        _log.exception("worker %d failed", number)
    finally:
        logging.shutdown()
        os._exit(status)
