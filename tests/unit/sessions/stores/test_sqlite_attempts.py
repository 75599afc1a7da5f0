"""Attempts in the file of the sessions: for all workers, and after a restart."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.attempts.store import AttemptStore
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from forwardauth.users.throttle import ACCOUNT_LIMIT, RULES, LoginThrottle
from tests.support.clock import FakeClock
from tests.unit.users.throttle_contract import (
    AWAY,
    HOME,
    KEY,
    SharedThrottleContract,
    fail,
    fail_until_blocked,
    succeed,
    wait_of,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "sessions.db"


@pytest.fixture
async def attempts(path: Path) -> AsyncIterator[SqliteStore]:
    """A store with an empty file."""
    store = SqliteStore(SqliteWorker(path))
    yield store
    await store.close()


@pytest.fixture
def throttle(attempts: AttemptStore) -> LoginThrottle:
    """The throttle on it, in time that stands still."""
    return LoginThrottle(attempts, key=KEY, clock=FakeClock())


class TestThrottleOnSqlite(SharedThrottleContract):
    """The contract, kept in a file by two stores as if of two workers."""

    @pytest.fixture
    async def elsewhere(self, path: Path) -> AsyncIterator[AttemptStore]:
        """The store of another worker on the same file."""
        store = SqliteStore(SqliteWorker(path))
        yield store
        await store.close()


def rows_of(path: Path, table: str) -> list[tuple[object, ...]]:
    """Return what lies in *table*."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


async def test_restart_forgets_nothing(path: Path) -> None:
    """Neither who is slowed down nor where the owner signs in."""
    before = SqliteStore(SqliteWorker(path))
    throttle = LoginThrottle(before, key=KEY, clock=FakeClock())
    await succeed(throttle, "alice", HOME)
    await fail_until_blocked(throttle, "alice", AWAY)
    await before.close()

    after = SqliteStore(SqliteWorker(path))
    throttle = LoginThrottle(after, key=KEY, clock=FakeClock())
    waits = [await wait_of(throttle, "alice", place) for place in (AWAY, HOME)]
    await after.close()

    assert waits == [timedelta(seconds=1), timedelta(0)]


async def test_rows_are_bounded_and_go_with_their_time(
    path: Path, attempts: AttemptStore
) -> None:
    """However many names and addresses somebody makes up (V-42)."""
    clock = FakeClock()
    rules = replace(RULES, capacity=20)
    throttle = LoginThrottle(attempts, key=KEY, clock=clock, rules=rules)
    for number in range(100):
        await fail(throttle, f"user{number}", f"2001:db8:{number:x}::1")
    full = rows_of(path, "attempts")
    clock.advance(timedelta(days=1))
    await fail(throttle, "alice", AWAY)

    left = rows_of(path, "attempts")

    assert len(full) == 2 * 20
    assert len(left) == 2


async def test_addresses_are_forgotten_with_their_accounts(
    path: Path, attempts: AttemptStore
) -> None:
    """Who has not signed in for a month has no row any more."""
    clock = FakeClock()
    throttle = LoginThrottle(attempts, key=KEY, clock=clock)
    await succeed(throttle, "alice", HOME)
    clock.advance(RULES.known_for)

    await succeed(throttle, "bob", HOME)

    assert len(rows_of(path, "known_addresses")) == 1


async def test_nobody_can_be_read_from_the_file(
    path: Path, attempts: SqliteStore, throttle: LoginThrottle
) -> None:
    """Neither names nor addresses, of those who failed and of those who did not."""
    await succeed(throttle, "alice", HOME)
    await fail(throttle, "mallory", AWAY)
    await attempts.close()

    content = path.read_bytes()

    for word in ("alice", "mallory", HOME, AWAY):
        assert word.encode() not in content


async def test_file_that_cannot_be_used_is_an_outage(tmp_path: Path) -> None:
    """Nobody is let in by a store that is not there."""
    store = SqliteStore(SqliteWorker(tmp_path / "no folder" / "sessions.db"))
    throttle = LoginThrottle(store, key=KEY, clock=FakeClock())

    with pytest.raises(StoreUnavailableError):
        await throttle.check("alice", AWAY)

    await store.close()


async def test_many_failures_of_one_account_are_one_row(
    path: Path, throttle: LoginThrottle
) -> None:
    """Guesses take no more room than the first."""
    for number in range(ACCOUNT_LIMIT.free):
        await fail(throttle, "alice", "" if number else "unknown")

    assert len(rows_of(path, "attempts")) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE attempts SET failures = 'rubbish'",
        "UPDATE known_addresses SET packed = 'rubbish'",
        "DROP TABLE attempts",
        "DROP TABLE known_addresses",
    ],
    ids=["count", "addresses", "no counts", "no addresses"],
)
async def test_damage_shuts_nobody_out(
    path: Path, throttle: LoginThrottle, damage: str
) -> None:
    """What cannot be read begins anew, and counts from then on."""
    await succeed(throttle, "alice", HOME)
    await fail(throttle, "alice", AWAY)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(damage)

    await succeed(throttle, "alice", HOME)

    assert await wait_of(throttle, "alice", HOME) == timedelta(0)
    assert await fail_until_blocked(throttle, "bob", AWAY) == ACCOUNT_LIMIT.free + 1
