"""What a look-up on Redis costs a worker: by itself, and together with others.

    script/bench lookups [--sessions 10000]

Prints the processor time of one look-up in microseconds, the least of some rounds: a
busy neighbour adds to it, and nothing takes away from it. Prints what Redis needs for a
session, too, by its own account: record and indexes.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import uvloop
from redis import Redis

from benchmarks.seeding import others, redis_server, seed_redis
from forwardauth.clock import SystemClock
from forwardauth.sessions.awaited_glances import Found, Question
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.rows import Row
from forwardauth.sessions.stores.redis import RedisStore
from forwardauth.sessions.stores.redis_url import parse_redis_url

SESSIONS: Final = 10_000
TOGETHER: Final = (1, 8, 32, 128)
ROUNDS: Final = 7
LOOKUPS: Final = 2_000
_OPENING_SECONDS: Final = 10.0


async def load(store: RedisStore, digests: Sequence[Digest]) -> None:
    """Look *digests* up one after the other, as everything but verify does."""
    for digest in digests:
        if await store.load(digest) is None:
            raise RuntimeError("a session is missing")


async def ask(store: RedisStore, digests: Sequence[Digest]) -> bool:
    """Look *digests* up together; whether there was a connection for it."""
    told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    rows: list[Found] = []

    def tell(found: Found, _: int) -> None:
        rows.append(found)
        if len(rows) == len(digests):
            told.set_result(all(isinstance(each, Row) for each in rows))

    store.ask([Question(digest, tell) for digest in digests])
    return await told


async def measure(
    work: Callable[[Sequence[Digest]], Awaitable[object]],
    digests: Iterator[Digest],
    together: int,
) -> float:
    """Return the least processor time of one look-up, in microseconds."""
    least = float("inf")
    turns = max(1, LOOKUPS // together)
    for _ in range(ROUNDS):
        asked = [list(islice(digests, together)) for _ in range(turns)]
        started = time.process_time()
        for some in asked:
            if await work(some) is False:
                raise RuntimeError("a session is missing")
        least = min(least, (time.process_time() - started) / turns / together)
    return least * 1e6


async def run(port: int, digests: Sequence[Digest]) -> None:
    """Measure and print every way."""
    url = parse_redis_url(f"redis://127.0.0.1:{port}/0")
    store = RedisStore(url, SystemClock())
    async with asyncio.timeout(_OPENING_SECONDS):
        while not await ask(store, digests[:1]):  # noqa: ASYNC110 - it opens the lane
            await asyncio.sleep(0.01)
    turn = cycle(digests)
    alone = await measure(partial(load, store), turn, 1)
    print(f"by itself           {alone:7.1f} µs", flush=True)
    for together in TOGETHER:
        each = await measure(partial(ask, store), turn, together)
        print(f"{together:3} together       {each:9.1f} µs", flush=True)
    await store.close()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    count = parser.parse_args().sessions
    entries = list(others(count))
    with (
        tempfile.TemporaryDirectory(prefix="forwardauth-bench-") as folder,
        redis_server(Path(folder)) as port,
        Redis(port=port, protocol=2) as redis,
    ):
        before = redis.info("memory")["used_memory"]
        seed_redis(port, iter(entries))
        taken = redis.info("memory")["used_memory"] - before
        print(f"bytes of a session  {taken / count:7,.0f}", flush=True)
        uvloop.run(run(port, [each.digest for each in entries]))


if __name__ == "__main__":
    main()
