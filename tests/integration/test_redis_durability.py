"""What real servers tell of themselves becomes findings, over every topology."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.durability import Risk
from forwardauth.sessions.stores.factory import list_durability_findings
from forwardauth.sessions.stores.redis_client import RedisClient
from forwardauth.sessions.stores.redis_clocks import read_clocks
from forwardauth.sessions.stores.redis_keys import RedisKeys
from forwardauth.sessions.stores.redis_replicas import wait_for_replicas
from forwardauth.sessions.stores.redis_url import parse_redis_url
from tests.support.processes import free_ports
from tests.support.redis_faults import answering
from tests.support.redis_groups import RedisPair, running_cluster
from tests.support.redis_server import RedisServer

CARELESS: Final = {
    "appendonly": "no",
    "save": "3600 1",
    "maxmemory": "100mb",
    "maxmemory-policy": "allkeys-lru",
}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Run a server that flushes what it acknowledges."""
    with RedisServer(tmp_path) as server:
        yield server


async def test_server_that_loses_nothing_is_not_spoken_of(redis: RedisServer) -> None:
    """The settings that the documentation asks for leave nothing to say."""
    assert await list_durability_findings(redis.url) == []


async def test_careless_server_is_told_line_by_line(redis: RedisServer) -> None:
    """Each setting that can lose an end of a session is found on the real server."""
    for name, value in CARELESS.items():
        redis.run("CONFIG", "SET", name, value)

    found = await list_durability_findings(redis.url)

    assert [each.risk for each in found] == [Risk.REVOCATIONS] * 2
    assert {each.server for each in found} == {f"127.0.0.1:{redis.port}"}
    assert any("allkeys-lru" in each.reason for each in found)
    assert any("appendonly is no" in each.reason for each in found)


async def test_user_without_the_right_to_ask_is_told(redis: RedisServer) -> None:
    """The documented rights do not contain the question; that is no silence."""
    rights = ("~forwardauth:*", "+@read", "+@write", "+ping", "+select", "-@dangerous")
    redis.run("ACL", "SETUSER", "forwardauth", "on", ">secret", *rights)
    url = redis.url.replace("://", "://forwardauth:secret@")

    before = await list_durability_findings(url)
    redis.run("ACL", "SETUSER", "forwardauth", "+info", "+config|get")
    after = await list_durability_findings(url)

    assert [each.risk for each in before] == [Risk.UNKNOWN]
    assert after == []


async def test_primary_behind_sentinels_is_asked(tmp_path: Path) -> None:
    """What can be replaced is judged by what its replicas keep."""
    with RedisPair(tmp_path) as pair:
        found = await list_durability_findings(pair.url)

    assert {each.server for each in found} == {f"127.0.0.1:{pair.primary.port}"}
    assert any("min-replicas-to-write is 0" in each.reason for each in found)


async def test_every_primary_of_a_cluster_is_asked(tmp_path: Path) -> None:
    """One careless server among three is found by its address."""
    with running_cluster(tmp_path) as cluster:
        careless = cluster.servers[1]
        careless.run("CONFIG", "SET", "appendfsync", "everysec")

        found = await list_durability_findings(cluster.url)

    servers = {each.server for each in found}
    assert servers == {f"127.0.0.1:{each.port}" for each in cluster.servers}
    told = [each.server for each in found if "everysec" in each.reason]
    assert told == [f"127.0.0.1:{careless.port}"]


async def test_server_that_is_away_is_an_outage() -> None:
    """Nothing is guessed about a server that does not answer."""
    (port,) = free_ports(1)

    with pytest.raises(StoreUnavailableError):
        await list_durability_findings(f"redis://127.0.0.1:{port}/0")


@pytest.mark.parametrize("after", range(4))
async def test_server_that_falls_silent_is_an_outage(after: int) -> None:
    """Wherever it stops, half of its answers are none."""
    async with answering(b"", after=after) as url:
        with pytest.raises(StoreUnavailableError):
            await list_durability_findings(url)


async def test_rubbish_for_settings_is_no_setting() -> None:
    """Whoever says nothing of use is told as a server that does not tell."""
    async with answering(b"+OK\r\n") as url:
        found = await list_durability_findings(url)

    assert {each.risk for each in found} == {Risk.UNKNOWN}


async def test_clock_that_nobody_may_ask_for_is_an_outage(redis: RedisServer) -> None:
    """The time of a server is never guessed."""
    redis.run("ACL", "SETUSER", "late", "on", ">secret", "~*", "+@all", "-time")

    with pytest.raises(StoreUnavailableError, match="time"):
        await read_clocks(redis.url.replace("://", "://late:secret@"))


async def test_wait_that_is_not_allowed_confirms_nothing(redis: RedisServer) -> None:
    """A user without ``+wait`` gets no logout acknowledged that could be lost."""
    redis.run("ACL", "SETUSER", "hasty", "on", ">secret", "~*", "+@all", "-wait")
    url = redis.url.replace("://", "://hasty:secret@") + "?replicas=1"
    client = RedisClient(parse_redis_url(url))

    with pytest.raises(StoreUnavailableError, match="cannot wait"):
        await wait_for_replicas(client, RedisKeys(client.url.prefix))

    await client.close()


@pytest.mark.parametrize("url", ["memory:", "sqlite:/nowhere/sessions.db"])
async def test_only_servers_are_asked(url: str) -> None:
    """A store without a server has no such settings, and is not opened."""
    assert await list_durability_findings(url) == []
