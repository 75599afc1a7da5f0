"""Redis servers that belong together: a cluster, and a pair behind a sentinel."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from redis import Redis

from tests.support.binaries import require_binary
from tests.support.processes import Process, free_ports, wait_for
from tests.support.redis_server import RedisServer

SERVICE: Final = "sessions"
"""What the sentinel calls its primary."""

_PRIMARIES: Final = 3
_SLOTS: Final = 16_384
_NODE_TIMEOUT_MS: Final = 1_000
_DOWN_AFTER_MS: Final = 300
_FAILOVER_MS: Final = 3_000

# A server that writes its first file does not end when it is asked to.
_PAIRED: Final = ("--appendonly", "no", "--repl-diskless-sync-delay", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisCluster:
    """Three primaries with a third of the slots each."""

    servers: tuple[RedisServer, ...]

    @property
    def url(self) -> str:
        """The address of the store."""
        nodes = ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        return f"redis+cluster://{nodes}"

    def dump(self, prefix: str = "") -> dict[bytes, list[bytes]]:
        """Return the keys of all servers; see ``RedisServer.dump``."""
        dumps = [server.dump(prefix) for server in self.servers]
        return {key: parts for dump in dumps for key, parts in dump.items()}

    def history(self) -> bytes:
        """Return everything that was ever written to any server."""
        return b"".join(server.history() for server in self.servers)

    def owner_of(self, key: str) -> RedisServer:
        """Return the server that has the slot of *key*."""
        slot = self.servers[0].run("CLUSTER", "KEYSLOT", key)
        for first, last, (_, port, *_), *_ in self.servers[0].run("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                (found,) = (each for each in self.servers if each.port == port)
                return found
        raise AssertionError(f"no server has slot {slot}")

    def move(self, key: str, target: RedisServer) -> None:
        """Move the slot of *key*, with all that is in it, to *target*."""
        source = self.owner_of(key)
        slot = source.run("CLUSTER", "KEYSLOT", key)
        from_id, to_id = (each.run("CLUSTER", "MYID") for each in (source, target))
        target.run("CLUSTER", "SETSLOT", slot, "IMPORTING", from_id)
        source.run("CLUSTER", "SETSLOT", slot, "MIGRATING", to_id)
        while keys := source.run("CLUSTER", "GETKEYSINSLOT", slot, 100):
            place = ("127.0.0.1", target.port, "", 0, 5_000)
            source.run("MIGRATE", *place, "KEYS", *keys)
        for server in (target, source):
            server.run("CLUSTER", "SETSLOT", slot, "NODE", to_id)

    def wait_until_it_serves(self) -> None:
        """Return when every server knows the others, and has the cluster whole."""
        for server in self.servers:
            wait_for(partial(_serves, server), "the cluster is whole")


def _serves(server: RedisServer) -> bool:
    state = server.run("CLUSTER", "INFO")
    nodes = b"cluster_known_nodes:%d" % _PRIMARIES
    return b"cluster_state:ok" in state and nodes in state


@contextmanager
def running_cluster(folder: Path, *settings: str) -> Iterator[RedisCluster]:
    """Run a cluster with further *settings* as long as the context lasts."""
    ports = free_ports(2 * _PRIMARIES)
    cluster = RedisCluster(
        servers=tuple(
            RedisServer(
                folder / f"primary-{port}",
                *("--cluster-enabled", "yes", "--cluster-port", str(bus)),
                *("--cluster-node-timeout", str(_NODE_TIMEOUT_MS)),
                *settings,
                port=port,
            )
            for port, bus in zip(ports[::2], ports[1::2], strict=True)
        )
    )
    with ExitStack() as stack:
        for server in cluster.servers:
            stack.enter_context(server)
        for number, server in enumerate(cluster.servers):
            first, after = (_SLOTS * n // _PRIMARIES for n in (number, number + 1))
            server.run("CLUSTER", "ADDSLOTSRANGE", first, after - 1)
        for port, bus in zip(ports[2::2], ports[3::2], strict=True):
            cluster.servers[0].run("CLUSTER", "MEET", "127.0.0.1", port, bus)
        cluster.wait_until_it_serves()
        yield cluster


class RedisPair:
    """A primary and its replica, watched by one sentinel; a context manager."""

    def __init__(self, folder: Path) -> None:
        """Prepare all three, which keep everything below *folder*."""
        self.primary = RedisServer(folder / "primary", *_PAIRED)
        replica_of = ("--replicaof", "127.0.0.1", str(self.primary.port))
        self.replica = RedisServer(folder / "replica", *_PAIRED, *replica_of)
        (self._port,) = free_ports(1)
        self.url = f"redis+sentinel://127.0.0.1:{self._port}/{SERVICE}"
        settings = folder / "sentinel.conf"
        settings.write_text(
            f"""\
bind 127.0.0.1
port {self._port}
dir {folder}
sentinel monitor {SERVICE} 127.0.0.1 {self.primary.port} 1
sentinel down-after-milliseconds {SERVICE} {_DOWN_AFTER_MS}
sentinel failover-timeout {SERVICE} {_FAILOVER_MS}
"""
        )
        self.sentinel = Process(
            f"sentinel on {self._port}",
            [require_binary("redis-server"), settings, "--sentinel"],
            log=folder / "sentinel.log",
            ports=[self._port],
        )
        self._stack = ExitStack()

    def wait_until_copied(self) -> None:
        """Return when the replica has all that the primary has acknowledged."""
        wait_for(
            lambda: self.primary.dump() == self.replica.dump(), "the replica has all"
        )

    def swap(self) -> None:
        """Have the replica promoted; the primary lives, and is told much later."""
        self._ask("SENTINEL", "FAILOVER", SERVICE)
        port = str(self.replica.port).encode()
        wait_for(lambda: self._primary_port() == port, "the replica is the primary")

    def _primary_port(self) -> bytes:
        """Return where clients are sent, by the list that they read."""
        ((*facts,),) = self._ask("SENTINEL", "MASTERS")
        return bytes(facts[facts.index(b"port") + 1])

    def _is_ready(self) -> bool:
        """Whether the sentinel knows the replica, and the replica its primary."""
        answer = self._ask("SENTINEL", "REPLICAS", SERVICE)
        return [each[each.index(b"master-link-status") + 1] for each in answer] == [
            b"ok"
        ]

    def _ask(self, *command: str) -> Any:
        with Redis(host="127.0.0.1", port=self._port, protocol=2) as sentinel:
            sentinel.response_callbacks.clear()
            return sentinel.execute_command(*command)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for each in (self.primary, self.replica, self.sentinel):
                stack.enter_context(each)
            wait_for(self._is_ready, "the sentinel knows both servers")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
