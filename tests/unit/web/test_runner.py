"""How many connections there may be, and whose end a connection too many is."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from forwardauth.web import keys
from forwardauth.web.limits import Limits
from tests.support.connections import Connection, connected
from tests.support.portal import PORTAL, Portal

LIMIT: Final = 3
HEALTH: Final = f"GET /api/health HTTP/1.1\r\nHost: {PORTAL}\r\n\r\n".encode()
LOGIN: Final = (
    f"POST /login HTTP/1.1\r\nHost: {PORTAL}\r\nExpect: 100-continue\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n\r\n"
).encode()


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
