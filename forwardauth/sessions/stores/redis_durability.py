"""Asks the primaries of a Redis set-up how they keep what they acknowledge.

Law: asking changes nothing and needs no right beyond ``INFO`` and ``CONFIG GET``; a
server that refuses to tell is no outage. ``durability`` judges what was told.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.durability import Finding, PrimaryFacts, judge
from forwardauth.sessions.stores.redis_client import RedisClient
from forwardauth.sessions.stores.redis_keys import TAGS, RedisKeys
from forwardauth.sessions.stores.redis_url import RedisUrl, Topology

_SETTINGS: Final = ("appendfsync", "save", "min-replicas-to-write")


async def list_findings(url: RedisUrl) -> list[Finding]:
    """Return what ``durability_findings`` says about the servers at *url*.

    Raises:
        StoreUnavailableError: As it.
    """
    client = RedisClient(url)
    try:
        return await durability_findings(client)
    finally:
        await client.close()


async def durability_findings(client: RedisClient) -> list[Finding]:
    """Return what could be lost at each primary that *client* speaks to.

    Returns:
        Nothing when no acknowledged end of a session can be lost, as far as settings
        tell.

    Raises:
        StoreUnavailableError: A primary did not answer at all.
    """
    keys = RedisKeys(client.url.prefix)
    found = await client.spread([keys.ping_of_tag(tag) for tag in TAGS])
    facts = await asyncio.gather(*(_ask(client, key) for key in sorted(found)))
    return [finding for each in facts for finding in judge(each)]


async def _ask(client: RedisClient, key: str) -> PrimaryFacts:
    """Return what the primary that has *key* tells, on a connection of its own."""
    place, connection = await client.open_connection(key)
    try:
        async with asyncio.timeout(2 * client.timeout_seconds):
            info = _parse_info(await _answer(connection, "INFO"))
            config: dict[str, str] = {}
            for name in _SETTINGS:
                config |= _parse_pairs(await _answer(connection, "CONFIG", "GET", name))
    except (RedisError, OSError, EOFError) as exc:
        server = f"{place.host}:{place.port}"
        raise StoreUnavailableError(f"redis store {server}: {exc}") from exc
    finally:
        with contextlib.suppress(OSError):
            await connection.disconnect(nowait=True)
    return _parse_facts(
        info,
        config,
        server=f"{place.host}:{place.port}",
        is_replaceable=client.url.topology is not Topology.SINGLE,
        awaited=client.url.replicas,
    )


async def _answer(connection: AbstractConnection, *command: str) -> Any:
    """Return the answer, ``None`` when the server refuses to give one."""
    await connection.send_command(*command)
    try:
        return await connection.read_response()
    except ResponseError:  # No right to ask, or a service that hides its settings.
        return None


def _parse_info(answer: Any) -> dict[str, str]:
    """Return the fields of all sections."""
    lines = answer.decode(errors="replace").splitlines() if answer else ()
    pairs = (line.partition(":") for line in lines if not line.startswith("#"))
    return {name: value for name, colon, value in pairs if colon}


def _parse_pairs(answer: Any) -> dict[str, str]:
    answers = answer if isinstance(answer, list) else ()
    parts = [part.decode(errors="replace") for part in answers]
    return dict(zip(parts[::2], parts[1::2], strict=False))


def _parse_facts(
    info: Mapping[str, str],
    config: Mapping[str, str],
    *,
    server: str,
    is_replaceable: bool,
    awaited: int,
) -> PrimaryFacts:
    logging = _number(info, "aof_enabled")
    return PrimaryFacts(
        server=server,
        is_replaceable=is_replaceable,
        awaited=awaited,
        replicas=_number(info, "connected_slaves"),
        is_logging=None if logging is None else bool(logging),
        fsync=config.get("appendfsync"),
        save=config.get("save"),
        max_memory=_number(info, "maxmemory"),
        eviction=info.get("maxmemory_policy"),
        min_replicas=_number(config, "min-replicas-to-write"),
    )


def _number(fields: Mapping[str, str], name: str) -> int | None:
    text = fields.get(name, "")
    return int(text) if text.isdigit() else None
