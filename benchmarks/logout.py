"""What a logout costs in a store that holds 1, ten thousand or a million sessions.

    script/bench logout [--sizes 1,10000,1000000] [--stores sqlite,redis]

Prints, for each store and size, the median and p99 of ending one session, and of ending
all sessions of one user by how many that user has, each as a ratio against the smallest
store; for Redis the number of commands as well, as the server counts them. A cost that
grew with the store would show as a ratio that grows with it.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import redis.asyncio

from benchmarks.seeding import others, redis_server, seed_redis, seed_sqlite
from forwardauth.clock import SystemClock
from forwardauth.sessions.ids import SessionId
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.lifetimes import Login, Timeouts
from forwardauth.sessions.manager import SessionManager
from forwardauth.sessions.model import EndCause
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.factory import build_store
from forwardauth.web.audit import AuditLog
from forwardauth.web.metrics import Metrics

SIZES: Final = (1, 10_000, 1_000_000)
STORES: Final = ("sqlite", "redis")
LOGOUTS: Final = 300
USER_SESSIONS: Final = (1, 10, 100)

Count = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Times in microseconds of one kind of work, and its commands where counted."""

    times_us: Sequence[float]
    commands: float | None

    @property
    def median(self) -> float:
        """The time that half of the calls stay below."""
        return statistics.median(self.times_us)

    @property
    def p99(self) -> float:
        """The time that 99 of 100 calls stay below."""
        ordered = sorted(self.times_us)
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


class Bench:
    """Sessions on one store that is full of others."""

    def __init__(self, store: SessionStore, folder: Path, count: Count | None) -> None:
        """Work on *store*; *count* tells how many commands it has carried out."""
        self._count = count
        clock, observer = SystemClock(), AuditLog(Metrics())
        timeouts = Timeouts(
            absolute=timedelta(hours=24), idle=timedelta(hours=1), remember_me=None
        )
        self.revoker = SessionRevoker(
            store=store,
            clock=clock,
            timeouts=timeouts,
            journal=RevocationJournal(folder / "journal"),
            observer=observer,
        )
        self.sessions = SessionManager(
            store=store,
            clock=clock,
            timeouts=timeouts,
            revoker=self.revoker,
            observer=observer,
        )

    async def create(self, username: str) -> SessionId:
        """Return a new session of *username*."""
        login = Login(
            username=username,
            domain="example.com",
            credential=("0" * 32,),
            methods=("pwd",),
            remembered=False,
            address="192.0.2.1",
            user_agent="bench",
        )
        session_id, _ = await self.sessions.create(login)
        return session_id

    async def end_one(self) -> Sample:
        """Sign many people out, one by one."""
        ids = [await self.create(f"leaver-{number}") for number in range(LOGOUTS)]

        async def end(number: int) -> None:
            ended = await self.revoker.revoke([ids[number]], cause=EndCause.USER)
            if len(ended.sessions) != 1:
                raise RuntimeError("the session was not ended")

        return await self._measure(end, LOGOUTS)

    async def end_user(self, sessions: int) -> Sample:
        """End all of a user's *sessions*, many times; the time is for one of them."""
        rounds = max(5, LOGOUTS // sessions // 3)
        for number in range(rounds):
            for _ in range(sessions):
                await self.create(f"many-{sessions}-{number}")

        async def end(number: int) -> None:
            user = f"many-{sessions}-{number}"
            ended = await self.revoker.revoke_user(user, cause=EndCause.ADMIN)
            if len(ended) != sessions:
                raise RuntimeError("not all sessions were ended")

        sample = await self._measure(end, rounds)
        commands = None if sample.commands is None else sample.commands / sessions
        return Sample(
            times_us=[t / sessions for t in sample.times_us], commands=commands
        )

    async def _measure(
        self, work: Callable[[int], Awaitable[None]], rounds: int
    ) -> Sample:
        before = 0 if self._count is None else await self._count()
        times: list[float] = []
        for number in range(rounds):
            started = time.perf_counter()
            await work(number)
            times.append((time.perf_counter() - started) * 1e6)
        if self._count is None:
            return Sample(times_us=times, commands=None)
        return Sample(
            times_us=times, commands=(await self._count() - before - 1) / rounds
        )


@asynccontextmanager
async def full_store(kind: str, size: int, folder: Path) -> AsyncIterator[Bench]:
    """Yield a bench on a new store of *kind* that holds *size* sessions of others."""
    async with AsyncExitStack() as stack:
        count: Count | None = None
        if kind == "sqlite":
            path = folder / "sessions.db"
            store = build_store(f"sqlite:{path}", SystemClock())
            await store.ping()
            seed_sqlite(path, others(size))
        else:
            port = stack.enter_context(redis_server(folder))
            url = f"redis://127.0.0.1:{port}/0"
            store = build_store(url, SystemClock())
            seed_redis(port, others(size))
            client = redis.asyncio.Redis.from_url(url)
            stack.push_async_callback(client.aclose)

            async def count() -> int:
                stats = await client.info("commandstats")
                return sum(each["calls"] for each in stats.values())

        stack.push_async_callback(store.close)
        if await store.count() != size:
            raise RuntimeError("the store was not filled")
        yield Bench(store, folder, count)


async def run(stores: Sequence[str], sizes: Sequence[int]) -> None:
    """Measure and print every combination."""
    works: dict[str, Callable[[Bench], Awaitable[Sample]]] = {
        "end one session": Bench.end_one,
        **{
            f"end all of a user, {number:>3} sessions (each)": _end_user(number)
            for number in USER_SESSIONS
        },
    }
    _print("store", "sessions", "work", "median µs", "p99 µs", "ratio", "commands")
    for kind in stores:
        first: dict[str, float] = {}
        for size in sizes:
            with tempfile.TemporaryDirectory(prefix="forwardauth-bench-") as name:
                async with full_store(kind, size, Path(name)) as bench:
                    for title, work in works.items():
                        sample = await work(bench)
                        ratio = sample.median / first.setdefault(title, sample.median)
                        _print(
                            kind,
                            f"{size:,}",
                            title,
                            f"{sample.median:.0f}",
                            f"{sample.p99:.0f}",
                            f"{ratio:.2f}",
                            "" if sample.commands is None else f"{sample.commands:.1f}",
                        )


def _end_user(sessions: int) -> Callable[[Bench], Awaitable[Sample]]:
    return lambda bench: bench.end_user(sessions)


def _print(*cells: str) -> None:
    widths = zip(cells, (-8, 10, -42, 9, 9, 6, 9), strict=True)
    row = (text.rjust(wide) if wide > 0 else text.ljust(-wide) for text, wide in widths)
    print("  ".join(row).rstrip(), flush=True)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--stores", default=",".join(STORES))
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    asyncio.run(run(arguments.stores.split(","), sizes))


if __name__ == "__main__":
    main()
