"""A logout that meets a store that is down, and a service that dies before it is up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import Process, free_ports, wait_for
from tests.support.redis_server import RedisServer
from tests.support.serving import Peer, serving, write_installation


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that can go away."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, redis: RedisServer) -> Iterator[Process]:
    """The service on that Redis."""
    (port,) = free_ports(1)
    server = f"  listen: 127.0.0.1:{port}\n  management: null\n"
    with serving(
        write_installation(tmp_path, server=server, store=redis.url), port
    ) as process:
        yield process


def test_promised_end_survives_the_death_of_the_service(
    redis: RedisServer, service: Process
) -> None:
    """``kill -9`` between the promise and its keeping loses nothing (L-9, L-15)."""
    peer = Peer(address=service.ports[0])
    token, other = peer.sign_in(), peer.sign_in("bob")

    with redis.stopped():
        promised = peer.sign_out(token)
        refused = peer.verify(token)
        service.kill()
        service.start()
        after_restart = peer.verify(token)
    wait_for(lambda: peer.verify(other).status == 200, "the store answers again")
    answers = {peer.verify(token).status for _ in range(5)}
    wait_for(lambda: _sessions(redis) == 1, "the promise is kept in the store")

    assert (promised.status, promised.json()["data"]) == (503, {"pending": True})
    assert refused.status == 401
    assert after_restart.status == 401
    assert answers == {401}
    assert peer.verify(other).status == 200


def _sessions(redis: RedisServer) -> int:
    """Return how many sessions the store holds."""
    return sum(b":s:" in key for key in redis.dump())
