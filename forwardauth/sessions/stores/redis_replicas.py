"""Waits until the replicas of Redis have what their primary has acknowledged.

Law: an answer of enough replicas is about everything that the primary had acknowledged
when it was asked, whatever connection that came by. ``WAIT`` tells about the writes of
its own connection alone, so one is made there first: it is the last in the one stream
that a replica takes.
"""

import asyncio
import contextlib
from typing import Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.redis_client import RedisClient
from forwardauth.sessions.stores.redis_keys import TAGS, RedisKeys
from forwardauth.sessions.waiting import gather_all

_LIFETIME_MS: Final = 1_000


async def wait_for_replicas(client: RedisClient, keys: RedisKeys) -> None:
    """Return when every primary has as many replicas up to date as are wanted.

    Raises:
        StoreUnavailableError: One has not, within the time for an answer.
    """
    if not client.url.replicas:
        return
    # One key for each primary: a login and its sessions may lie on all of them.
    marks = await client.spread([keys.ping_of_tag(tag) for tag in TAGS])
    await gather_all(*(_wait(client, mark) for mark in marks))


async def _wait(client: RedisClient, mark: str) -> None:
    wanted = client.url.replicas
    place, connection = await client.open_connection(mark)
    server = f"redis store {place.host}:{place.port}"
    try:
        async with asyncio.timeout(2 * client.timeout_seconds):
            found = await _count(connection, mark, wanted, client.timeout_seconds)
    except (RedisError, OSError, EOFError) as exc:
        raise StoreUnavailableError(f"{server}: cannot wait: {exc}") from exc
    finally:
        with contextlib.suppress(OSError):
            await connection.disconnect(nowait=True)
    if found < wanted:
        message = f"{server}: {found} of {wanted} replicas have all that has ended"
        raise StoreUnavailableError(message)


async def _count(
    connection: AbstractConnection, mark: str, wanted: int, timeout_seconds: float
) -> int:
    await connection.send_command("SET", mark, "1", "PX", _LIFETIME_MS)
    await connection.read_response()
    # Answered before we would give up on the connection.
    await connection.send_command("WAIT", wanted, int(timeout_seconds * 800))
    return int(await connection.read_response())
