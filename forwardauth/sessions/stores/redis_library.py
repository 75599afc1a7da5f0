"""Clients of redis-py for one server, for servers behind sentinels, for a cluster.

Laws: nothing is read from a replica. redis-py repeats nothing by itself: which command
may be sent twice is for ``redis_client`` to say. What it does badly is put right here.
"""

from typing import Any, Protocol, TypeAlias, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from forwardauth.sessions.stores.redis_url import RedisUrl, Topology

Argument: TypeAlias = bytes | str | int


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


class _BehindSentinels(Redis):
    """Speaks to the primary that the sentinels name."""

    connection_pool: Any

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connections to the servers and to the sentinels."""
        await super().aclose(close_connection_pool)
        await self.connection_pool.sentinel_manager.aclose()


def build_client(url: RedisUrl) -> Client:
    """Return a client for *url*; it connects when it is used."""
    match url.topology:
        case Topology.SINGLE:
            return _build_single(url)
        case Topology.SENTINEL:
            return _build_behind_sentinels(url)
        case Topology.CLUSTER:
            return _build_cluster(url)


async def prepare(client: Client) -> None:
    """Let *client* find its servers, before each command."""
    if isinstance(client, RedisCluster) and client.get_default_node() is None:
        # Before it has the map it would ask any server.
        _ = await client.initialize()


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
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py
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
    client = sentinel.master_for(url.service, redis_class=_BehindSentinels)
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
