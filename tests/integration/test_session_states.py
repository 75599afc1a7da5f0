"""Whatever people, operators and faults do in whatever order: done is done.

Hypothesis draws the order, and shortens what it finds; ``session_machine`` has the
rules and the model. Each store is its own test, with three workers on two machines.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import create_prefix, opened
from tests.support.session_machine import OpenStore, OpenStores, SessionMachine, lent

BOUNDED: Final = settings(
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run one server for all runs, each of which has its own prefix."""
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(folder, "--appendfsync", "no") as server:
        yield server


def share_memory(_: Path) -> OpenStore:
    """Return what opens one store in memory, for all workers."""
    return partial(lent, MemoryStore())


def share_file(folder: Path) -> OpenStore:
    """Return what opens one file, for each worker anew."""

    @asynccontextmanager
    async def open_file() -> AsyncIterator[SessionStore]:
        store = SqliteStore(SqliteWorker(folder / "sessions.db"))
        try:
            yield store
        finally:
            await store.close()

    return open_file


def share_server(url: str, _: Path) -> OpenStore:
    """Return what connects to one server, for each worker anew."""
    return partial(opened, url, prefix=create_prefix())


def run(stores: OpenStores, *, max_examples: int) -> None:
    """Let Hypothesis look for an order that breaks a promise."""

    class Machine(SessionMachine):
        def open_stores(self, folder: Path) -> OpenStore:
            return stores(folder)

    run_state_machine_as_test(
        Machine, settings=settings(BOUNDED, max_examples=max_examples)
    )


def test_done_is_done_in_memory() -> None:
    """No order of rules revives a session or ends a live one (L-11, L-15)."""
    run(share_memory, max_examples=80)


def test_done_is_done_in_a_file() -> None:
    """The same on one SQLite file that three processes would open (L-11, L-15)."""
    run(share_file, max_examples=20)


def test_done_is_done_on_a_server(redis: RedisServer) -> None:
    """The same on a real Redis (L-11, L-15)."""
    run(partial(share_server, redis.url), max_examples=15)
