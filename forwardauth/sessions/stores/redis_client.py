"""Commands to Redis or Valkey: one server, behind sentinels, or a cluster.

Laws: a command is answered within a bounded time or raises ``StoreUnavailableError``,
whatever it was that failed. Nothing is read from a replica. A command is sent a second
time only where that changes nothing, and only when its connection turned out to be
dead, as those are that a server closed while they were idle.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast

import redis.exceptions as errors
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.redis_scripts import Script
from forwardauth.sessions.stores.redis_url import RedisUrl, Topology

Argument: TypeAlias = bytes | str | int

_T = TypeVar("_T")

_PATIENCE: Final = 3
"""One call may take this many timeouts: a connection, an answer, both once more."""

_FAULTS: Final = (errors.RedisError, errors.RedisClusterException, OSError, EOFError)
"""All that redis-py raises: READONLY, LOADING, MASTERDOWN and CLUSTERDOWN are replies,
which it turns into a ``RedisError``; only trouble with the map of a cluster is none."""


class _Client(Protocol):
    """What ``Redis`` and ``RedisCluster`` have in common, with types."""

    async def execute_command(self, *arguments: Argument) -> Any: ...

    def pipeline(self, *, transaction: bool) -> Any: ...

    async def aclose(self) -> None: ...


class RedisClient:
    """Sends commands to the servers of one address; connects with the first."""

    def __init__(self, url: RedisUrl) -> None:
        """Keep *url*; nothing is resolved or opened."""
        self._url = url
        self._client: _Client | None = None
        self._sentinel: Sentinel | None = None
        self._is_closed = False
        # Waiting for a turn counts as waiting for the answer, so that a server that
        # hangs does not gather a crowd.
        self._turns = asyncio.Semaphore(url.pool)

    async def run(self, *command: Argument) -> Any:
        """Return the answer to one command that may be sent twice.

        Raises:
            StoreUnavailableError: There was none, or the server refused.
        """
        return await self._attempt(lambda client: client.execute_command(*command))

    async def call(
        self,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[Argument],
        *,
        is_repeatable: bool = True,
    ) -> Any:
        """Return what *script* returns; see ``run``.

        Args:
            script: Called by its name, and in full where the server forgot it.
            keys: Of one slot, all that the script uses.
            arguments: Follow the keys.
            is_repeatable: Whether a second call would answer the same.
        """
        rest = (len(keys), *keys, *arguments)

        async def work(client: _Client) -> Any:
            try:
                return await client.execute_command("EVALSHA", script.sha1, *rest)
            except errors.NoScriptError:
                return await client.execute_command("EVAL", script.text, *rest)

        return await self._attempt(work, is_repeatable=is_repeatable)

    async def run_all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Return the answers to *commands*, sent together; none changes anything."""

        async def work(client: _Client) -> Any:
            async with client.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                return await pipeline.execute()

        return cast(list[Any], await self._attempt(work))

    async def spread(self, keys: Sequence[str]) -> list[str]:
        """Return some of *keys* such that every primary that has any has one."""

        async def work(client: _Client) -> list[str]:
            if not isinstance(client, RedisCluster):
                return [keys[0]]
            client = await client.initialize()
            return list({str(client.get_node_from_key(k)): k for k in keys}.values())

        return await self._attempt(work)

    async def close(self) -> None:
        """Close every connection; later calls raise."""
        self._is_closed = True
        client, self._client = self._client, None
        sentinel, self._sentinel = self._sentinel, None
        with contextlib.suppress(*_FAULTS):
            if client is not None:
                await client.aclose()
            if sentinel is not None:
                await sentinel.aclose()

    async def _attempt(
        self, work: Callable[[_Client], Awaitable[_T]], *, is_repeatable: bool = True
    ) -> _T:
        if self._is_closed:
            raise StoreUnavailableError("redis store: closed")
        try:
            async with asyncio.timeout(_PATIENCE * self._url.timeout_seconds):
                async with self._turns:
                    try:
                        return await work(self._connected())
                    except errors.ConnectionError as exc:
                        # Its subclasses say why; only a dead connection is this.
                        if not is_repeatable or type(exc) is not errors.ConnectionError:
                            raise
                    return await work(self._connected())
        except _FAULTS as exc:
            await self._recover(exc)
            raise StoreUnavailableError(self._explain(exc)) from exc

    async def _recover(self, fault: Exception) -> None:
        """Look the servers up again where the ones that we know do not serve."""
        client = self._client
        with contextlib.suppress(*_FAULTS):
            if isinstance(fault, errors.ReadOnlyError) and isinstance(client, Redis):
                # Demoted: its name may lead to the new primary by now.
                await client.connection_pool.disconnect(inuse_connections=False)
            elif isinstance(fault, errors.RedisClusterException) and client is not None:
                # None of the addresses that the cluster told us answers. Those in the
                # configuration may be names of servers that have moved.
                self._client = None
                await client.aclose()

    def _explain(self, fault: Exception) -> str:
        servers = ", ".join(f"{host}:{port}" for host, port in self._url.nodes)
        text = str(fault) or f"no answer within {self._url.timeout_seconds:g} s"
        for secret in filter(None, (self._url.password, self._url.sentinel_password)):
            text = text.replace(secret, "…")
        return f"redis store {servers}: {text}"

    def _connected(self) -> _Client:
        """Return the client, which connects by itself when it is used."""
        if self._client is None:
            self._client = self._build()
        return self._client

    def _build(self) -> _Client:
        match self._url.topology:
            case Topology.SINGLE:
                return self._build_single()
            case Topology.SENTINEL:
                return self._build_behind_sentinels()
            case Topology.CLUSTER:
                return self._build_cluster()

    def _options(self) -> dict[str, Any]:
        url = self._url
        options: dict[str, Any] = {
            "socket_timeout": url.timeout_seconds,
            "socket_connect_timeout": url.timeout_seconds,
            # We repeat commands ourselves, those that may be.
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

    def _credentials(self) -> dict[str, Any]:
        return {"username": self._url.username, "password": self._url.password}

    def _build_single(self) -> _Client:
        ((host, port),) = self._url.nodes
        client = Redis(
            host=host,
            port=port,
            db=self._url.database,
            max_connections=self._url.pool,
            **self._credentials(),
            **self._options(),
        )
        return cast(_Client, client)

    def _build_behind_sentinels(self) -> _Client:
        self._sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py
            self._url.nodes,
            sentinel_kwargs={
                **self._options(),
                "username": self._url.sentinel_username,
                "password": self._url.sentinel_password,
            },
            db=self._url.database,
            max_connections=self._url.pool,
            **self._credentials(),
            **self._options(),
        )
        return cast(_Client, self._sentinel.master_for(self._url.service))

    def _build_cluster(self) -> _Client:
        client = RedisCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in self._url.nodes],
            # Whether a cluster with a gap may serve is for the cluster to say.
            require_full_coverage=False,
            # Connections that are being closed count for a moment longer than turns.
            max_connections=2 * self._url.pool,
            **self._credentials(),
            **self._options(),
        )
        return cast(_Client, client)


async def gather_all(*calls: Awaitable[_T]) -> list[_T]:
    """Return the answers to *calls*, made at once; all have ended before one raises."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return cast(list[_T], answers)
