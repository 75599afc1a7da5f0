"""What time it is on the primaries of a Redis set-up.

The store never compares their clocks with ours. Who looks for what is wrong does: an
index is kept by the one, a session by the other.
"""

import asyncio
import contextlib
from typing import Final

from redis.exceptions import RedisError

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.redis_client import RedisClient
from forwardauth.sessions.stores.redis_keys import TAGS, RedisKeys
from forwardauth.sessions.stores.redis_url import parse_redis_url

_MICROSECONDS: Final = 1_000_000


async def read_clocks(url: str) -> dict[str, float]:
    """Return seconds since 1970 on each primary, by host and port.

    Args:
        url: As in ``session.store``, of a Redis.

    Raises:
        ValueError: It is none.
        StoreUnavailableError: A primary did not tell.
    """
    client = RedisClient(parse_redis_url(url))
    try:
        keys = RedisKeys(client.url.prefix)
        found = await client.spread([keys.ping_of_tag(tag) for tag in TAGS])
        return dict([await _read_clock(client, key) for key in sorted(found)])
    finally:
        await client.close()


async def _read_clock(client: RedisClient, key: str) -> tuple[str, float]:
    place, connection = await client.open_connection(key)
    server = f"{place.host}:{place.port}"
    try:
        async with asyncio.timeout(client.timeout_seconds):
            await connection.send_command("TIME")
            seconds, micros = await connection.read_response()
    except (RedisError, OSError, EOFError, TimeoutError, ValueError) as exc:
        raise StoreUnavailableError(f"redis store {server}: {exc}") from exc
    finally:
        with contextlib.suppress(OSError):
            await connection.disconnect(nowait=True)
    return server, int(seconds) + int(micros) / _MICROSECONDS
