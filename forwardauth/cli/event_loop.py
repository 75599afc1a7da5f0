"""The event loop of the service: uvloop where it is installed, else asyncio's."""

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from typing import Any, cast


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run *work* on the fastest event loop that is installed."""
    with asyncio.Runner(loop_factory=_lookup_fast_loop()) as runner:
        runner.run(work)


def _lookup_fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's maker of event loops, ``None`` where it is not installed."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return None
    return cast("Callable[[], asyncio.AbstractEventLoop]", uvloop.new_event_loop)
