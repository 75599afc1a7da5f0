"""One change of the configuration in all workers, or in none.

    read and judge ─► every worker prepares ─► all ready? ─► every worker changes over
                                               one is not ─► nobody does

Laws: nothing is changed before everybody could. From then on nobody keeps what was
before: a worker that does not say that it has changed over is ended, and its successor
begins with what counts.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from forwardauth.cli.channel import ChannelError, Kind, Message, ParentEnd
from forwardauth.cli.configuration import (
    Configuration,
    ConfigurationSource,
    tell_refusal,
    tell_success,
)
from forwardauth.clock import Clock
from forwardauth.errors import ForwardAuthError
from forwardauth.web.instance import Instance

PREPARE_SECONDS: Final = 30.0
"""How long a worker may take until it is ready; it goes on serving meanwhile."""

CHANGE_SECONDS: Final = 5.0
"""How long it may take to change over, which is one step of its event loop."""

_SEND_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


class WorkerRefusedError(ForwardAuthError):
    """A worker cannot serve a configuration that the parent could; says why."""


class Reloads:
    """The configuration of all workers, as their parent has it."""

    def __init__(
        self,
        source: ConfigurationSource,
        first: Configuration,
        *,
        instance: Instance,
        clock: Clock,
        check: Callable[[Configuration], None],
    ) -> None:
        """Begin with *first*.

        Args:
            source: Where it comes from.
            first: As the workers are started with.
            instance: Is told what counts.
            clock: Dates it.
            check: Builds what workers would, and raises as they would.
        """
        self.current = first
        """What counts: who is started from now on serves it."""
        self._source = source
        self._instance = instance
        self._clock = clock
        self._check = check
        self._next = first.generation + 1
        instance.accept(first.generation, clock.now())

    def drain_seconds(self) -> float:
        """Return how long requests in hand may take in a stop."""
        return self.current.settings.server.drain.total_seconds()

    def reload(
        self, workers: Mapping[int, ParentEnd], is_given_up: Callable[[], bool]
    ) -> tuple[int, ...]:
        """Read the configuration again, and let *workers* serve it, or say why not.

        Args:
            workers: The ends of all that serve, by their numbers.
            is_given_up: Whether the service stops.

        Returns:
            The workers that are to be ended, as they may still serve what was before.
        """
        before = self.current
        try:
            after = replace(self._source.read_next(before), generation=self._next)
            self._check(after)
            self._prepare(after, workers, is_given_up)
        except (ForwardAuthError, OSError) as exc:
            self._instance.refuse(tell_refusal(exc), self._clock.now())
            return ()
        except Exception:  # noqa: BLE001 - the workers would end with their parent
            self._instance.refuse("a fault of the program", self._clock.now())
            _log.exception("configuration stays as it was")
            return ()
        # Whatever becomes of a worker from here on, its successor serves this.
        self.current = after
        self._instance.accept(after.generation, self._clock.now())
        lost = self._change_over(after, workers, is_given_up)
        tell_success(before, after)
        return lost

    def _prepare(
        self,
        after: Configuration,
        workers: Mapping[int, ParentEnd],
        is_given_up: Callable[[], bool],
    ) -> None:
        """Return when every worker is ready.

        Raises:
            WorkerRefusedError: One is not; all have been told to forget it.
        """
        message = Message(Kind.PREPARE, after.pack())
        # Never used again: a late answer to this round would be one to the next.
        self._next += 1
        deadline = time.monotonic() + PREPARE_SECONDS
        try:
            for number, end in workers.items():
                _send(number, end, message)
            for number, end in workers.items():
                _await_ready(number, end, after.generation, deadline, is_given_up)
        except WorkerRefusedError:
            for end in workers.values():
                _tell_quietly(end, Message(Kind.DROP))
            raise

    def _change_over(
        self,
        after: Configuration,
        workers: Mapping[int, ParentEnd],
        is_given_up: Callable[[], bool],
    ) -> tuple[int, ...]:
        message = Message(Kind.CHANGE_OVER, str(after.generation).encode())
        deadline = time.monotonic() + CHANGE_SECONDS
        for end in workers.values():
            _tell_quietly(end, message)
        return tuple(
            number
            for number, end in workers.items()
            if not _has_changed(end, after.generation, deadline, is_given_up)
        )


def _send(number: int, end: ParentEnd, message: Message) -> None:
    try:
        end.send(message, timeout_seconds=_SEND_SECONDS)
    except ChannelError as exc:
        raise WorkerRefusedError(f"worker {number}: {exc}") from exc


def _tell_quietly(end: ParentEnd, message: Message) -> None:
    """Send what nobody can be asked about any more; a dead worker has no news."""
    try:
        end.send(message, timeout_seconds=_SEND_SECONDS)
    except ChannelError:
        return


def _await_ready(
    number: int,
    end: ParentEnd,
    generation: int,
    deadline: float,
    is_given_up: Callable[[], bool],
) -> None:
    try:
        answer = _next_about(end, generation, deadline, is_given_up)
    except ChannelError as exc:
        raise WorkerRefusedError(f"worker {number}: {exc}") from exc
    if answer.kind is not Kind.READY:
        reason = answer.body.partition(b"\n")[2].decode("utf-8", "replace")
        raise WorkerRefusedError(f"worker {number}: {reason}")


def _has_changed(
    end: ParentEnd, generation: int, deadline: float, is_given_up: Callable[[], bool]
) -> bool:
    try:
        answer = _next_about(end, generation, deadline, is_given_up)
    except ChannelError:
        return False
    return answer.kind is Kind.CHANGED


def _next_about(
    end: ParentEnd, generation: int, deadline: float, is_given_up: Callable[[], bool]
) -> Message:
    """Return what comes next about *generation*: late answers are about others."""
    while True:
        answer = end.receive(deadline, is_given_up)
        if answer.body.partition(b"\n")[0] == str(generation).encode():
            return answer
