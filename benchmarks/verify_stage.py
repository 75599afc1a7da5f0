"""All servers of a run of ``verify`` at once, ready to be asked in turn.

They idle beside each other, so that a round can go from one to the next without a start
in between: what a neighbour on the machine does, then falls on all of them.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import load, servers, shares
from benchmarks.committing import committing
from benchmarks.seeding import seed_redis, seed_sqlite
from benchmarks.workload import DOMAIN, Workload, requests, username
from forwardauth.clock import SystemClock
from forwardauth.sessions.stores.factory import build_store
from tests.support.processes import Process, free_ports
from tests.support.serving import workers_of

STORES = ("memory", "sqlite", "redis")

_WARM_SECONDS: Final = 2.0
"""After so long each of two workers has seen nearly every session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A server together with what it is sent.

    Attributes:
        port: Where it listens.
        requests: The file that goes round.
        is_refused: Whether the answer to expect is a refusal.
        process: Whose processor time counts, for one of ours.
        committed: The SQLite file that somebody commits to meanwhile, if any.
    """

    port: int
    requests: Path
    is_refused: bool = False
    process: Process | None = None
    committed: Path | None = None

    def rate(self, seconds: float) -> float:
        """Return the answers per second."""
        with nullcontext() if self.committed is None else committing(self.committed):
            return load.rate(
                self.port, self.requests, seconds, is_refused=self.is_refused
            )

    def paced(
        self, seconds: float, per_second: float, *, logins: Path | None = None
    ) -> load.Paced:
        """Return how long answers take at a constant rate."""
        return load.paced(self.port, self.requests, seconds, per_second, logins=logins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What runs.

    Attributes:
        subjects: By name.
        services: The service on each store.
        logins: A file of sign-ins.
    """

    subjects: dict[str, Subject]
    services: dict[str, Process]
    logins: Path


@contextmanager
def stage(folder: Path, workload: Workload) -> Iterator[Stage]:
    """Run everything in *folder* as long as the context lasts."""
    files = _Files(folder, workload)
    with ExitStack() as stack:
        empty = stack.enter_context(servers.empty_nginx(folder))
        plain, plain_two = free_ports(2)
        for port, core in (
            (plain, servers.SERVER_CORE),
            (plain_two, servers.SERVER_CORE),
            (plain_two, servers.CLIENT_CORE),
        ):
            stack.enter_context(
                servers.plain_app(folder, workload, port=port, core=core)
            )
        redis = stack.enter_context(servers.redis(folder))
        seed_redis(redis.ports[0], workload.entries())
        services = {
            name: _start(stack, folder / name, workload, _url(name, folder, redis))
            for name in STORES
        }
        both = _start(
            stack, folder / "two", workload, _url("sqlite", folder, redis), workers=2
        )
        fronts = {
            name: stack.enter_context(
                servers.front_nginx(folder, name, process.ports[0])
            )
            for name, process in (("empty", empty), *services.items())
        }
        ports = {name: process.ports[0] for name, process in services.items()}
        subjects = {
            "empty": Subject(port=empty.ports[0], requests=files.nginx),
            "empty, one request": Subject(port=empty.ports[0], requests=files.single),
            "empty, new": Subject(port=empty.ports[0], requests=files.new),
            "plain": Subject(port=plain, requests=files.nginx),
            "two plain": Subject(port=plain_two, requests=files.nginx),
            **{
                name: Subject(
                    port=ports[name], requests=files.nginx, process=services[name]
                )
                for name in ports
            },
            **{
                f"{name}, new": Subject(port=port, requests=files.new)
                for name, port in ports.items()
            },
            "sqlite, commits": Subject(
                port=ports["sqlite"],
                requests=files.nginx,
                committed=folder / "sessions.db",
            ),
            "traefik": Subject(port=ports["memory"], requests=files.traefik),
            "anonymous": Subject(
                port=ports["sqlite"], requests=files.anonymous, is_refused=True
            ),
            "two workers": Subject(
                port=both.ports[0], requests=files.nginx, process=both
            ),
            **{
                f"before {name}": Subject(port=front.ports[0], requests=files.browser)
                for name, front in fronts.items()
            },
        }
        if shares.are_available():
            subjects |= _with_shares(stack, folder, workload, files.nginx)
        yield Stage(subjects=subjects, services=services, logins=files.logins)


def _with_shares(
    stack: ExitStack, folder: Path, workload: Workload, asked: Path
) -> dict[str, Subject]:
    """Return one worker, and two, each with its share of a core of its own."""
    found: dict[str, Subject] = {}
    store = f"sqlite:{folder / 'sessions.db'}"
    for name, count in (("one worker's share", 1), ("two workers' shares", 2)):
        process = _start(
            stack, folder / f"share-{count}", workload, store, workers=count
        )
        found[name] = Subject(port=process.ports[0], requests=asked)
        found[name].rate(_WARM_SECONDS)
        # By now all of them have been forked, and no other child is left.
        workers = workers_of(process) if count > 1 else [process.pid]
        cores = (servers.SERVER_CORE, servers.CLIENT_CORE)[:count]
        for pid, core in zip(workers, cores, strict=True):
            os.sched_setaffinity(pid, {core})
        stack.enter_context(shares.limited(workers, shares.OF_A_WORKER))
    return found


def _start(
    stack: ExitStack, folder: Path, workload: Workload, store: str, *, workers: int = 1
) -> Process:
    process = servers.service(folder, workload, store, workers=workers)
    return stack.enter_context(process)


def _url(name: str, folder: Path, redis: Process) -> str:
    """Return the URL of the store *name*, which holds the sessions already."""
    match name:
        case "memory":
            return "memory:"
        case "redis":
            return f"redis://127.0.0.1:{redis.ports[0]}/0"
        case _:
            return f"sqlite:{folder / 'sessions.db'}"


def fill_sqlite(path: Path, workload: Workload) -> None:
    """Make the SQLite file at *path* with the sessions of *workload*."""

    async def create() -> None:
        store = build_store(f"sqlite:{path}", SystemClock())
        await store.ping()
        await store.close()

    asyncio.run(create())
    seed_sqlite(path, workload.entries())


class _Files:
    """The files of requests, in the folder of the run."""

    def __init__(self, folder: Path, workload: Workload) -> None:
        fill_sqlite(folder / "sessions.db", workload)
        tokens = workload.tokens
        nginx = requests("nginx", "/verify/nginx", tokens)

        def write(name: str, found: list[bytes]) -> Path:
            return load.write_requests(folder / name, found)

        self.nginx = write("nginx.requests", nginx)
        self.single = write("single.requests", nginx[:1])
        self.new = write(
            "new.requests", requests("nginx", "/verify/nginx", tokens, is_new=True)
        )
        self.traefik = write(
            "traefik.requests", requests("traefik", "/verify/traefik", tokens)
        )
        self.browser = write("browser.requests", requests("browser", "/", tokens))
        self.anonymous = write(
            "anonymous.requests",
            requests("nginx", "/verify/nginx", [None] * len(tokens)),
        )
        self.logins = write(
            "logins.requests", [_login(workload, n) for n in range(100)]
        )


def _login(workload: Workload, number: int) -> bytes:
    fields = {"username": username(number), "password": workload.password}
    body = json.dumps(fields)
    return (
        f"POST /api/firstfactor HTTP/1.1\r\nHost: auth.{DOMAIN}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
