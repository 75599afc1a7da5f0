"""Several worker processes that share the listeners.

The parent opens the listeners, forks the workers, replaces one that dies, and leads
them from one configuration to the next; it serves nothing.

Laws: a worker that dies before it has served ends a service that has just been started:
one that cannot start should not look as if it could. From then on who dies again and
again is replaced ever more slowly, while the others serve. No worker outlives the
parent, and none the time that it has to come to serve or to stop: it would hold every
reload back, or the port against the next start.
"""

import logging
import os
import signal
import time
from contextlib import nullcontext
from typing import Final

from forwardauth.cli.channel import ParentEnd
from forwardauth.cli.household import Household
from forwardauth.cli.signals import WaitingSignals
from forwardauth.cli.worker_place import Life, Place, Serve
from forwardauth.errors import ForwardAuthError

SETTLED_SECONDS: Final = 5.0
"""A worker that has lived this long was able to start."""

STARTING_SECONDS: Final = 60.0
"""By when a worker has to serve; all that takes long was done before it was forked."""

KILLED_AFTER_SECONDS: Final = 5.0
"""Beyond the time that requests in hand have, for what comes after them."""

_GIVEN_UP_AFTER: Final = 5
"""Failures of each worker in a row after which a service without any worker ends."""

_log = logging.getLogger(__name__)


class WorkerFailedError(ForwardAuthError):
    """A worker could not start, or none could any more; its own lines say why."""


def supervise(
    count: int,
    serve: Serve,
    *,
    settled_seconds: float = SETTLED_SECONDS,
    starting_seconds: float = STARTING_SECONDS,
    household: Household | None = None,
    signals: WaitingSignals | None = None,
) -> None:
    """Run *serve* in *count* forked processes until a signal ends all of them.

    Args:
        count: How many workers.
        serve: Called in each child with its number, from 0, and its end of the channel
            to the parent; returns when it is told to stop by SIGTERM.
        settled_seconds: How long a worker has to live to be replaced at once each time.
        starting_seconds: How long it may take until it serves.
        household: What else there is to do.
        signals: Those of this process, if they have been listened for already.

    Raises:
        WorkerFailedError: A worker never served, or all of them no more.
    """
    listened = WaitingSignals() if signals is None else nullcontext(signals)
    with listened as waiting:
        _Supervisor(
            count,
            serve,
            settled_seconds=settled_seconds,
            starting_seconds=starting_seconds,
            household=household or Household(),
            signals=waiting,
        ).run()


class _Supervisor:
    """Keeps the workers running."""

    def __init__(
        self,
        count: int,
        serve: Serve,
        *,
        settled_seconds: float,
        starting_seconds: float,
        household: Household,
        signals: WaitingSignals,
    ) -> None:
        self._serve = serve
        self._settled_seconds = settled_seconds
        self._starting_seconds = starting_seconds
        self._household = household
        self._signals = signals
        self._life = Life()
        self._workers = [Place(number=number) for number in range(count)]
        self._killed_at: float | None = None
        self._is_stopping = False
        self._has_failed = False

    def run(self) -> None:
        """Fork, wait and replace until all have ended."""
        for worker in self._workers:
            self._fill(worker)
        self._household.on_started()
        while any(each.end or each.due is not None for each in self._workers):
            self._signals.wait(self._patience(), self._ends())
            self._obey()
            for worker in self._workers:
                worker.hear()
            self._bury()
            self._give_up_late()
            self._reload()
            self._fill_due()
        if self._has_failed:
            raise WorkerFailedError("a worker cannot serve; its lines above say why")

    def _patience(self) -> float | None:
        """Return how long there is nothing to do unless something happens."""
        times = [each.due for each in self._workers if each.due is not None]
        times += [w.since + self._starting_seconds for w in self._starting()]
        if self._killed_at is not None:
            times.append(self._killed_at)
        return max(min(times) - time.monotonic(), 0.0) if times else None

    def _starting(self) -> list[Place]:
        """Return those who may come to serve yet."""
        return [w for w in self._workers if w.is_starting and not self._is_stopping]

    def _ends(self) -> list[ParentEnd]:
        """Return the ends of those who have yet to say that they serve."""
        return [w.end for w in self._workers if w.end and not w.is_serving]

    def _obey(self) -> None:
        """Stop if that was asked for; a second time, or too late, at once."""
        for _ in range(self._signals.take_stops()):
            if self._is_stopping:
                self._signal_all(signal.SIGKILL)
            else:
                self._stop()
        if self._household.take_rotation():
            self._signal_all(signal.SIGUSR1)
        if self._killed_at is not None and time.monotonic() >= self._killed_at:
            self._killed_at = None
            for worker in self._workers:
                if worker.end is not None:
                    _log.error("%s does not stop; it is killed", worker)
            self._signal_all(signal.SIGKILL)

    def _stop(self) -> None:
        self._is_stopping = True
        for worker in self._workers:
            worker.due = None
        self._household.on_stop()
        seconds = self._household.drain_seconds() + KILLED_AFTER_SECONDS
        self._killed_at = time.monotonic() + seconds
        self._signal_all(signal.SIGTERM)

    def _signal_all(self, number: int) -> None:
        for worker in self._workers:
            worker.signal(number)

    def _bury(self) -> None:
        """Note who has ended."""
        by_pid = {each.pid: each for each in self._workers if each.end}
        while by_pid:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            # The first process of a container inherits orphans that are none of ours.
            worker = by_pid.pop(pid, None)
            if worker is not None:
                self._lose(worker, os.waitstatus_to_exitcode(status))

    def _give_up_late(self) -> None:
        """Kill who does not come to serve; a successor may."""
        for worker in self._starting():
            if time.monotonic() >= worker.since + self._starting_seconds:
                worker.give_up()

    def _lose(self, worker: Place, code: int) -> None:
        worker.hear()
        served = worker.is_serving
        worker.clear()
        self._household.on_ended(worker.number)
        if self._is_stopping:
            return
        lived = time.monotonic() - worker.since
        _log.error("%s ended with %d after %.0f s", worker, code, lived)
        is_settled = served and lived >= self._settled_seconds
        worker.failures = 0 if is_settled else worker.failures + 1
        if not worker.has_served or self._is_hopeless():
            self._has_failed = True
            self._stop()
            return
        self._household.on_replaced()
        wait = worker.wait_seconds(self._settled_seconds)
        worker.due = time.monotonic() + wait
        if wait:
            _log.error(
                "worker %d has failed %d times in a row; the next one starts in %.0f s",
                worker.number,
                worker.failures,
                wait,
            )

    def _is_hopeless(self) -> bool:
        """Whether nobody serves, and nobody has been able to for some time."""
        return all(
            each.end is None and each.failures >= _GIVEN_UP_AFTER
            for each in self._workers
        )

    def _reload(self) -> None:
        """Lead all to the next configuration, when all there are serve."""
        alive = [each for each in self._workers if each.is_serving]
        if self._is_stopping or not self._signals.is_reload_wanted():
            return
        if starting := self._starting():
            for worker in starting:
                worker.tell_waiting()
            return
        if not alive:
            return
        self._signals.take_reload()
        ends = {w.number: w.end for w in alive if w.end is not None}
        lost = self._household.reload(ends, self._signals.is_stop_wanted)
        if self._signals.is_stop_wanted():
            return  # Nobody was waited for, and all of them end anyway.
        for worker in alive:
            if worker.number in lost:
                _log.error("%s does not change over; it is killed", worker)
                worker.signal(signal.SIGKILL)

    def _fill_due(self) -> None:
        for worker in self._workers:
            if worker.due is not None and time.monotonic() >= worker.due:
                worker.due = None
                self._fill(worker)

    def _fill(self, worker: Place) -> None:
        worker.fill(
            self._serve,
            signals=self._signals,
            life=self._life,
            all_places=self._workers,
        )
