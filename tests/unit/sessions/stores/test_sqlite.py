"""The store in a SQLite file keeps the contract, and fails closed when it cannot."""

import io
import resource
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import create_session_id, digest_of
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores import sqlite, sqlite_reader
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from tests.unit.sessions.contract import (
    SharedStoreContract,
    add_all,
    create_entry,
    every_call,
    load_all,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "sessions.db"


@pytest.fixture
def worker(path: Path) -> SqliteWorker:
    """The part of the store that has the file open."""
    return SqliteWorker(path)


@pytest.fixture
async def store(worker: SqliteWorker) -> AsyncIterator[SqliteStore]:
    """A store that has not opened its file yet."""
    store = SqliteStore(worker)
    yield store
    await store.close()


class TestSqliteStore(SharedStoreContract):
    """The contract, kept in a file, by two stores as if of two processes."""

    @pytest.fixture
    async def store(self, path: Path) -> AsyncIterator[SessionStore]:
        """An empty store."""
        store = SqliteStore(SqliteWorker(path))
        yield store
        await store.close()

    @pytest.fixture
    async def elsewhere(self, path: Path) -> AsyncIterator[SessionStore]:
        """Another one on the same file."""
        elsewhere = SqliteStore(SqliteWorker(path))
        yield elsewhere
        await elsewhere.close()


async def fails(store: SessionStore) -> set[str]:
    """Return the methods that raise ``StoreUnavailableError``, and nothing else."""
    failed = set()
    for name, call in every_call().items():
        try:
            await call(store)
        except StoreUnavailableError:
            failed.add(name)
    return failed


def names_in(folder: Path) -> set[str]:
    """Return the names of the files in *folder*."""
    return {each.name for each in folder.iterdir()}


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow, as on a disk without space."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_nothing_is_opened_before_the_first_call(path: Path) -> None:
    """A constructor does no I/O: the service starts while its store is away."""
    store = SqliteStore(SqliteWorker(path))

    assert names_in(path.parent) == set()

    await store.close()


async def test_files_are_for_their_owner_alone(store: SqliteStore, path: Path) -> None:
    """Nobody else reads or writes the file, its log or its shared memory."""
    await store.create(create_entry())

    modes = {
        each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()
    }

    assert modes == {f"sessions.db{end}": 0o600 for end in ("", "-wal", "-shm")}


async def test_missing_folder_is_named_by_every_call(tmp_path: Path) -> None:
    """No method takes a missing folder for an empty store."""
    store = SqliteStore(SqliteWorker(tmp_path / "missing" / "sessions.db"))

    with pytest.raises(StoreUnavailableError, match=r"folder .*missing does not exist"):
        await store.load(create_entry().digest)

    assert await fails(store) == every_call().keys()
    await store.close()


async def test_store_works_once_the_folder_is_there(tmp_path: Path) -> None:
    """The next call tries again by itself."""
    path = tmp_path / "late" / "sessions.db"
    store = SqliteStore(SqliteWorker(path))
    with pytest.raises(StoreUnavailableError):
        await store.ping()

    path.parent.mkdir()
    await store.ping()

    assert await store.create(create_entry())
    await store.close()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            b"no database, but longer than a header " * 100, id="other-format"
        ),
        pytest.param(b"SQLite format 3\0" + b"\xff" * 8_000, id="corrupt"),
    ],
)
async def test_unreadable_file_fails_every_call(
    store: SqliteStore, path: Path, content: bytes
) -> None:
    """Garbage in place of the file is an outage, and is left as it is."""
    with path.open("xb") as file:
        file.write(content)

    assert await fails(store) == every_call().keys()
    with path.open("rb") as file:
        assert file.read() == content


async def test_pages_that_rot_fail_the_read(store: SqliteStore, path: Path) -> None:
    """A page that cannot be read is an outage, not an absent session."""
    entries = [create_entry() for _ in range(50)]
    await add_all(store, entries)
    await store.close()
    with path.open("r+b") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(4_096)
        file.write(b"\xff" * (size - 4_096))
    rotten = SqliteStore(SqliteWorker(path))

    for entry in entries:
        with pytest.raises(StoreUnavailableError):
            await rotten.load(entry.digest)

    await rotten.close()


async def test_row_that_we_never_wrote_is_an_outage(
    store: SqliteStore, path: Path
) -> None:
    """A value that cannot be a time does not escape as another error."""
    entry = create_entry()
    await store.create(entry)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE sessions SET seen = 'yesterday'")

    with pytest.raises(StoreUnavailableError, match="cannot be read"):
        await store.load(entry.digest)


async def test_full_disk_fails_writes_and_keeps_reads(store: SqliteStore) -> None:
    """What was answered stays; what cannot be written is an error, then works again."""
    kept, refused = create_entry(), create_entry()
    await store.create(kept)

    with full_disk():
        failed = await fails(store)
        with pytest.raises(StoreUnavailableError):
            await store.create(refused)
        with pytest.raises(StoreUnavailableError):
            await store.delete(kept.digest)

    assert {"create", "ping"} <= failed
    assert await store.load(kept.digest) == kept
    assert await store.load(refused.digest) is None
    assert await store.create(refused)


async def test_locked_file_fails_writes_within_bounds(path: Path) -> None:
    """Another program that holds the lock delays writes, and no reads at all."""
    store = SqliteStore(SqliteWorker(path, busy_timeout=timedelta(milliseconds=20)))
    entry = create_entry()
    await store.create(entry)

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked"):
            await store.delete(entry.digest)
        assert await store.load(entry.digest) == entry
        other.execute("ROLLBACK")

    assert await store.delete(entry.digest) == entry
    await store.close()


async def test_deleted_file_takes_its_sessions_with_it(
    store: SqliteStore, path: Path
) -> None:
    """Sessions of a file that others cannot see any more are not served."""
    entry = create_entry()
    await store.create(entry)

    for each in path.parent.iterdir():
        each.unlink()

    assert await store.load(entry.digest) is None
    assert await store.create(create_entry())
    assert await store.count() == 1
    assert path.name in names_in(path.parent)


async def test_replaced_file_is_read_instead(store: SqliteStore, path: Path) -> None:
    """A restored copy counts from the next call on."""
    restored, forgotten = create_entry(), create_entry()
    await store.create(restored)
    copy = path.with_name("copy.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
    await store.create(forgotten)

    for end in ("-wal", "-shm"):
        path.with_name(f"{path.name}{end}").unlink()
    copy.rename(path)

    assert await load_all(store, [restored, forgotten]) == [restored, None]


async def test_folder_that_vanishes_is_an_outage(tmp_path: Path) -> None:
    """A store that was there and is gone is not an empty one."""
    folder = tmp_path / "data"
    folder.mkdir()
    store = SqliteStore(SqliteWorker(folder / "sessions.db"))
    await store.create(create_entry())

    shutil.rmtree(folder)

    assert await fails(store) == every_call().keys()
    await store.close()


async def test_closed_store_is_an_outage(store: SqliteStore) -> None:
    """After ``close`` no call hangs, and none pretends."""
    entry = create_entry()
    await store.create(entry)
    await store.close()

    assert await fails(store) == every_call().keys()


async def test_store_that_was_never_used_can_be_closed(store: SqliteStore) -> None:
    """There is no thread to end."""
    await store.close()
    await store.close()


async def test_reads_see_what_other_connections_commit(
    store: SqliteStore, path: Path
) -> None:
    """No copy in memory stands between a read and the file."""
    entry = create_entry()
    await store.create(entry)
    assert await store.load(entry.digest) == entry

    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM sessions")

    assert await store.load(entry.digest) is None


async def test_point_reads_hold_no_transaction_open(
    store: SqliteStore, path: Path
) -> None:
    """The log can be folded into the file at any time, so it does not grow for ever."""
    entry = create_entry()
    await store.create(entry)
    await store.load(entry.digest)

    with closing(sqlite3.connect(path)) as other:
        result = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    assert result == (0, 0, 0)


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        pytest.param(sqlite_reader.BY_DIGEST, (b"",), id="load-and-delete"),
        pytest.param(sqlite.BY_LOGIN, ("",), id="delete_login"),
        pytest.param(sqlite.BY_OWNER, ("",), id="delete_owner"),
        pytest.param(sqlite.BY_OWNER_BUT, ("", ""), id="delete_owner-keeping"),
        pytest.param(
            f"{sqlite.BY_OWNER} {sqlite.LAST_USED_FIRST}", ("",), id="list_owner"
        ),
        pytest.param(sqlite.NEXT_PAGE, (b"", 1), id="list_all"),
        pytest.param(sqlite.EXPIRED, (0, 1), id="list_expired"),
    ],
)
@pytest.mark.parametrize("verb", ["SELECT *", "DELETE"])
async def test_cost_follows_the_answer_not_the_store(
    store: SqliteStore,
    path: Path,
    verb: str,
    condition: str,
    values: tuple[object, ...],
) -> None:
    """Every condition is answered by an index: SQLite plans no scan [L-60]."""
    await store.ping()
    if verb == "DELETE":
        condition, order, _ = condition.partition("ORDER BY")
        values = values[: condition.count("?")] if order else values

    with closing(sqlite3.connect(path)) as other:
        plan = other.execute(
            f"EXPLAIN QUERY PLAN {verb} FROM sessions {condition}", values
        ).fetchall()

    steps = [step for *_, step in plan]
    assert steps[0].startswith("SEARCH sessions USING")
    assert not [step for step in steps if step.startswith("SCAN")]


async def test_touch_searches_by_two_indexes(store: SqliteStore, path: Path) -> None:
    """The write of a busy login costs what it has sessions, no scan [V-44, L-60]."""
    await store.ping()

    with closing(sqlite3.connect(path)) as other:
        plan = other.execute(f"EXPLAIN QUERY PLAN {sqlite.TOUCH}", (1, 1, b""))
        searches = [step for *_, step in plan if "sessions" in step]

    assert len(searches) == 2
    assert all(step.startswith("SEARCH sessions USING") for step in searches)
    assert [step for step in searches if "(login=?)" in step]
    assert [step for step in searches if "(digest=?)" in step]


async def test_store_holds_no_secret(store: SqliteStore, path: Path) -> None:
    """The file knows the digest of a session id, never the id itself [V-43]."""
    session_id = create_session_id()
    entry = replace(create_entry(), digest=digest_of(session_id))

    await store.create(entry)

    raw = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert bytes(entry.digest) in raw
    assert session_id.encode() not in raw
