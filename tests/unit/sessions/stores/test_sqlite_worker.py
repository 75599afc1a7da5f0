"""The thread that writes answers everyone, in time, and never twice."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores import sqlite_worker
from forwardauth.sessions.stores.sqlite_worker import Need, SqliteWorker

Work: TypeAlias = Callable[[sqlite3.Connection], object]

INSERT = "INSERT INTO sessions VALUES (?, 'alice', 'login', x'', 0, 0)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "sessions.db"


@pytest.fixture
async def worker(path: Path) -> AsyncIterator[SqliteWorker]:
    """A worker that has not started yet."""
    worker = SqliteWorker(path)
    yield worker
    await worker.close()


def insert(number: int) -> Work:
    """Return work that adds a row."""
    return lambda connection: connection.execute(INSERT, (number.to_bytes(32),))


def rows(path: Path) -> int:
    """Return how many rows are committed, as another program sees it."""
    with closing(sqlite3.connect(path)) as other:
        (count,) = other.execute("SELECT count(*) FROM sessions").fetchone()
    return int(count)


class Gate:
    """Work that holds the thread until it is let go."""

    def __init__(self) -> None:
        self.is_reached = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._let_go = threading.Event()

    def __call__(self, _: sqlite3.Connection) -> None:
        """Say that the thread is here, and wait."""
        self._loop.call_soon_threadsafe(self.is_reached.set)
        self._let_go.wait(5)

    def let_go(self) -> None:
        """End the wait."""
        self._let_go.set()


async def hold(worker: SqliteWorker) -> tuple[Gate, asyncio.Task[None]]:
    """Return a gate at which *worker* waits, and the call that led it there."""
    gate = Gate()
    call = asyncio.create_task(worker.run(gate, Need.READ))
    await gate.is_reached.wait()
    return gate, call


async def start(worker: SqliteWorker, *works: Work) -> list[asyncio.Task[object]]:
    """Queue *works* as durable writes."""
    calls = [asyncio.create_task(worker.run(w, Need.DURABLE_WRITE)) for w in works]
    await asyncio.sleep(0)
    return calls


async def test_what_waits_together_is_committed_together(
    worker: SqliteWorker, path: Path
) -> None:
    """Twenty writes that queued up cost one flush of the disk."""
    await worker.run(insert(0), Need.DURABLE_WRITE)
    assert worker.file is not None
    statements: list[str] = []
    worker.file.writer.set_trace_callback(statements.append)

    gate, held = await hold(worker)
    calls = await start(worker, *(insert(number) for number in range(1, 21)))
    gate.let_go()
    await asyncio.gather(held, *calls)

    assert statements.count("COMMIT") == 1
    assert rows(path) == 21


async def test_answer_comes_after_the_commit(worker: SqliteWorker, path: Path) -> None:
    """Whoever was answered finds the row from another process."""
    for number in range(5):
        await worker.run(insert(number), Need.DURABLE_WRITE)

        assert rows(path) == number + 1


@pytest.mark.parametrize(
    ("needs", "level"),
    [
        pytest.param([Need.WRITE, Need.WRITE], 1, id="touches-alone"),
        pytest.param([Need.WRITE, Need.DURABLE_WRITE], 2, id="with-a-logout"),
        pytest.param([Need.DURABLE_WRITE, Need.WRITE], 2, id="with-a-login"),
    ],
)
async def test_flush_is_as_strong_as_the_strongest_need(
    worker: SqliteWorker, needs: list[Need], level: int
) -> None:
    """One write in the batch that must last makes all of it last."""

    def read_level(connection: sqlite3.Connection) -> object:
        return connection.execute("PRAGMA synchronous").fetchone()[0]

    gate, held = await hold(worker)
    calls = [asyncio.ensure_future(worker.run(read_level, need)) for need in needs]
    await asyncio.sleep(0)
    gate.let_go()

    assert await asyncio.gather(*calls) == [level] * len(needs)
    await held


async def test_refused_work_leaves_the_others_in(
    worker: SqliteWorker, path: Path
) -> None:
    """What one call raises is for that call alone."""

    def refuse(_: sqlite3.Connection) -> None:
        raise ValueError("no")

    gate, held = await hold(worker)
    calls = await start(worker, insert(1), refuse, insert(2))
    gate.let_go()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    await held

    assert [type(outcome) for outcome in outcomes] == [
        sqlite3.Cursor,
        ValueError,
        sqlite3.Cursor,
    ]
    assert rows(path) == 2


async def test_fault_undoes_the_whole_batch(worker: SqliteWorker, path: Path) -> None:
    """No one is told of success when the transaction cannot be trusted."""

    def break_down(connection: sqlite3.Connection) -> None:
        connection.execute("SELECT no_such_column FROM sessions")

    gate, held = await hold(worker)
    calls = await start(worker, insert(1), break_down, insert(2))
    gate.let_go()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    await held

    assert {type(outcome) for outcome in outcomes} == {StoreUnavailableError}
    assert rows(path) == 0
    await worker.run(insert(3), Need.DURABLE_WRITE)
    assert rows(path) == 1


async def test_reads_do_not_wait_for_the_lock(worker: SqliteWorker, path: Path) -> None:
    """A read that queued behind a write is answered although the write cannot be."""
    await worker.run(insert(1), Need.DURABLE_WRITE)
    gate, held = await hold(worker)
    (write,) = await start(worker, insert(2))
    read = asyncio.ensure_future(worker.run(lambda _: "read", Need.READ))
    await asyncio.sleep(0)

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        gate.let_go()
        assert await read == "read"
        assert not write.done()
        other.execute("ROLLBACK")

    await asyncio.gather(held, write)


async def test_caller_waits_a_bounded_time(path: Path) -> None:
    """A disk that hangs is an outage, and work that nobody waits for is dropped."""
    worker = SqliteWorker(path, patience=timedelta(milliseconds=250))
    await worker.run(insert(1), Need.DURABLE_WRITE)
    gate = Gate()
    held = asyncio.ensure_future(worker.run(gate, Need.READ))
    await gate.is_reached.wait()

    waiting = asyncio.ensure_future(worker.run(insert(2), Need.DURABLE_WRITE))
    for call in (held, waiting):
        with pytest.raises(StoreUnavailableError, match="no answer within"):
            await call
    gate.let_go()
    await worker.close()

    assert rows(path) == 1


async def test_queue_is_bounded(
    worker: SqliteWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd is sent away at once instead of growing for ever."""
    monkeypatch.setattr(sqlite_worker, "MAX_QUEUED", 3)
    gate, held = await hold(worker)
    calls = await start(worker, *(insert(number) for number in range(3)))

    with pytest.raises(StoreUnavailableError, match="3 calls wait already"):
        await worker.run(insert(9), Need.DURABLE_WRITE)

    gate.let_go()
    await asyncio.gather(held, *calls)


async def test_close_finishes_what_was_begun(worker: SqliteWorker, path: Path) -> None:
    """What was queued before the end is written and answered."""
    gate, held = await hold(worker)
    calls = await start(worker, insert(1), insert(2))
    closing_ = asyncio.ensure_future(worker.close())
    await asyncio.sleep(0)
    gate.let_go()
    await asyncio.gather(held, closing_, *calls)

    assert rows(path) == 2
    assert worker.file is None


def test_loop_that_ended_meanwhile_is_no_trouble(path: Path) -> None:
    """The thread outlives a loop whose caller is gone."""
    worker = SqliteWorker(path)
    begun, let_go, done = threading.Event(), threading.Event(), threading.Event()

    def wait(_: sqlite3.Connection) -> None:
        begun.set()
        let_go.wait(5)
        done.set()

    async def give_up() -> None:
        caller = asyncio.create_task(worker.run(wait, Need.READ))
        assert await asyncio.to_thread(begun.wait, 5)
        caller.cancel()

    asyncio.run(give_up())
    let_go.set()
    assert done.wait(5)

    async def go_on() -> object:
        answer = await worker.run(lambda _: "alive", Need.READ)
        await worker.close()
        return answer

    assert asyncio.run(go_on()) == "alive"
