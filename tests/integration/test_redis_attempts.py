"""Attempts that all machines count together, on a real Redis and in a cluster.

Days pass by a clock in place of the server's; that the server's own counts otherwise is
a test of its own.
"""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from forwardauth.attempts.store import AttemptStore
from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError, ThrottledError
from forwardauth.sessions.stores.redis_attempts import RedisAttempts
from forwardauth.sessions.stores.redis_client import RedisClient
from forwardauth.sessions.stores.redis_url import parse_redis_url
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from forwardauth.users.throttle import ACCOUNT_LIMIT, RULES, LoginThrottle
from tests.support.clock import FakeClock
from tests.support.redis_groups import RedisCluster, running_cluster
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import PATIENT_MS, create_prefix, opened
from tests.unit.users.throttle_contract import (
    AWAY,
    HOME,
    KEY,
    SECOND,
    SharedThrottleContract,
    fail,
    fail_until_blocked,
    succeed,
    wait_of,
)

Servers: TypeAlias = RedisServer | RedisCluster

FAST: Final = ("--appendfsync", "no")
ENDS: Final = (
    *["record_failure"] * 40,
    *("record_success", "record_repeated_success", "release"),
)
PAUSES_MS: Final = (
    *([0, 1, 700, 1_000, 2_000, 5_000, 30_000] * 10),
    *(900_000, 4_000_000, -3_600_000),
)
TABLES: Final = ("account", "address", "own", "known")


@asynccontextmanager
async def counting(
    url: str, prefix: str, clock: Clock | None = None
) -> AsyncIterator[RedisAttempts]:
    """Open what one machine counts with; by the server's clock when none is given."""
    client = RedisClient(parse_redis_url(f"{url}?timeout_ms={PATIENT_MS}"))
    try:
        yield RedisAttempts(client, prefix, clock)
    finally:
        await client.close()


class RedisThrottleContract(SharedThrottleContract):
    """The contract, kept for two machines; a subclass has the fixture ``servers``."""

    @pytest.fixture
    def prefix(self) -> str:
        """The beginning of this test's keys."""
        return create_prefix()

    @pytest.fixture
    async def attempts(
        self, servers: Servers, prefix: str, clock: FakeClock
    ) -> AsyncIterator[AttemptStore]:
        """What one machine counts with."""
        async with counting(servers.url, prefix, clock) as attempts:
            yield attempts

    @pytest.fixture
    async def elsewhere(
        self, servers: Servers, prefix: str, clock: FakeClock
    ) -> AsyncIterator[AttemptStore]:
        """What another machine counts with."""
        async with counting(servers.url, prefix, clock) as attempts:
            yield attempts

    async def test_nobody_can_be_read_from_the_server(
        self, throttle: LoginThrottle, servers: Servers, prefix: str
    ) -> None:
        """Neither names nor addresses, of those who failed and of those who did not."""
        await succeed(throttle, "alice", HOME)
        await fail(throttle, "mallory", AWAY)

        dump = servers.dump(prefix)

        content = b"".join([*dump, *(part for each in dump.values() for part in each)])
        assert len(dump) == 6
        for word in ("alice", "mallory", HOME, AWAY):
            assert word.encode() not in content

    async def test_keys_are_bounded_and_go_with_their_time(
        self, attempts: AttemptStore, servers: Servers, prefix: str, clock: FakeClock
    ) -> None:
        """However many names and addresses somebody makes up (V-42)."""
        rules = replace(RULES, capacity=20)
        throttle = LoginThrottle(attempts, key=KEY, clock=clock, rules=rules)
        for number in range(50):
            await fail(throttle, f"user{number}", f"2001:db8:{number:x}::1")
        full = sizes_of(servers, prefix)
        clock.advance(timedelta(days=1))
        await fail(throttle, "alice", AWAY)

        left = sizes_of(servers, prefix)

        assert full == {"account": 20, "address": 20, "own": 0, "known": 0}
        assert left == {"account": 1, "address": 1, "own": 0, "known": 0}

    async def test_rubbish_shuts_nobody_out(
        self, throttle: LoginThrottle, servers: Servers, prefix: str
    ) -> None:
        """What cannot be read begins anew, and counts from then on."""
        await succeed(throttle, "alice", HOME)
        await fail(throttle, "alice", AWAY)
        for table in TABLES:
            key = f"{prefix}:{{throttle}}:{table}"
            server = servers.owner_of(key)
            for field in server.run("HKEYS", key):
                server.run("HSET", key, field, b"rubbish")

        await succeed(throttle, "alice", HOME)

        assert await wait_of(throttle, "alice", HOME) == timedelta(0)
        assert await fail_until_blocked(throttle, "bob", AWAY) == (
            ACCOUNT_LIMIT.free + 1
        )

    async def test_keys_that_nobody_uses_go_by_themselves(
        self, throttle: LoginThrottle, servers: Servers, prefix: str
    ) -> None:
        """Every key has an end, the last one after a month."""
        await succeed(throttle, "alice", HOME)
        await fail(throttle, "alice", HOME)
        await fail(throttle, "bob", AWAY)

        keys = [key.decode() for key in servers.dump(prefix)]

        ends = [servers.owner_of(key).run("PTTL", key) for key in keys]
        month = RULES.known_for / timedelta(milliseconds=1)
        assert len(keys) == 8
        assert all(0 < end <= month for end in ends)


def sizes_of(servers: Servers, prefix: str) -> dict[str, int]:
    """Return how many keys each table has, in its hash and its index alike."""
    sizes = {}
    for table in TABLES:
        key = f"{prefix}:{{throttle}}:{table}"
        server = servers.owner_of(key)
        sizes[table] = server.run("HLEN", key)
        assert server.run("ZCARD", f"{key}:x") == sizes[table]
    return sizes


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests of this file."""
    with RedisServer(tmp_path_factory.mktemp("redis"), *FAST) as server:
        yield server


class TestThrottleOnOneServer(RedisThrottleContract):
    """The contract on one server."""

    @pytest.fixture
    def servers(self, redis: RedisServer) -> Servers:
        """The one server."""
        return redis


@pytest.mark.parametrize("seed", range(2))
async def test_scripts_judge_as_sqlite_does(
    redis: RedisServer, tmp_path: Path, seed: int
) -> None:
    """Step for step, whatever happens, and whichever way the clock goes."""
    chance, clock = random.Random(seed), FakeClock()  # noqa: S311 - a test, no secret
    waits: dict[str, list[timedelta]] = {"redis": [], "sqlite": []}
    sqlite = SqliteStore(SqliteWorker(tmp_path / "sessions.db"))
    async with counting(redis.url, create_prefix(), clock) as attempts:
        throttles = {
            "redis": LoginThrottle(attempts, key=KEY, clock=clock),
            "sqlite": LoginThrottle(sqlite, key=KEY, clock=clock),
        }
        for _ in range(300):
            name = chance.choice(["alice", "bob"])
            address = chance.choice([HOME, AWAY, "2001:db8::1", "unknown"])
            end = chance.choice(ENDS)
            for where, throttle in throttles.items():
                waits[where].append(await judge(throttle, name, address, end))
            clock.advance(timedelta(milliseconds=chance.choice(PAUSES_MS)))

    await sqlite.close()
    assert waits["redis"] == waits["sqlite"]
    assert len(set(waits["redis"])) > 5


async def judge(
    throttle: LoginThrottle, name: str, address: str, end: str
) -> timedelta:
    """Make one attempt that ends so; return how long it would have to wait instead."""
    try:
        await throttle.check(name, address)
    except ThrottledError as exc:
        return exc.retry_after
    await getattr(throttle, end)(name, address)
    return timedelta(0)


async def test_one_slot_of_a_cluster_has_it_all(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Scripts judge account and address together, wherever sessions lie."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), *FAST) as cluster:
        async with counting(cluster.url, create_prefix(), FakeClock()) as attempts:
            throttle = LoginThrottle(attempts, key=KEY, clock=FakeClock())
            await succeed(throttle, "alice", HOME)
            guesses = await fail_until_blocked(throttle, "alice", AWAY)
            at_home = await wait_of(throttle, "alice", HOME)

    assert guesses == ACCOUNT_LIMIT.free + 1
    assert at_home == timedelta(0)


async def test_clocks_of_machines_do_not_matter(redis: RedisServer) -> None:
    """One that is days ahead makes nobody forget, and one that is behind adds nothing.

    The stores are those of a service, which go by the server's clock.
    """
    prefix, ahead, behind = create_prefix(), FakeClock(), FakeClock()
    ahead.advance(timedelta(days=3))
    async with AsyncExitStack() as stack:
        throttles = []
        for clock in (ahead, behind):
            store = await stack.enter_async_context(
                opened(redis.url, clock, prefix=prefix)
            )
            throttles.append(LoginThrottle(store, key=KEY, clock=clock))
        waits = []
        for number in range(40):
            try:
                await throttles[number % 2].check("alice", f"2001:db8:{number:x}::1")
            except ThrottledError as exc:
                waits.append(exc.retry_after)

    assert len(waits) == 40 - (ACCOUNT_LIMIT.free + 1)
    assert all(timedelta(0) < wait <= SECOND for wait in waits)


async def test_server_that_is_down_lets_nobody_in(redis: RedisServer) -> None:
    """An outage is an outage, and what was counted before it still is afterwards."""
    prefix = create_prefix()
    async with counting(redis.url, prefix, FakeClock()) as attempts:
        throttle = LoginThrottle(attempts, key=KEY, clock=FakeClock())
        await fail_until_blocked(throttle, "alice", AWAY)
        with redis.stopped(), pytest.raises(StoreUnavailableError):
            await throttle.check("bob", AWAY)

        assert await wait_of(throttle, "alice", AWAY) == SECOND


async def test_store_of_the_sessions_counts_attempts_too(redis: RedisServer) -> None:
    """A service has one store, and one set of servers, for both."""
    async with opened(redis.url, prefix=create_prefix()) as store:
        assert isinstance(store, AttemptStore)
        throttle = LoginThrottle(store, key=KEY, clock=FakeClock())
        await fail_until_blocked(throttle, "alice", AWAY)

        assert await wait_of(throttle, "alice", AWAY) > timedelta()
