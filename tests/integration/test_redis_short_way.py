"""The short way on a real Redis: as the normal way, also when the store fails."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import ClassVar, Final

import pytest

from forwardauth.clock import SystemClock
from forwardauth.sessions.ids import create_session_id, digest_of
from forwardauth.sessions.stores.redis import RedisStore
from forwardauth.web import keys
from forwardauth.web.awaited_way import AwaitedWay
from tests.support.clock import FakeClock
from tests.support.portal import APP, COOKIE, PORTAL, Portal
from tests.support.processes import free_ports
from tests.support.redis_faults import Relay
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import ask_on_lane, create_prefix, opened
from tests.support.serving import Peer, serving, write_installation
from tests.support.ways import NAVIGATION, Ways, both_ways, converse, question, tell
from tests.unit.web.test_short_protocol import Line
from tests.unit.web.ways_contract import WaysContract

LOOK_UP: Final = b"\r\nHMGET\r\n"
"""Stands in the command of a look-up, and in no script."""

ALICE: Final = b"\r\nRemote-User: alice\r\n"
TIMEOUT_MS: Final = 300
PATIENCE_SECONDS: Final = 30.0
CONNECTIONS: Final = 16
ENOUGH_FOR_A_LANE: Final = 50


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run a server that has written what it acknowledges."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


async def warm_up(store: RedisStore) -> None:
    """Return when look-ups go together."""
    await ask_on_lane(store, digest_of(create_session_id()))


def asked_by(token: str) -> bytes:
    """Return what nginx asks for whoever has *token*."""
    return question("nginx", APP, "/", "GET", *NAVIGATION, cookie=f"{COOKIE}={token}")


class TestRedis(WaysContract):
    """Look-ups that go to Redis together."""

    questions: ClassVar[int] = 60
    conversations: ClassVar[int] = 20

    @pytest.fixture
    async def ways(self, tmp_path: Path, redis: RedisServer) -> AsyncIterator[Ways]:
        """Both, on the same installation."""
        async with (
            opened(redis.url, prefix=create_prefix()) as store,
            both_ways(tmp_path, store) as ways,
        ):
            assert isinstance(ways.short.app[keys.SHORT_WAY], AwaitedWay)
            await warm_up(store)
            yield ways


async def test_hanging_redis_is_told_as_the_normal_way_tells_it(
    tmp_path: Path, redis: RedisServer
) -> None:
    """503 after the time that a command has, and the session lives after it (V-33)."""
    async with (
        opened(redis.url, prefix=create_prefix(), timeout_ms=TIMEOUT_MS) as store,
        both_ways(tmp_path, store) as ways,
    ):
        token, _ = await ways.short.create_session()
        await warm_up(store)
        with redis.paused():
            short, normal = await asyncio.gather(
                converse(ways.short, asked_by(token)),
                converse(ways.normal, asked_by(token)),
            )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await ways.ask(asked_by(token)))[0][0] != b"HTTP/1.1 200 OK\r":
                pass

    assert tell(short)[0] == b"HTTP/1.1 503 Service Unavailable\r"
    assert tell(short) == tell(normal)


def test_stop_waits_for_who_waits_for_redis(tmp_path: Path, redis: RedisServer) -> None:
    """Who asked before SIGTERM is answered, though no application knows of it."""
    main_port, management = free_ports(2)
    server = f"  listen: 127.0.0.1:{main_port}\n  management: 127.0.0.1:{management}\n"
    store = f"{redis.url}?prefix={create_prefix()}"
    config = write_installation(tmp_path, server=server, store=store)
    peer = Peer(address=main_port)
    before = b""
    with serving(config, main_port, management) as process:
        asked = asked_by(peer.sign_in())
        with peer.connect() as client:
            for _ in range(ENOUGH_FOR_A_LANE):
                client.sendall(asked)
                before = client.recv(10_000)
            with redis.paused():
                client.sendall(asked)
                os.kill(process.pid, signal.SIGTERM)
                answer = client.recv(10_000)
        status = process.wait()

    assert ALICE in before
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert status == 0


async def test_killed_redis_under_load_signs_nobody_out(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Every answer is 200 or 503, one for each request, and all pass again (V-33)."""
    statuses: Counter[bytes] = Counter()
    is_over = False

    async def ask_on(portal: Portal, token: str) -> None:
        asked = asked_by(token)
        async with Line(portal) as line:
            while not is_over:
                await line.send(asked)
                answer = await line.read()
                statuses[answer.split(b" ", 2)[1]] += 1
                assert (ALICE in answer) is (b"200 OK" in answer)

    async def until(status: bytes, number: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while statuses[status] < number:  # noqa: ASYNC110 - counted by others
                await asyncio.sleep(0.01)

    async with (
        opened(redis.url, prefix=create_prefix()) as store,
        Portal(tmp_path, store=store, clock=SystemClock()) as portal,
    ):
        tokens = [(await portal.create_session())[0] for _ in range(CONNECTIONS)]
        await warm_up(store)
        askers = [asyncio.create_task(ask_on(portal, token)) for token in tokens]
        await until(b"200", 200)

        redis.kill()
        await until(b"503", CONNECTIONS)
        redis.start()
        await until(b"200", statuses[b"200"] + 200)
        is_over = True
        await asyncio.gather(*askers)

    assert statuses.keys() == {b"200", b"503"}


async def test_logout_while_an_answer_comes_counts_for_that_request(
    tmp_path: Path, redis: RedisServer
) -> None:
    """An answer that Redis gave before the end passes nobody after it (V-52)."""
    relay = Relay(redis)
    async with (
        relay.running() as url,
        opened(url, FakeClock(), prefix=create_prefix()) as store,
        Portal(tmp_path, store=store) as portal,
        Line(portal) as line,
    ):
        token, _ = await portal.create_session()
        await warm_up(store)
        before = tell(await converse(portal, asked_by(token)))
        relay.hold_answer_to(LOOK_UP)
        await line.send(asked_by(token))
        await relay.wait_until_held()

        logout = await portal.post_json("/api/logout", b"{}", cookie=token, host=PORTAL)
        relay.release()
        answer = await line.read()

    assert before[0] == b"HTTP/1.1 200 OK\r"
    assert logout.status == 200
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"Remote-User" not in answer


async def test_look_ups_of_many_connections_go_together(
    tmp_path: Path, redis: RedisServer
) -> None:
    """What arrives in one turn of the loop is one message, and each gets its own."""
    relay = Relay(redis)
    async with (
        relay.running() as url,
        opened(url, FakeClock(), prefix=create_prefix()) as store,
        Portal(tmp_path, store=store) as portal,
        Line(portal) as first,
        Line(portal) as second,
    ):
        alice, bob = [
            (await portal.create_session(name))[0] for name in ("alice", "bob")
        ]
        await warm_up(store)
        relay.asked.clear()
        first.write(asked_by(alice))
        second.write(asked_by(bob))
        answers = [await first.read(), await second.read()]

    assert ALICE in answers[0]
    assert b"\r\nRemote-User: bob\r\n" in answers[1]
    # What the service does beside the requests has connections of its own.
    counts = [message.count(LOOK_UP) for message in relay.asked]
    assert [count for count in counts if count] == [2]
