"""Point reads: what they see, and when the worker's thread reads instead."""

import asyncio
import contextlib
import random
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from forwardauth.sessions import known_rows
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import to_ms
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.stores import sqlite_reader
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_file import DatabaseFile
from forwardauth.sessions.stores.sqlite_reader import NotHereError, PointReader
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from tests.unit.sessions.contract import PLAIN, at, create_entry

LATER: Final = "UPDATE sessions SET seen = seen + 1"

Commit: TypeAlias = Callable[[SqliteStore, Path, Digest], Awaitable[None]]


async def _commit_here(store: SqliteStore, _path: Path, digest: Digest) -> None:
    assert await store.touch(digest, seen=at(1), expires=at(60))


async def _commit_by_another_store(
    _store: SqliteStore, path: Path, digest: Digest
) -> None:
    other = SqliteStore(SqliteWorker(path))
    assert await other.touch(digest, seen=at(1), expires=at(60))
    await other.close()


async def _commit_by_another_program(
    _store: SqliteStore, path: Path, _digest: Digest
) -> None:
    code = f"import sqlite3; c = sqlite3.connect({str(path)!r}); c.execute({LATER!r});"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"{code} c.commit()"
    )
    assert await process.wait() == 0


async def _commit_and_fold(_store: SqliteStore, path: Path, _digest: Digest) -> None:
    """Begin the log from its start again, where the commit was."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(LATER)
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


COMMITS: Final[dict[str, Commit]] = {
    "this store": _commit_here,
    "another store": _commit_by_another_store,
    "another program": _commit_by_another_program,
    "another program that folds the log": _commit_and_fold,
}


@contextlib.contextmanager
def turn(store: SqliteStore) -> Iterator[None]:
    """One turn of the loop, as glances see it."""
    store.begin_peeking()
    try:
        yield
    finally:
        store.end_peeking()


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
    entry = create_entry(record=PLAIN)
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


def _count_reads(worker: SqliteWorker) -> list[str]:
    """Return a list in which each read of a row by a glance will be."""
    reads: list[str] = []
    assert worker.file is not None

    def trace(statement: str) -> None:
        if statement.startswith("SELECT"):
            reads.append(statement)

    worker.file.reader.set_trace_callback(trace)
    return reads


async def test_row_is_known_as_long_as_nothing_is_committed(
    store: SqliteStore, worker: SqliteWorker
) -> None:
    """It is read once, and told in each turn as it was."""
    entry = create_entry(record=PLAIN)
    await store.create(entry)
    reads = _count_reads(worker)
    rows = []

    for _ in range(3):
        with turn(store):
            rows += [store.peek(entry.digest), store.peek(entry.digest)]

    assert len(reads) == 1
    assert rows[0] is not None
    assert rows == [rows[0]] * 6


@pytest.mark.parametrize("commit", COMMITS.values(), ids=COMMITS)
async def test_row_is_read_again_after_a_commit(
    store: SqliteStore, tmp_path: Path, commit: Commit
) -> None:
    """Whoever has committed something: the very next turn sees it (V-52)."""
    entry = create_entry(record=PLAIN)
    await store.create(entry)
    with turn(store):
        before = _seen_by(store, entry.digest)

    await commit(store, tmp_path / "sessions.db", entry.digest)

    with turn(store):
        after = _seen_by(store, entry.digest)
    assert after > before


async def test_commit_that_a_turn_has_met_is_seen_by_the_next(
    store: SqliteStore, tmp_path: Path
) -> None:
    """A row that is read after it makes those that are known no newer (V-52)."""
    ended, other = (create_entry(record=PLAIN) for _ in range(2))
    await store.create(ended)
    await store.create(other)
    elsewhere = SqliteStore(SqliteWorker(tmp_path / "sessions.db"))
    with turn(store):
        known = store.peek(ended.digest)
    store.begin_peeking()
    await elsewhere.delete(ended.digest)
    met = store.peek(other.digest)
    store.end_peeking()

    with turn(store):
        later = store.peek(ended.digest)

    assert known is not None
    assert met is not None
    assert later is None
    await elsewhere.close()


async def test_load_that_has_met_a_commit_leaves_it_to_the_next_turn(
    store: SqliteStore, tmp_path: Path
) -> None:
    """Reads of other kinds on the same connection hide no commit from glances."""
    ended, other = (create_entry(record=PLAIN) for _ in range(2))
    await store.create(ended)
    await store.create(other)
    elsewhere = SqliteStore(SqliteWorker(tmp_path / "sessions.db"))
    with turn(store):
        known = store.peek(ended.digest)
    await elsewhere.delete(ended.digest)

    loaded = await store.load(other.digest)

    with turn(store):
        assert store.peek(ended.digest) is None
    assert known is not None
    assert loaded == other
    await elsewhere.close()


def _seen_by(store: SqliteStore, digest: Digest) -> int:
    row = store.peek(digest)
    assert row is not None
    return row.seen_ms


def _version_of(worker: SqliteWorker) -> int:
    assert worker.file is not None
    return int(worker.file.cursor.execute("PRAGMA data_version").fetchone()[0])


async def test_nothing_is_known_of_a_file_that_was_replaced(
    store: SqliteStore, worker: SqliteWorker, tmp_path: Path
) -> None:
    """The number of the new file may be that of the old one; it is another one's."""
    path = tmp_path / "sessions.db"
    empty = SqliteStore(SqliteWorker(tmp_path / "empty.db"))
    await empty.ping()
    await empty.close()
    entry = create_entry(record=PLAIN)
    await store.create(entry)
    with turn(store):
        known = store.peek(entry.digest)
    version = _version_of(worker)
    for each in ("-wal", "-shm"):
        path.with_name(path.name + each).unlink()
    shutil.move(tmp_path / "empty.db", path)

    with pytest.raises(NoGlanceError), turn(store):
        store.peek(entry.digest)
    loaded = await store.load(entry.digest)
    while _version_of(worker) < version:
        await store.create(create_entry())

    with turn(store):
        assert store.peek(entry.digest) is None
    assert _version_of(worker) == version
    assert known is not None
    assert loaded is None


async def test_rows_that_are_known_are_bounded(
    store: SqliteStore, worker: SqliteWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is beyond is told as well, and read each time."""
    monkeypatch.setattr(known_rows, "MAX_KNOWN", 2)
    entries = [create_entry(record=PLAIN) for _ in range(3)]
    for entry in entries:
        await store.create(entry)
    reads = _count_reads(worker)
    told: list[Row | None] = []

    for _ in range(3):
        with turn(store):
            told += [store.peek(entry.digest) for entry in entries]

    assert None not in told
    assert len(reads) > len(entries)


class _Crowd:
    """Two stores of one file, and entries that come and go there."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.stores = [SqliteStore(SqliteWorker(path)) for _ in range(2)]
        self._chance = chance
        self._entries = [
            create_entry(record=PLAIN, login=f"login-{number}") for number in range(6)
        ]
        self._seconds = 0

    async def change(self) -> None:
        """Create, end or touch one of the entries, by one of the stores."""
        self._seconds += 1
        store = self._chance.choice(self.stores)
        entry = self._chance.choice(self._entries)
        if await store.load(entry.digest) is None:
            await store.create(entry)
        elif self._chance.random() < 0.5:
            await store.delete(entry.digest)
        else:
            seen, expires = at(self._seconds), at(self._seconds + 60)
            assert await store.touch(entry.digest, seen=seen, expires=expires)

    def peek(self, store: SqliteStore, *, number: int = 6) -> list[int | None]:
        """Return when each of the first was seen, ``None`` for one that has ended."""
        rows = [store.peek(each.digest) for each in self._entries[:number]]
        return [None if row is None else row.seen_ms for row in rows]

    async def load(self, store: SqliteStore) -> list[int | None]:
        """Return the same of all, as whoever loads them sees it."""
        found = [await store.load(each.digest) for each in self._entries]
        return [None if entry is None else to_ms(entry.seen) for entry in found]


@pytest.mark.parametrize("seed", range(20))
async def test_glances_see_what_loads_see(tmp_path: Path, seed: int) -> None:
    """Whatever two stores do to one file between turns, and in the middle of them."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    crowd = _Crowd(tmp_path / "sessions.db", chance)
    for store in crowd.stores:
        await store.ping()

    for _ in range(60):
        looking, other = chance.sample(crowd.stores, 2)
        before = await crowd.load(other)
        looking.begin_peeking()
        crowd.peek(looking, number=chance.randrange(6))
        if chance.random() < 0.5:
            await crowd.change()
        told = crowd.peek(looking)
        looking.end_peeking()
        after = await crowd.load(other)

        assert all(row in both for row, *both in zip(told, before, after, strict=True))
        with turn(looking):
            assert crowd.peek(looking) == after
    for store in crowd.stores:
        await store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "seen = 'soon'",
        "seen = 253402300800000",
        "expires = 'soon'",
        "expires = -99999999999999",
        "owner = x'00'",
        "owner = cast(x'ff' AS TEXT)",
        "login = x'00'",
        "login = cast(x'ff' AS TEXT)",
        "record = 'x'",
    ],
)
async def test_row_that_is_not_ours_any_more_is_for_the_manager(
    store: SqliteStore, worker: SqliteWorker, damage: str
) -> None:
    """What somebody else has written is judged by whoever loads it, known or not."""
    known, new = create_entry(record=PLAIN), create_entry(record=PLAIN)
    await store.create(known)
    await store.create(new)
    with turn(store):
        assert store.peek(known.digest) is not None
    assert worker.file is not None
    worker.file.writer.execute(f"UPDATE sessions SET {damage}")  # noqa: S608 - ours

    for entry in (known, new):
        with turn(store), pytest.raises(NoGlanceError):
            store.peek(entry.digest)


async def test_known_row_that_somebody_has_changed_is_told_as_it_is(
    store: SqliteStore, worker: SqliteWorker
) -> None:
    """Another owner, another record: nothing is told that is not there (V-52)."""
    entry = create_entry(record=PLAIN)
    await store.create(entry)
    with turn(store):
        assert store.peek(entry.digest) is not None
    assert worker.file is not None

    worker.file.writer.execute("UPDATE sessions SET owner = 'bob'")
    with turn(store):
        owner = store.peek(entry.digest)
    worker.file.writer.execute("UPDATE sessions SET record = x'7b7d'")
    with turn(store):
        record = store.peek(entry.digest)

    assert owner is not None
    assert owner.glance is not None
    assert owner.glance.username == "bob"
    assert record == Row("bob", b"{}", to_ms(entry.seen))


async def test_file_that_does_not_tell_its_number_is_let_go_of(
    store: SqliteStore, worker: SqliteWorker
) -> None:
    """Whoever closes it would wait for ever."""
    await store.create(create_entry())
    assert worker.file is not None
    worker.file.reader.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)

    with pytest.raises(NoGlanceError):
        store.begin_peeking()

    assert not worker.file.lock.locked()


async def test_look_between_turns_that_could_wait_is_for_the_manager(
    store: SqliteStore, worker: SqliteWorker
) -> None:
    """It asks the file itself, which another thread may have."""
    entry = create_entry(record=PLAIN)
    await store.create(entry)
    assert worker.file is not None

    with worker.file.lock, pytest.raises(NoGlanceError):
        store.peek(entry.digest)


async def test_snapshot_that_could_not_be_closed_is_read_by_nobody(
    store: SqliteStore, worker: SqliteWorker, tmp_path: Path
) -> None:
    """It would show for ever what there was; the worker's thread reads instead."""
    entry = create_entry(record=PLAIN)
    await store.create(entry)
    with turn(store):
        assert store.peek(entry.digest) is not None
    assert worker.file is not None
    worker.file.reader.execute("BEGIN")
    worker.file.reader.execute("SELECT count(*) FROM sessions").fetchall()
    other = SqliteStore(SqliteWorker(tmp_path / "sessions.db"))
    await other.delete(entry.digest)

    with pytest.raises(NoGlanceError), turn(store):
        store.peek(entry.digest)

    assert await store.load(entry.digest) is None
    await other.close()
