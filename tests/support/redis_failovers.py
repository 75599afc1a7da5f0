"""Redis servers that replace one another: behind three sentinels, and in a cluster.

Both are short-tempered, so that an election takes a second and a test some.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from tests.support.binaries import require_binary
from tests.support.processes import Process, free_ports, wait_for
from tests.support.redis_server import RedisServer

SERVICE: Final = "sessions"
_NODES: Final = 3
_SLOTS: Final = 16_384
_DOWN_AFTER_MS: Final = 500
_FAILOVER_MS: Final = 3_000
_NODE_TIMEOUT_MS: Final = 1_000

# A server that writes its first file does not end when it is asked to.
_FAST: Final = ("--appendonly", "no", "--repl-diskless-sync-delay", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisGroup:
    """Servers, some of which follow others.

    Attributes:
        url: The address of the store, without options.
        servers: All of them, whatever their role.
    """

    url: str
    servers: tuple[RedisServer, ...]

    def primary_of(self, key: str) -> RedisServer:
        """Return the primary that has *key*."""
        (found,) = (each for each in self.servers if _has(each, key.encode()))
        return found

    def followers_of(self, server: RedisServer) -> list[RedisServer]:
        """Return the servers that follow *server* and have its writes."""
        return [each for each in self.servers if _follows(each, server.port)]

    def cut_off(self, server: RedisServer) -> None:
        """Let *server* go on, and none of its replicas hear of it."""
        server.run("ACL", "SETUSER", "default", "-psync", "-sync")
        server.run("CLIENT", "KILL", "TYPE", "replica")
        wait_for(lambda: not self.followers_of(server), "nobody follows")


def _role(server: RedisServer) -> list[Any]:
    try:
        return list(server.run("ROLE"))
    except RedisError:
        return [b"away"]


def _has(server: RedisServer, key: bytes) -> bool:
    return _role(server)[0] == b"master" and key in server.dump()


def _follows(server: RedisServer, port: int) -> bool:
    role = _role(server)
    return role[:1] == [b"slave"] and role[2:4] == [port, b"connected"]


@contextmanager
def running_sentinels(folder: Path) -> Iterator[RedisGroup]:
    """Run a primary with two replicas, and three sentinels that agree by two."""
    primary = RedisServer(folder / "server-0", *_FAST)
    follow = ("--replicaof", "127.0.0.1", str(primary.port))
    replicas = [RedisServer(folder / f"server-{n}", *_FAST, *follow) for n in (1, 2)]
    ports = free_ports(_NODES)
    sentinels = [_sentinel(folder, port, primary.port) for port in ports]
    nodes = ",".join(f"127.0.0.1:{port}" for port in ports)
    group = RedisGroup(
        url=f"redis+sentinel://{nodes}/{SERVICE}", servers=(primary, *replicas)
    )
    with ExitStack() as stack:
        for server in group.servers:
            stack.enter_context(server)
        for sentinel in sentinels:
            stack.enter_context(sentinel)
        for port in ports:
            wait_for(partial(_is_watching, port), f"sentinel {port} knows all others")
        yield group


def _sentinel(folder: Path, port: int, primary: int) -> Process:
    settings = folder / f"sentinel-{port}.conf"
    settings.write_text(
        f"""\
bind 127.0.0.1
port {port}
dir {folder}
sentinel monitor {SERVICE} 127.0.0.1 {primary} 2
sentinel down-after-milliseconds {SERVICE} {_DOWN_AFTER_MS}
sentinel failover-timeout {SERVICE} {_FAILOVER_MS}
"""
    )
    return Process(
        f"sentinel on {port}",
        [require_binary("redis-server"), settings, "--sentinel"],
        log=folder / f"sentinel-{port}.log",
        ports=[port],
    )


def _is_watching(port: int) -> bool:
    with Redis(host="127.0.0.1", port=port, protocol=2) as sentinel:
        sentinel.response_callbacks.clear()
        ((*facts,),) = sentinel.execute_command("SENTINEL", "MASTERS")
        replicas = sentinel.execute_command("SENTINEL", "REPLICAS", SERVICE)
    others = facts[facts.index(b"num-other-sentinels") + 1]
    links = [each[each.index(b"master-link-status") + 1] for each in replicas]
    return (others, links) == (b"2", [b"ok", b"ok"])


@contextmanager
def running_replicated_cluster(folder: Path) -> Iterator[RedisGroup]:
    """Run three primaries with a third of the slots each, and a replica for each."""
    ports = free_ports(4 * _NODES)
    pairs = list(zip(ports[::2], ports[1::2], strict=True))
    servers = [
        RedisServer(
            folder / f"node-{port}",
            *("--cluster-enabled", "yes", "--cluster-port", str(bus)),
            *("--cluster-node-timeout", str(_NODE_TIMEOUT_MS)),
            *_FAST,
            port=port,
        )
        for port, bus in pairs
    ]
    primaries, replicas = servers[:_NODES], servers[_NODES:]
    nodes = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    group = RedisGroup(url=f"redis+cluster://{nodes}", servers=tuple(servers))
    with ExitStack() as stack:
        for server in servers:
            stack.enter_context(server)
        for number, server in enumerate(primaries):
            first, after = (_SLOTS * n // _NODES for n in (number, number + 1))
            server.run("CLUSTER", "ADDSLOTSRANGE", first, after - 1)
            # Each its own, so that no two of them begin an election alike.
            server.run("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for port, bus in pairs[1:]:
            servers[0].run("CLUSTER", "MEET", "127.0.0.1", port, bus)
        for server in servers:
            wait_for(partial(_knows_all, server), "every node knows the others")
        for primary, replica in zip(primaries, replicas, strict=True):
            replica.run("CLUSTER", "REPLICATE", primary.run("CLUSTER", "MYID"))
        for primary in primaries:
            wait_for(
                partial(_has_follower, group, primary), "every primary is followed"
            )
        for server in servers:
            wait_for(partial(_is_whole, server), "every node has the cluster whole")
        yield group


def _has_follower(group: RedisGroup, server: RedisServer) -> bool:
    return bool(group.followers_of(server))


def _knows_all(server: RedisServer) -> bool:
    nodes = server.run("CLUSTER", "NODES")
    return len(nodes.splitlines()) == 2 * _NODES and b"handshake" not in nodes


def _is_whole(server: RedisServer) -> bool:
    nodes = server.run("CLUSTER", "NODES")
    state = server.run("CLUSTER", "INFO")
    return nodes.count(b"slave") == _NODES and b"cluster_state:ok" in state
