"""What the supervising process does for its workers beside starting them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from forwardauth.cli.channel import ParentEnd

Reload: TypeAlias = Callable[
    [Mapping[int, ParentEnd], Callable[[], bool]], tuple[int, ...]
]
"""Leads the workers to the next configuration; returns those that are to be ended."""


def _nothing(*_: object) -> None:
    """Do nothing: nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """What else the parent does for its workers.

    Attributes:
        reload: Called when somebody asks for it, with the ends of all that serve.
        drain_seconds: Returns how long requests in hand may take in a stop.
        on_started: Called when all have been forked, for the first time.
        on_ended: Called with the number of each worker that has ended.
        on_replaced: Called for each that died and gets a successor.
        on_stop: Called when it is told to stop, before the workers are.
        take_rotation: Returns whether files of the log were opened anew since the last
            call, which the workers are then told to do by SIGUSR1.
    """

    reload: Reload = lambda _workers, _is_given_up: ()
    drain_seconds: Callable[[], float] = lambda: 10.0
    on_started: Callable[[], None] = _nothing
    on_ended: Callable[[int], None] = _nothing
    on_replaced: Callable[[], None] = _nothing
    on_stop: Callable[[], None] = _nothing
    take_rotation: Callable[[], bool] = lambda: False
