"""A fault in every place that a request passes: one run for each, until none is hit.

The places are found by running, not listed: the n-th run is interrupted in the n-th
place where a call into the package begins, goes on or ends. Every await is one
of them, and so will be whatever is written later.
"""

import dis
import inspect
import sys
import types
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

import forwardauth
from forwardauth.web.middlewares.errors import answer_errors

_PACKAGE: Final = str(Path(forwardauth.__file__).parent)
_YIELD: Final = dis.opmap["YIELD_VALUE"]

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
    """Raises in the n-th place that a coroutine passes, whoever else runs meanwhile."""

    def __init__(self, at: int, error: Raise) -> None:
        """Raise what *error* makes in the place number *at*, from 1."""
        self._left = at
        self._error = error
        self.place: str | None = None

    @types.coroutine
    def run(
        self, work: Coroutine[Any, Any, web.StreamResponse]
    ) -> Generator[Any, Any, web.StreamResponse]:
        """Do what ``await work`` does, and look at *work* alone."""
        step: Callable[[], Any] = partial(work.send, None)
        while True:
            try:
                awaited = self._traced(step)
            except StopIteration as stop:
                answer: web.StreamResponse = stop.value
                return answer
            try:
                step = partial(work.send, (yield awaited))
            except BaseException as exc:  # noqa: BLE001 - *work* gets it, whatever it is
                step = partial(work.throw, exc)

    def call(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Return what *work* does, which waits for nothing."""
        return self._traced(partial(work, *arguments))

    def _traced(self, step: Callable[[], Any]) -> Any:
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            return step()
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        is_ours = code.co_filename.startswith(_PACKAGE)
        # A generator is also entered to be thrown away, where an error goes nowhere.
        is_generator = bool(code.co_flags & inspect.CO_GENERATOR)
        if not is_ours or is_generator:
            return None
        frame.f_trace_lines = False
        if event == "call" or (event == "return" and not _only_waits(frame)):
            self._left -= 1
            if self._left == 0:
                self.place = f"{event} {code.co_qualname}"
                raise self._error()
        return self._trace


def _only_waits(frame: FrameType) -> bool:
    """Whether *frame* is left in the middle; the fault comes when it goes on."""
    return frame.f_code.co_code[frame.f_lasti] == _YIELD


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
            work = handler(asked)
            assert isinstance(work, Coroutine)
            return await interruption.run(work)

        response = None
        try:
            response = await answer_errors(request, interrupted)
        except BaseException:  # Any of them ends the connection.
            if interruption.place is None:
                raise
        status = None if response is None else response.status
        self.outcomes.append(Outcome(place=interruption.place, status=status))
        return response if interruption.place is None else None
