"""Several worker processes that share the listeners.

The parent opens the listeners, forks the workers, replaces one that dies, and passes
signals on; it serves nothing.

Laws: a worker that dies before it has served for a while ends the service, unless
another one serves well: a service whose listeners nobody answers is worse than one that
is down, but what broke after the start, such as the users file, ends nobody who still
has the good one. No worker outlives the parent: it would hold the port against the next
start.
"""

import contextlib
import logging
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

from forwardauth.errors import ForwardAuthError

SETTLED_SECONDS: Final = 5.0
"""A worker that has lived this long was able to start."""

_LONGEST_WAIT_SECONDS: Final = 30.0
_WAITS_FOR_SETTLING: Final = 5
"""The first wait before another attempt is this part of ``settled_seconds``."""

_PASSED_ON: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_log = logging.getLogger(__name__)


class WorkerFailedError(ForwardAuthError):
    """A worker could not start, or died at once; its own lines say why."""


def supervise(
    count: int,
    serve: Callable[[int], None],
    *,
    settled_seconds: float = SETTLED_SECONDS,
    on_replacement: Callable[[], None] = lambda: None,
    on_started: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Run *serve* in *count* forked processes until a signal ends all of them.

    Args:
        count: How many workers.
        serve: Called in each child with its number, from 0; returns when it is told to
            stop by SIGTERM or SIGINT.
        settled_seconds: How long a worker has to live to be replaced when it dies.
        on_replacement: Called in the parent for each that died and gets a successor.
        on_started: Called in the parent when all have been forked, for the first time.
        on_stop: Called in the parent when it is told to stop.

    Raises:
        WorkerFailedError: A worker died sooner, and no other has lived as long.
    """
    _Supervisor(count, serve, settled_seconds, on_replacement, on_stop).run(on_started)


class _Supervisor:
    """Keeps the workers running; knows them by their process ids."""

    def __init__(
        self,
        count: int,
        serve: Callable[[int], None],
        settled_seconds: float,
        on_replacement: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        self._count = count
        self._serve = serve
        self._settled_seconds = settled_seconds
        self._on_replacement = on_replacement
        self._on_stop = on_stop
        # Nothing is ever written to it: a worker reads its end when the parent is gone.
        self._life, self._own_life = os.pipe()
        self._started: dict[int, tuple[int, float]] = {}
        self._failures: Counter[int] = Counter()
        self._is_stopping = False

    def run(self, on_started: Callable[[], None]) -> None:
        """Fork, wait and replace until all have ended."""
        for number in _PASSED_ON:
            signal.signal(number, self._pass_on)
        for worker in range(self._count):
            self._fork(worker)
        on_started()
        failed = False
        while self._started:
            pid, status = os.wait()
            ended = self._started.pop(pid, None)
            # The first process of a container inherits orphans that are none of ours.
            if ended is None or self._is_stopping:
                continue
            worker, since = ended
            code = os.waitstatus_to_exitcode(status)
            _log.error("worker %d (pid %d) ended with %d", worker, pid, code)
            if self._has_settled(since):
                self._failures.pop(worker, None)
            elif self._is_alone():
                failed = True
                self._stop(signal.SIGTERM)
                continue
            else:
                self._failures[worker] += 1
            self._on_replacement()
            self._fork(worker, wait_seconds=self._wait_of(worker))
        if failed:
            raise WorkerFailedError("a worker died at once; its lines above say why")

    def _has_settled(self, since: float) -> bool:
        return time.monotonic() - since >= self._settled_seconds

    def _is_alone(self) -> bool:
        """Whether no worker that is left was able to start."""
        return not any(self._has_settled(since) for _, since in self._started.values())

    def _wait_of(self, worker: int) -> float:
        """Return how long the next one waits: longer each time it failed in a row."""
        failures = self._failures[worker]
        if not failures:
            return 0.0
        first = self._settled_seconds / _WAITS_FOR_SETTLING
        return min(first * 2.0 ** min(failures - 1, 10), _LONGEST_WAIT_SECONDS)

    def _fork(self, worker: int, *, wait_seconds: float = 0.0) -> None:
        # A signal between fork and the line that notes the pid would miss the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
        pid = os.fork()
        if pid == 0:
            self._become_worker(worker, wait_seconds)
        self._started[pid] = (worker, time.monotonic() + wait_seconds)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        if self._is_stopping:
            os.kill(pid, signal.SIGTERM)

    def _become_worker(self, worker: int, wait_seconds: float) -> NoReturn:
        status = 1
        try:
            for number in _PASSED_ON:
                signal.signal(number, signal.SIG_DFL)
            # It has yet to read everything, so until it listens there is no news in it.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.close(self._own_life)
            # Before signals are let in: they are for the thread that serves.
            threading.Thread(target=self._end_with_parent, daemon=True).start()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
            time.sleep(wait_seconds)
            self._serve(worker)
            status = 0
        except (ForwardAuthError, OSError) as exc:
            _log.error("worker %d cannot serve: %s", worker, exc)
        except BaseException:  # noqa: BLE001 - nothing may return into the parent's code
            _log.exception("worker %d failed", worker)
        finally:
            logging.shutdown()
            os._exit(status)

    def _end_with_parent(self) -> None:
        os.read(self._life, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._signal_all(number)
        else:
            self._stop(number)

    def _stop(self, number: int) -> None:
        self._is_stopping = True
        self._on_stop()
        self._signal_all(number)

    def _signal_all(self, number: int) -> None:
        for pid in tuple(self._started):
            # It may have been waited for, and not yet been taken from the list.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
