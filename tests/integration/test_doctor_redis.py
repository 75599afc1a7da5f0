"""``forwardauth doctor`` before a real Redis, careful and careless."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from forwardauth.clock import SystemClock
from forwardauth.doctor.findings import Outcome
from forwardauth.doctor.store import DURABILITY, check_store
from forwardauth.sessions.stores.redis_clocks import read_clocks
from tests.support.cases import make_case
from tests.support.redis_server import RedisServer


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Run a server that flushes what it acknowledges."""
    with RedisServer(tmp_path / "redis") as server:
        yield server


async def test_redis_is_looked_at(tmp_path: Path, redis: RedisServer) -> None:
    """Latency, clock and settings; a careless setting is named with its line."""
    text = f"session: {{store: '{redis.url}', secret: {'s' * 40}}}\n"
    case = make_case(tmp_path, text, clock=SystemClock())
    careful = await check_store(case)
    redis.run("CONFIG", "SET", "maxmemory", "100mb")
    redis.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")

    careless = await check_store(case)

    assert [each.outcome for each in careful] == [Outcome.OK] * 3
    (warning,) = (each for each in careless if each.outcome is Outcome.WARN)
    assert warning.check.startswith(DURABILITY)
    assert "maxmemory-policy is allkeys-lru" in warning.detail
    assert "maxmemory-policy noeviction" in warning.remedy


async def test_clock_of_every_primary_is_read(redis: RedisServer) -> None:
    """In seconds, by the address of the server."""
    clocks = await read_clocks(redis.url)

    (seconds,) = clocks.values()
    assert list(clocks) == [f"127.0.0.1:{redis.port}"]
    assert abs(seconds - SystemClock().now().timestamp()) < 5
