"""Clients of redis-py for one server, for servers behind sentinels, for a cluster.

Laws: nothing is read from a replica. redis-py repeats nothing by itself: which command
may be sent twice is for ``redis_client`` to say. What it does badly is put right here.
"""

import asyncio
import contextlib
from typing import Any, Final, Protocol, TypeAlias, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from forwardauth.sessions.stores.redis_url import RedisUrl, Topology

Argument: TypeAlias = bytes | str | int
Address: TypeAlias = tuple[str, int]

LOOK_SECONDS: Final = 1.0
"""How often the sentinels are asked which server is the primary, while it is used."""


class Client(Protocol):
    """What ``Redis`` and ``RedisCluster`` have in common, with types."""

    async def execute_command(self, *arguments: Argument) -> Any:
        """Return the answer to one command."""
        ...

    def pipeline(self, *, transaction: bool) -> Any:
        """Collect commands, to send them together."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class _Sentinels(Sentinel):
    """Knows all sentinels, whoever asks them at once.

    redis-py puts the one that has answered first; where two look at the same moment,
    another one falls out of its list, is asked no more and never closed.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._all = tuple(self.sentinels)

    async def discover_master(self, service_name: str) -> Any:
        try:
            return await super().discover_master(service_name)
        finally:
            self.sentinels = list(dict.fromkeys([*self.sentinels, *self._all]))


class _PrimaryPool(SentinelConnectionPool):
    """Connections to the primary; those to one that was replaced are not kept."""

    async def release(self, connection: AbstractConnection) -> None:
        place = getattr(connection, "host", None), getattr(connection, "port", None)
        if place != self.master_address:
            await connection.disconnect()
        await super().release(connection)


class _BehindSentinels(Redis):
    """Speaks to the primary, and leaves it when the sentinels have left it.

    A primary that was replaced while it lives goes on to answer for ten seconds, until
    it is told: a session that was ended at the new one would live there.
    """

    connection_pool: Any

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._looks: set[asyncio.Task[None]] = set()
        self._look_after = 0.0

    def follow(self) -> None:
        """Look for the primary, at most once a second, while others go on."""
        now = asyncio.get_running_loop().time()
        if now >= self._look_after and not self._looks:
            self._look_after = now + LOOK_SECONDS
            look = asyncio.create_task(self._look_up())
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)

    async def _look_up(self) -> None:
        # Sentinels that do not answer have told nothing.
        with contextlib.suppress(RedisError, OSError):
            # Closes the idle connections where the answer is another than before.
            await self.connection_pool.get_master_address()

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connections to the servers and to the sentinels."""
        for look in self._looks:
            look.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)
        await super().aclose(close_connection_pool)
        await self.connection_pool.sentinel_manager.aclose()


def build_client(url: RedisUrl) -> Client:
    """Return a client for *url*; it connects when it is used."""
    match url.topology:
        case Topology.SINGLE:
            return _build_single(url)
        case Topology.SENTINEL:
            return _build_behind_sentinels(url)
        case Topology.CLUSTER:  # pragma: no branch - mypy proves it the last
            return _build_cluster(url)


async def prepare(client: Client) -> None:
    """Let *client* find its servers, before each command."""
    if isinstance(client, _BehindSentinels):
        client.follow()
    elif isinstance(client, RedisCluster) and client.get_default_node() is None:
        # Before it has the map it would ask any server.
        _ = await client.initialize()


def lookup_address(client: Client, key: str) -> Address | None:
    """Return which server would be asked about *key*; ``None`` if that is not known."""
    if isinstance(client, _BehindSentinels):
        client.follow()
        return cast(Address | None, client.connection_pool.master_address)
    if isinstance(client, RedisCluster):
        if client.get_default_node() is None:
            return None
        with contextlib.suppress(RedisClusterException):
            node = cast(ClusterNode, client.get_node_from_key(key))
            return node.host, int(node.port)
        return None
    options = cast(Redis, client).connection_pool.connection_kwargs
    return options["host"], options["port"]


async def connect(client: Client, key: str) -> tuple[Address, AbstractConnection]:
    """Return a connection of its own to the server that has *key*, and where that is.

    Nobody else gets it; whoever has it disconnects it.
    """
    if isinstance(client, RedisCluster):
        node = cast(ClusterNode, client.get_node_from_key(key))
        options = {**node.connection_kwargs, "retry": Retry(NoBackoff(), 0)}
        connection: Any = node.connection_class(**options)
    else:
        pool: Any = cast(Redis, client).connection_pool
        connection = pool.make_connection()
    try:
        await connection.connect()
    except BaseException:  # Whoever gave up in the middle has nothing to close it by.
        await connection.disconnect(nowait=True)
        raise
    return (connection.host, connection.port), connection


def _options(url: RedisUrl) -> dict[str, Any]:
    options: dict[str, Any] = {
        "socket_timeout": url.timeout_seconds,
        "socket_connect_timeout": url.timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        # Two commands less for each connection; proxies know neither.
        "driver_info": None,
    }
    if url.is_tls:
        options |= {
            "ssl": True,
            "ssl_ca_certs": url.ca_file,
            "ssl_certfile": url.cert_file,
            "ssl_keyfile": url.key_file,
        }
    return options


def _credentials(url: RedisUrl) -> dict[str, Any]:
    return {"username": url.username, "password": url.password}


def _build_single(url: RedisUrl) -> Client:
    ((host, port),) = url.nodes
    client = Redis(
        host=host,
        port=port,
        db=url.database,
        max_connections=url.pool,
        **_credentials(url),
        **_options(url),
    )
    return cast(Client, client)


def _build_behind_sentinels(url: RedisUrl) -> Client:
    sentinel = _Sentinels(
        url.nodes,
        sentinel_kwargs={
            **_options(url),
            "username": url.sentinel_username,
            "password": url.sentinel_password,
        },
        db=url.database,
        max_connections=url.pool,
        **_credentials(url),
        **_options(url),
    )
    client = sentinel.master_for(
        url.service,
        redis_class=_BehindSentinels,
        connection_pool_class=_PrimaryPool,
    )
    return cast(Client, client)


def _build_cluster(url: RedisUrl) -> Client:
    client = RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in url.nodes],
        # Whether a cluster with a gap may serve is for the cluster to say.
        require_full_coverage=False,
        # MOVED says where a slot is, which is enough. To begin anew, redis-py would
        # close the connections that others wait on.
        reinitialize_steps=0,
        # Connections that are being closed count for a moment longer than turns.
        max_connections=2 * url.pool,
        **_credentials(url),
        **_options(url),
    )
    return cast(Client, client)
