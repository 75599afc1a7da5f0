"""Point reads: what they see, and when the worker's thread reads instead."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path

import pytest

from forwardauth.sessions.glances import NoGlanceError
from forwardauth.sessions.stores import sqlite_reader
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_file import DatabaseFile
from forwardauth.sessions.stores.sqlite_reader import NotHereError, PointReader
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from tests.unit.sessions.contract import create_entry


@pytest.fixture
def worker(tmp_path: Path) -> SqliteWorker:
    """The thread behind the store."""
    return SqliteWorker(tmp_path / "sessions.db")


@pytest.fixture
async def store(worker: SqliteWorker) -> AsyncIterator[SqliteStore]:
    """A store on a new file."""
    store = SqliteStore(worker)
    yield store
    await store.close()


async def test_busy_reader_leaves_the_read_to_the_worker(
    store: SqliteStore, worker: SqliteWorker
) -> None:
    """While the file is being closed by the other thread, a read takes the detour."""
    entry = create_entry()
    await store.create(entry)
    assert worker.file is not None

    with worker.file.lock:
        assert await store.load(entry.digest) == entry


async def test_failed_read_here_is_tried_by_the_worker(
    store: SqliteStore, worker: SqliteWorker
) -> None:
    """What this thread could not read, the other one may: only both failing counts."""
    entry = create_entry()
    await store.create(entry)
    assert worker.file is not None
    worker.file.reader.close()

    assert await store.load(entry.digest) == entry


def _slow_down(file: DatabaseFile) -> None:
    """Let the next read of *file* take longer than one from the disk should."""
    now = asyncio.get_running_loop().time

    def stall() -> int:
        file.reader.set_progress_handler(None, 1)
        until = now() + 2 * sqlite_reader.SLOW_SECONDS
        while now() < until:
            pass
        return 0

    file.reader.set_progress_handler(stall, 1)


@pytest.mark.parametrize(
    ("count_blocks", "platform", "is_detour"),
    [
        pytest.param(count().__next__, "linux", True, id="disk"),
        pytest.param(lambda: 7, "linux", False, id="processor"),
        pytest.param(None, "darwin", True, id="nobody counts"),
    ],
)
async def test_only_a_slow_disk_makes_reads_take_a_detour(
    store: SqliteStore,
    worker: SqliteWorker,
    monkeypatch: pytest.MonkeyPatch,
    *,
    count_blocks: Callable[[], int] | None,
    platform: str,
    is_detour: bool,
) -> None:
    """After a read that may have waited for the disk, the thread does the next ones."""
    monkeypatch.setattr("sys.platform", platform)
    entry = create_entry()
    await store.create(entry)
    assert worker.file is not None
    reader = PointReader(worker, count_blocks=count_blocks)
    _slow_down(worker.file)
    assert len(reader.read(entry.digest)) == 1

    if is_detour:
        with pytest.raises(NotHereError):
            reader.read(entry.digest)
    else:
        assert len(reader.read(entry.digest)) == 1


async def test_load_reads_later_than_the_snapshot_of_a_turn(tmp_path: Path) -> None:
    """Glances of a turn share a snapshot; whoever loads sees what came after (V-52)."""
    path = tmp_path / "sessions.db"
    store, other = (SqliteStore(SqliteWorker(path)) for _ in range(2))
    entry = create_entry()
    await store.create(entry)
    store.begin_peeking()
    before = store.peek(entry.digest)
    await other.delete(entry.digest)

    shared = store.peek(entry.digest)
    loaded = await store.load(entry.digest)
    after = store.peek(entry.digest)

    assert before is not None
    assert shared == before
    assert loaded is None
    assert after is None
    store.end_peeking()
    await other.close()
    await store.close()


async def test_snapshot_is_let_go_of_with_its_lock(
    store: SqliteStore, worker: SqliteWorker
) -> None:
    """Nobody waits for a turn that is over, and ending it twice is harmless."""
    await store.create(create_entry())
    assert worker.file is not None
    store.begin_peeking()
    held = worker.file.lock.locked()

    store.end_peeking()
    store.end_peeking()

    assert held
    assert not worker.file.lock.locked()
    assert not worker.file.reader.in_transaction


async def test_busy_or_broken_reader_is_for_the_manager(
    store: SqliteStore, worker: SqliteWorker
) -> None:
    """Where a glance could wait, or fails, somebody asks who may wait."""
    entry = create_entry()
    await store.create(entry)
    assert worker.file is not None

    with worker.file.lock, pytest.raises(NoGlanceError):
        store.begin_peeking()
    store.begin_peeking()
    worker.file.reader.close()
    with pytest.raises(NoGlanceError):
        store.peek(entry.digest)
    store.end_peeking()
    with pytest.raises(NoGlanceError):
        store.begin_peeking()

    assert not worker.file.lock.locked()
    assert await store.load(entry.digest) == entry


async def test_file_that_is_not_open_is_for_the_manager(worker: SqliteWorker) -> None:
    """The first look opens it, in the worker's thread."""
    reader = PointReader(worker)

    with pytest.raises(NoGlanceError):
        reader.begin()


async def test_row_that_is_not_ours_is_for_the_manager(
    store: SqliteStore, worker: SqliteWorker
) -> None:
    """What somebody else has written is judged by whoever loads it."""
    entry = create_entry()
    await store.create(entry)
    assert worker.file is not None
    worker.file.writer.execute("UPDATE sessions SET seen = 'soon'")
    worker.file.writer.commit()

    with pytest.raises(NoGlanceError):
        store.peek(entry.digest)
