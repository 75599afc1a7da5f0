"""A fault in every place that a request passes: one run for each, until none is hit.

The places are found by running, not listed: the n-th run is interrupted in the n-th
place where a call into the package begins, waits, goes on or ends. Every await is one
of them, and so will be whatever is written later.
"""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self

from aiohttp import web
from aiohttp.typedefs import Handler

import forwardauth
from forwardauth.web.middlewares.errors import answer_errors

_PACKAGE: Final = str(Path(forwardauth.__file__).parent)
_PLACES: Final = frozenset({"call", "return"})

Raise = Callable[[], BaseException]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one run ended.

    Attributes:
        place: The function whose call failed, and whether at its beginning or end;
            ``None`` for the run that was left alone.
        status: What was answered; ``None`` when the connection ended without answer.
    """

    place: str | None
    status: int | None


class Interruption:
    """Raises in the n-th place that this thread passes inside of the context."""

    def __init__(self, at: int, error: Raise) -> None:
        """Raise what *error* makes in the place number *at*, from 1."""
        self._left = at
        self._error = error
        self.place: str | None = None

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        is_ours = code.co_filename.startswith(_PACKAGE)
        # A generator is also entered to be thrown away, where an error goes nowhere.
        is_generator = bool(code.co_flags & inspect.CO_GENERATOR)
        if not is_ours or is_generator:
            return None
        frame.f_trace_lines = False
        if event in _PLACES:
            self._left -= 1
            if self._left == 0:
                self.place = f"{event} {code.co_qualname}"
                raise self._error()
        return self._trace


class FaultSweep:
    """A middleware that asks its handler again and again, each time with a fault.

    Append it to the middlewares of an application: it stands inside of the one that
    answers errors, and puts that one around every run.
    """

    def __init__(self, error: Raise) -> None:
        """Interrupt with what *error* makes."""
        self._error = error
        self.outcomes: list[Outcome] = []

    @property
    def interrupted(self) -> list[Outcome]:
        """Every run but the last, which was left alone."""
        return self.outcomes[:-1]

    @property
    def untouched(self) -> Outcome:
        """The last run, for which no place was left."""
        return self.outcomes[-1]

    def install(self, app: web.Application) -> None:
        """Stand in front of every handler of *app*, which has not started yet."""

        @web.middleware
        async def sweep(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = None
            places = count(1)
            while response is None:
                response = await self._run(request, handler, next(places))
            return response

        app.middlewares.append(sweep)

    async def _run(
        self, request: web.Request, handler: Handler, at: int
    ) -> web.StreamResponse | None:
        """Return the answer of a run that was left alone, else ``None``."""
        interruption = Interruption(at, self._error)

        async def interrupted(asked: web.Request) -> web.StreamResponse:
            with interruption:
                return await handler(asked)

        response = None
        try:
            response = await answer_errors(request, interrupted)
        except BaseException:  # Any of them ends the connection.
            if interruption.place is None:
                raise
        status = None if response is None else response.status
        self.outcomes.append(Outcome(place=interruption.place, status=status))
        return response if interruption.place is None else None
