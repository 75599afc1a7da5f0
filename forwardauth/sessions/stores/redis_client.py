"""Commands to Redis or Valkey: one server, behind sentinels, or a cluster.

Laws: a command is answered within a bounded time or raises ``StoreUnavailableError``,
whatever it was that failed. Nothing is read from a replica. A command is sent a second
time only where that changes nothing, and only when its connection turned out to be
dead, as those are that a server closed while they were idle.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

import redis.exceptions as errors
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.redis_library import (
    Argument,
    Client,
    build_client,
    connect,
    lookup_address,
    prepare,
)
from forwardauth.sessions.stores.redis_scripts import Script
from forwardauth.sessions.stores.redis_url import RedisUrl, Topology
from forwardauth.sessions.waiting import kept_cancellation

_T = TypeVar("_T")

Call: TypeAlias = tuple[Script, Sequence[str], Sequence[Argument]]
"""A script, its keys, and its arguments."""

_PATIENCE: Final = 3
"""One call may take this many timeouts: a connection, an answer, both once more."""

_DEAD: Final = (errors.ConnectionError, AttributeError, RuntimeError)
"""A connection turned out to be dead; where another task was closing it, redis-py uses
what is no longer there. What is sent on one that was reset is a ``RuntimeError`` on
uvloop. The subclasses of all of them mean something else."""

_FAULTS: Final = (
    *(errors.RedisError, errors.RedisClusterException, OSError, EOFError),
    *(AttributeError, RuntimeError, ValueError),
)
"""All that redis-py raises. READONLY, LOADING, MASTERDOWN and CLUSTERDOWN are replies,
which it turns into a ``RedisError``; trouble with the map of a cluster is none, and a
reply that is not in the protocol is a ``ValueError``."""


class Place(NamedTuple):
    """A server, as long as nothing has shown that it does not serve.

    Attributes:
        host: Name or address.
        port: Of the server.
        term: Begins when the servers of the address are looked up again.
    """

    host: str
    port: int
    term: int


class RedisClient:
    """Sends commands to the servers of one address; connects with the first."""

    def __init__(self, url: RedisUrl) -> None:
        """Keep *url*; nothing is resolved or opened."""
        self.url = url
        self._client: Client | None = None
        self._is_closed = False
        self._term = 0
        self.is_spread = url.topology is Topology.CLUSTER
        self.timeout_seconds = url.timeout_seconds
        self.on_fault: Callable[[], None] = _do_nothing
        """Called when a command or its connection has failed, before anybody hears."""

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

        async def work(client: Client) -> Any:
            try:
                return await client.execute_command("EVALSHA", script.sha1, *rest)
            except errors.NoScriptError:
                return await client.execute_command("EVAL", script.text, *rest)

        return await self._attempt(work, is_repeatable=is_repeatable)

    async def run_all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Return the answers to *commands*, sent together; none changes anything."""
        answers = await self._attempt(lambda client: _send_together(client, commands))
        return cast(list[Any], answers)

    async def call_all(self, calls: Sequence[Call]) -> list[Any]:
        """Return what *calls*, each of which may be sent twice, return; as ``run_all``.

        A server that has forgotten a script is sent all of them again, in full.
        """
        rests = [(len(keys), *keys, *rest) for _, keys, rest in calls]
        scripts = [script for script, _, _ in calls]
        short = [("EVALSHA", s.sha1, *r) for s, r in zip(scripts, rests, strict=True)]

        async def work(client: Client) -> Any:
            try:
                return await _send_together(client, short)
            except errors.NoScriptError:
                whole = zip(scripts, rests, strict=True)
                return await _send_together(
                    client, [("EVAL", script.text, *rest) for script, rest in whole]
                )

        return cast(list[Any], await self._attempt(work))

    async def spread(self, keys: Sequence[str]) -> list[str]:
        """Return some of *keys* such that every primary that has any has one."""

        async def work(client: Client) -> list[str]:
            if not isinstance(client, RedisCluster):
                return [keys[0]]
            client = await client.initialize()
            return list({str(client.get_node_from_key(k)): k for k in keys}.values())

        return await self._attempt(work)

    def lookup_place(self, key: str) -> Place | None:
        """Return which server has *key*; ``None`` if that is not known at once."""
        if self._client is None:
            return None
        address = lookup_address(self._client, key)
        return None if address is None else Place(*address, self._term)

    async def open_connection(self, key: str) -> tuple[Place, AbstractConnection]:
        """Return a new connection to the server that has *key*, for the caller alone.

        Raises:
            StoreUnavailableError: There is none.
        """
        term = self._term
        address, connection = await self._attempt(lambda client: connect(client, key))
        return Place(*address, term), connection

    async def close(self) -> None:
        """Close every connection; later calls raise."""
        self._is_closed = True
        client, self._client = self._client, None
        if client is not None:
            await self._close(client)

    async def _attempt(
        self, work: Callable[[Client], Awaitable[_T]], *, is_repeatable: bool = True
    ) -> _T:
        if self._is_closed:
            raise StoreUnavailableError("redis store: closed")
        client: Client | None = None
        try:
            client = self._connected()
            async with asyncio.timeout(_PATIENCE * self.url.timeout_seconds):
                async with self._turns:
                    with kept_cancellation():
                        try:
                            await prepare(client)
                            return await work(client)
                        except _DEAD as exc:
                            if not is_repeatable or type(exc) not in _DEAD:
                                raise
                            self.on_fault()
                        return await work(client)
        except _FAULTS as exc:
            self.on_fault()
            await self._recover(client, exc)
            raise StoreUnavailableError(self._explain(exc)) from exc
        finally:
            if self._is_closed and client is not None:
                # It may have connected after everything had been closed.
                await self._close(client)

    async def _close(self, client: Client) -> None:
        with contextlib.suppress(*_FAULTS):
            await client.aclose()

    async def _recover(self, client: Client | None, fault: Exception) -> None:
        """Look the servers up again where the ones that *client* knows do not serve."""
        if isinstance(fault, errors.ReadOnlyError | errors.RedisClusterException):
            self._term += 1
        with contextlib.suppress(*_FAULTS):
            if isinstance(fault, errors.ReadOnlyError) and isinstance(client, Redis):
                # Demoted: its name may lead to the new primary by now.
                await client.connection_pool.disconnect(inuse_connections=False)
            elif isinstance(fault, errors.RedisClusterException) and client is not None:
                # None of the addresses that the cluster told us answers. Those in the
                # configuration may be names of servers that have moved.
                if client is self._client:
                    self._client = None
                await client.aclose()

    def _explain(self, fault: Exception) -> str:
        servers = ", ".join(f"{host}:{port}" for host, port in self.url.nodes)
        text = str(fault) or f"no answer within {self.url.timeout_seconds:g} s"
        for secret in filter(None, (self.url.password, self.url.sentinel_password)):
            text = text.replace(secret, "…")
        return f"redis store {servers}: {text}"

    def _connected(self) -> Client:
        """Return the client, which connects by itself when it is used."""
        if self._client is None:
            self._client = build_client(self.url)
        return self._client


async def _send_together(client: Client, commands: Sequence[Sequence[Argument]]) -> Any:
    async with client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute()


def _do_nothing() -> None:
    """Tell nobody."""
