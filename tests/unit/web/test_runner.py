"""How many connections there may be, and what they meet when the settings change."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from forwardauth.web import keys
from forwardauth.web.limits import Limits
from tests.support.connections import Connection, connected
from tests.support.portal import PORTAL, Portal
from tests.unit.web.test_awaited_protocol import Waiting
from tests.unit.web.test_short_protocol import Line, question

LIMIT: Final = 3
HEALTH: Final = f"GET /api/health HTTP/1.1\r\nHost: {PORTAL}\r\n\r\n".encode()
LOGIN: Final = (
    f"POST /login HTTP/1.1\r\nHost: {PORTAL}\r\nExpect: 100-continue\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n\r\n"
).encode()


FORM: Final = (
    f"POST /login HTTP/1.1\r\nHost: {PORTAL}\r\nAccept: text/html\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\n"
    "username"
).encode()
LOGOUT: Final = (
    f"POST /api/logout HTTP/1.1\r\nHost: {PORTAL}\r\n"
    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
).encode()
PAGE: Final = (
    f"GET /login HTTP/1.1\r\nHost: {PORTAL}\r\nAccept: text/html\r\n\r\n".encode()
)


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Portal]:
    """The service, which takes few connections."""
    async with Portal(tmp_path, limits=Limits(max_connections=LIMIT)) as portal:
        yield portal


async def _ask(connection: Connection, data: bytes) -> bytes:
    await connection.write(data)
    return await connection.answer()


async def test_connection_too_many_ends_the_one_idle_longest(full: Portal) -> None:
    """Others stay open, and the new one is served (V-42)."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        old = [await enter(connected(full.url("/"))) for _ in range(LIMIT)]
        for each in (*old, old[0]):
            await _ask(each, HEALTH)
        new = await enter(connected(full.url("/")))
        answer = await _ask(new, HEALTH)
        ended = await old[1].rest()
        kept = [await _ask(each, HEALTH) for each in (old[0], old[2], new)]

    assert ended == b""
    assert [each[:12] for each in (answer, *kept)] == [b"HTTP/1.1 200"] * 4


async def test_connection_too_many_never_ends_a_request(full: Portal) -> None:
    """Where all are busy the new one is ended, and served once there is room (V-42)."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        busy = [await enter(connected(full.url("/"))) for _ in range(LIMIT)]
        begun = [await _ask(each, LOGIN) for each in busy]
        refused = await enter(connected(full.url("/")))
        await refused.write(HEALTH)
        answer = await refused.rest()
        finished = [await _ask(each, b"a=bc") for each in busy]
        later = await _ask(await enter(connected(full.url("/"))), HEALTH)

    assert begun == [b"HTTP/1.1 100 Continue\r\n\r\n"] * LIMIT
    assert answer == b""
    assert [each[:12] for each in finished] == [b"HTTP/1.1 403"] * LIMIT
    assert later.startswith(b"HTTP/1.1 200 ")


async def test_ended_connections_do_not_count(full: Portal) -> None:
    """Any number of clients may come one after the other."""
    for _ in range(3 * LIMIT):
        async with connected(full.url("/")) as connection:
            answer = await _ask(connection, HEALTH)

            assert answer.startswith(b"HTTP/1.1 200 ")


async def test_short_way_is_told_of_a_crowd(tmp_path: Path) -> None:
    """With many connections no turn of the loop is trusted to end (V-52)."""
    limits = Limits(crowd=2)
    async with Portal(tmp_path, limits=limits) as portal, AsyncExitStack() as stack:
        glances = portal.app[keys.SHORT_WAY]._glances  # noqa: SLF001
        assert glances is not None
        seen = []
        for _ in range(2):
            one = await stack.enter_async_context(connected(portal.url("/")))
            await _ask(one, HEALTH)
            seen.append(glances.is_crowded)
        await stack.aclose()
        async with connected(portal.url("/")) as alone:
            await _ask(alone, HEALTH)
            seen.append(glances.is_crowded)

    assert seen == [False, True, False]


async def test_kept_connection_meets_the_new_settings(tmp_path: Path) -> None:
    """The next request, whichever way it goes (V-47)."""
    async with Portal(tmp_path) as portal, Line(portal) as line:
        token, _ = await portal.create_session()
        for sent in (question(token), PAGE):
            await line.send(sent)
            await line.read()
        successor = await portal.change_over(
            "headers: {user: X-User}\nportal: {title: Changed}\n"
        )
        await line.send(question(token))
        verified = await line.read()
        await line.send(PAGE)
        page = await line.read()
        await line.send(question(token, "/", "Authorization: Bearer x"))
        long_way = await line.read()
        await successor.cleanup()

    assert b"\r\nX-User: alice\r\n" in verified
    assert b"\r\nX-User: alice\r\n" in long_way
    assert b"Changed" in page


async def test_kept_connection_of_a_proxy_may_lose_its_trust(tmp_path: Path) -> None:
    """It is asked again who may speak for clients (V-11)."""
    async with Portal(tmp_path) as portal, Line(portal) as line:
        token, _ = await portal.create_session()
        await line.send(question(token))
        trusted = await line.read()
        successor = await portal.change_over(
            "server: {trusted_proxies: [192.0.2.1/32]}\n"
        )
        await line.send(question(token))
        refused = await line.read()
        await successor.cleanup()

    assert trusted.startswith(b"HTTP/1.1 200 ")
    assert refused.startswith(b"HTTP/1.1 403 ")


async def test_connection_made_before_a_change_may_begin_after_it(
    tmp_path: Path,
) -> None:
    """Whoever has just been accepted has nothing of what was before."""
    async with Portal(tmp_path) as portal:
        token, _ = await portal.create_session()
        async with Line(portal) as line:
            successor = await portal.change_over("headers: {user: X-User}\n")
            await line.send(question(token))
            first = await line.read()
        await successor.cleanup()

    assert b"\r\nX-User: alice\r\n" in first


async def test_request_under_way_ends_with_what_it_began_with(tmp_path: Path) -> None:
    """Its body may come later; the next one on its connection meets the change."""
    async with Portal(tmp_path) as portal, Line(portal) as line:
        await line.send(FORM)
        successor = await portal.change_over("portal: {title: Changed}\n")
        await line.send(b"=alice")
        under_way = await line.read()
        await line.send(PAGE)
        following = await line.read()
        await successor.cleanup()

    assert under_way.startswith(b"HTTP/1.1 403 ")
    assert b"Changed" not in under_way
    assert b"Changed" in following


async def test_answer_of_the_store_goes_to_who_asked_it(tmp_path: Path) -> None:
    """A question that waits for the store is answered as it was asked (V-47)."""
    async with Waiting(tmp_path) as portal, Line(portal) as line:
        asked = await portal.hold()
        await line.send(asked)
        await portal.wait_until_asked()
        successor = await portal.change_over("headers: {user: X-User}\n")
        portal.deferred.is_held = False
        portal.deferred.answer()
        under_way = await line.read()
        await line.send(asked)
        following = await line.read()
        await successor.cleanup()

    assert b"\r\nRemote-User: alice\r\n" in under_way
    assert b"\r\nX-User: alice\r\n" in following


STORES: Final = {"glances": Portal, "waits": Waiting}


@pytest.mark.parametrize("kind", STORES.values(), ids=STORES)
@pytest.mark.parametrize("way", ["short", "normal", "with a body"])
async def test_kept_connection_is_told_that_it_ends(
    tmp_path: Path, kind: type[Portal], way: str
) -> None:
    """In a stop the next answer is the last and says so, whichever way it goes."""
    async with kind(tmp_path) as portal, Line(portal) as line:
        token, _ = await portal.create_session()
        asked = {"short": question(token), "normal": PAGE, "with a body": LOGOUT}[way]
        await line.send(asked)
        before = await line.read()
        portal.runner.end_soon()
        await line.send(asked)
        last = await line.read()
        behind = await line.rest()

    assert b"\r\nConnection: close\r\n" not in before
    assert b"\r\nConnection: close\r\n" in last
    assert last[:15] == before[:15] == b"HTTP/1.1 200 OK"
    assert behind == b""


async def test_connection_made_in_a_stop_has_one_request(tmp_path: Path) -> None:
    """The system had let it in before the listener was closed."""
    async with Portal(tmp_path) as portal:
        portal.runner.end_soon()
        async with Line(portal) as line:
            await line.send(HEALTH)
            received = await line.rest()

    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close\r\n" in received


async def test_pipelined_requests_are_all_answered_in_a_stop(tmp_path: Path) -> None:
    """The one that says it is the last is the last that has come."""
    async with Portal(tmp_path) as portal, Line(portal) as line:
        portal.runner.end_soon()
        await line.send(HEALTH * 2)
        received = await line.rest()

    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.count(b"\r\nConnection: close\r\n") == 1
    assert received.index(b"Connection: close") > received.rindex(b"HTTP/1.1 200 OK")


async def test_answer_that_waits_for_the_store_does_not_hide_the_end(
    tmp_path: Path,
) -> None:
    """It was asked for before the stop; the one after it is the last."""
    async with Waiting(tmp_path) as portal, Line(portal) as line:
        asked = await portal.hold()
        await line.send(asked)
        await portal.wait_until_asked()
        portal.runner.end_soon()
        is_quiet = portal.runner.is_quiet
        portal.deferred.is_held = False
        portal.deferred.answer()
        first = await line.read()
        await line.send(asked)
        last = await line.rest()

    assert not is_quiet
    assert first.startswith(b"HTTP/1.1 200 ")
    assert last.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close\r\n" in last


@pytest.mark.parametrize(
    ("seconds", "sent", "is_quiet"),
    [
        pytest.param(3600.0, HEALTH, False, id="asked a moment ago"),
        pytest.param(0.0, HEALTH, True, id="asked long ago"),
        pytest.param(0.0, LOGOUT, True, id="a body long ago"),
        pytest.param(0.0, HEALTH + HEALTH[:9], False, id="half of a head"),
        pytest.param(0.0, HEALTH + LOGIN, False, id="half of a request"),
    ],
)
async def test_stop_knows_who_may_be_asking(
    tmp_path: Path, seconds: float, sent: bytes, *, is_quiet: bool
) -> None:
    """A connection is cut when nothing is under way, and nothing has just been."""
    limits = Limits(quiet_seconds=seconds)
    async with Portal(tmp_path, limits=limits) as portal, Line(portal) as line:
        await line.send(sent)
        await line.read()
        await asyncio.sleep(0)
        found = portal.runner.is_quiet

    assert found is is_quiet


async def test_nobody_connected_is_quiet(tmp_path: Path) -> None:
    """A service that nobody asks stops at once."""
    async with Portal(tmp_path) as portal:
        found = portal.runner.is_quiet

    assert found


async def test_connection_that_was_accepted_elsewhere_is_served(tmp_path: Path) -> None:
    """Whoever empties the queue of a listener hands on what was in it."""
    async with Portal(tmp_path) as portal:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            await portal.runner.take(listener.accept()[0])
        writer.write(HEALTH)
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200 ")
