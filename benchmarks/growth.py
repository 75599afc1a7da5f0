"""What verify costs as the work grows: sessions in a store, and hosts with rules.

    script/bench growth [--sizes 1,10000,1000000] [--hosts 1,10,100,1000]

Prints the median time of looking one session up, and of one decision, each as a ratio
against the smallest size, and what the store takes for each session. A cost that grew
would show as a ratio that grows. ``script/bench rules`` does the same for rules.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from benchmarks import servers
from benchmarks.resident import pss_bytes
from benchmarks.rules import ALICE, build_host_rules
from benchmarks.seeding import others, seed_redis, seed_sqlite
from forwardauth.access_control.decision import Outcome
from forwardauth.clock import SystemClock
from forwardauth.request import OriginalRequest
from forwardauth.sessions.model import parse_entry
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.factory import build_store

SIZES: Final = (1, 10_000, 1_000_000)
HOSTS: Final = (1, 10, 100, 1_000)
STORES: Final = ("memory", "sqlite", "redis")
LOOKUPS: Final = 5_000
ASKED: Final = 1_000
"""Sessions that are looked up in turn, spread over the whole store."""


async def time_lookups(store: SessionStore, asked: Sequence[Entry]) -> float:
    """Return the median in microseconds of loading and reading one session."""
    times: list[float] = []
    for number in range(LOOKUPS):
        digest = asked[number % len(asked)].digest
        started = time.perf_counter()
        entry = await store.load(digest)
        session = None if entry is None else parse_entry(entry)
        times.append((time.perf_counter() - started) * 1e6)
        if session is None:
            raise RuntimeError("a session is missing")
    return statistics.median(times)


async def measure_store(kind: str, size: int, folder: Path) -> tuple[float, float]:
    """Return the time of a lookup among *size* sessions, and the bytes of each."""
    asked: list[Entry] = []

    def entries() -> Iterator[Entry]:
        step = max(1, size // ASKED)
        for number, entry in enumerate(others(size)):
            if number % step == 0:
                asked.append(entry)
            yield entry

    with ExitStack() as stack:
        match kind:
            case "memory":
                store = build_store("memory:", SystemClock())
                before = pss_bytes(os.getpid())
                for entry in entries():
                    await store.create(entry)
                taken = pss_bytes(os.getpid()) - before
            case "sqlite":
                path = folder / "sessions.db"
                store = build_store(f"sqlite:{path}", SystemClock())
                await store.ping()
                before = path.stat().st_size
                seed_sqlite(path, entries())
                taken = path.stat().st_size - before
            case _:
                process = stack.enter_context(servers.redis(folder))
                store = build_store(
                    f"redis://127.0.0.1:{process.ports[0]}/0", SystemClock()
                )
                before = pss_bytes(process.pid)
                seed_redis(process.ports[0], entries())
                taken = pss_bytes(process.pid) - before
        median = await time_lookups(store, asked)
        await store.close()
    return median, taken / size


def time_decisions(hosts: int) -> float:
    """Return the median in microseconds of a decision among rules for *hosts*."""
    rules = build_host_rules(hosts)
    questions = [
        OriginalRequest(
            scheme="https",
            host=f"app{number}.example.com",
            port=None,
            method="GET",
            path="/inbox/42",
            query=None,
            client=ip_address("10.1.2.3"),
        )
        for number in range(hosts)
    ]
    times: list[float] = []
    for number in range(LOOKUPS):
        started = time.perf_counter()
        decision = rules.decide(ALICE, questions[number % hosts])
        times.append((time.perf_counter() - started) * 1e6)
        if decision.outcome is not Outcome.ALLOW:
            raise RuntimeError("a request did not pass")
    return statistics.median(times)


def run(sizes: Sequence[int], hosts: Sequence[int]) -> None:
    """Measure and print every combination."""
    _print("", "number", "median µs", "ratio", "bytes each")
    for kind in STORES:
        first: float | None = None
        for size in sizes:
            with tempfile.TemporaryDirectory(prefix="forwardauth-bench-") as name:
                median, each = asyncio.run(measure_store(kind, size, Path(name)))
            first = first or median
            # Of a handful, the pages of the process are all that there is to see.
            spelled = f"{each:,.0f}" if size >= LOOKUPS else ""
            ratio = f"{median / first:.2f}"
            _print(f"sessions, {kind}", f"{size:,}", f"{median:.1f}", ratio, spelled)
    first = None
    for number in hosts:
        median = time_decisions(number)
        first = first or median
        ratio = f"{median / first:.2f}"
        _print("hosts, five rules each", f"{number:,}", f"{median:.1f}", ratio, "")


def _print(*cells: str) -> None:
    widths = zip(cells, (-24, 10, 10, 6, 10), strict=True)
    row = (text.rjust(wide) if wide > 0 else text.ljust(-wide) for text, wide in widths)
    print("  ".join(row).rstrip(), flush=True)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--hosts", default=",".join(map(str, HOSTS)))
    arguments = parser.parse_args()
    run(
        [int(size) for size in arguments.sizes.split(",")],
        [int(number) for number in arguments.hosts.split(",")],
    )


if __name__ == "__main__":
    main()
