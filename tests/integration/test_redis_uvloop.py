"""The event loop that the service runs on where it is installed, and its own errors."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from tests.support.redis_server import RedisServer
from tests.support.redis_stores import create_prefix, opened
from tests.support.relay import TcpRelay
from tests.unit.sessions.contract import add_all, create_entry, load_all


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[TcpRelay]:
    """A line to a Redis, which can break."""
    with RedisServer(tmp_path) as server, TcpRelay(server.port) as relay:
        yield relay


def test_reset_connections_are_made_again_unnoticed(relay: TcpRelay) -> None:
    """Where another loop raises an ``OSError``, uvloop raises a ``RuntimeError``."""

    async def reset_again_and_again() -> list[object]:
        url = f"redis://127.0.0.1:{relay.port}/0"
        async with opened(url, prefix=create_prefix()) as store:
            entries = [create_entry() for _ in range(8)]
            await add_all(store, entries)
            found: list[object] = []
            for _ in range(5):
                relay.reset_all()
                await asyncio.sleep(0.02)
                loads = (load_all(store, [each]) for each in entries)
                found += await asyncio.gather(*loads, return_exceptions=True)
            return [each for each in found if isinstance(each, BaseException)]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raised = runner.run(reset_again_and_again())

    assert raised == []
