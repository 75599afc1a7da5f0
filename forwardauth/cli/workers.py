"""Several worker processes that share the listeners.

The parent opens the listeners, forks the workers, replaces one that dies, and passes
signals on; it serves nothing.

Law: a worker that dies before it has served for a while ends the service. One that
looks up and refuses everybody is worse than one that is down.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

from forwardauth.errors import ForwardAuthError

SETTLED_SECONDS: Final = 5.0
"""A worker that has lived this long was able to start."""

_PASSED_ON: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_log = logging.getLogger(__name__)


class WorkerFailedError(ForwardAuthError):
    """A worker could not start, or died at once; its own lines say why."""


def supervise(count: int, serve: Callable[[int], None]) -> None:
    """Run *serve* in *count* forked processes until a signal ends all of them.

    Args:
        count: How many workers.
        serve: Called in each child with its number, from 0; returns when it is told to
            stop by SIGTERM or SIGINT.

    Raises:
        WorkerFailedError: A worker died within five seconds of its start.
    """
    _Supervisor(count, serve).run()


class _Supervisor:
    """Keeps the workers running; knows them by their process ids."""

    def __init__(self, count: int, serve: Callable[[int], None]) -> None:
        self._count = count
        self._serve = serve
        self._started: dict[int, tuple[int, float]] = {}
        self._is_stopping = False

    def run(self) -> None:
        """Fork, wait and replace until all have ended."""
        for number in _PASSED_ON:
            signal.signal(number, self._pass_on)
        for worker in range(self._count):
            self._fork(worker)
        failed = False
        while self._started:
            pid, status = os.wait()
            worker, since = self._started.pop(pid)
            if self._is_stopping:
                continue
            code = os.waitstatus_to_exitcode(status)
            _log.error("worker %d (pid %d) ended with %d", worker, pid, code)
            if time.monotonic() - since < SETTLED_SECONDS:
                failed = True
                self._stop(signal.SIGTERM)
            else:
                self._fork(worker)
        if failed:
            raise WorkerFailedError("a worker died at once")

    def _fork(self, worker: int) -> None:
        # A signal between fork and the line that notes the pid would miss the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
        pid = os.fork()
        if pid == 0:
            self._become_worker(worker)
        self._started[pid] = (worker, time.monotonic())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        if self._is_stopping:
            os.kill(pid, signal.SIGTERM)

    def _become_worker(self, worker: int) -> NoReturn:
        status = 1
        try:
            for number in _PASSED_ON:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
            self._serve(worker)
            status = 0
        except BaseException:  # noqa: BLE001 - nothing may return into the parent's code
            _log.exception("worker %d failed", worker)
        finally:
            logging.shutdown()
            os._exit(status)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._signal_all(number)
        else:
            self._stop(number)

    def _stop(self, number: int) -> None:
        self._is_stopping = True
        self._signal_all(number)

    def _signal_all(self, number: int) -> None:
        for pid in tuple(self._started):
            os.kill(pid, number)
