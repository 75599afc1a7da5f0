"""The event loop of the service."""

import asyncio

import uvloop

from forwardauth.cli.event_loop import run


def test_service_runs_on_the_fast_loop() -> None:
    """uvloop is taken wherever it is installed, as it is for the tests."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def work() -> None:
        loops.append(asyncio.get_running_loop())

    run(work())

    assert [type(loop) for loop in loops] == [uvloop.Loop]
