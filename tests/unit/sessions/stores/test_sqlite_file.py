"""The SQLite file is made, checked and shared with care."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores import sqlite_file
from forwardauth.sessions.stores.sqlite_file import DatabaseFile, open_file, set_wal

SHORT = timedelta(milliseconds=30)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "sessions.db"


@pytest.fixture
def file(path: Path) -> Iterator[DatabaseFile]:
    """A file that is open."""
    file = open_file(path, busy_timeout=SHORT)
    yield file
    file.close()


def test_new_file_has_our_mark_and_version(file: DatabaseFile) -> None:
    """Later releases know what they have before them."""
    assert file.writer.execute("PRAGMA user_version").fetchone() == (1,)
    assert file.writer.execute("PRAGMA application_id").fetchone() == (
        sqlite_file.APPLICATION_ID,
    )


def test_answered_writes_reach_the_disk(file: DatabaseFile) -> None:
    """The log is written ahead and flushed at each commit."""
    assert file.writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert file.writer.execute("PRAGMA synchronous").fetchone() == (2,)


def test_reader_cannot_write_and_does_not_wait(file: DatabaseFile) -> None:
    """The connection on the event loop's thread only reads, and never sleeps."""
    assert file.reader.execute("PRAGMA busy_timeout").fetchone() == (0,)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        file.reader.execute("DELETE FROM sessions")


def test_file_of_a_newer_release_is_not_touched(file: DatabaseFile, path: Path) -> None:
    """Both versions are named, so that people know what to do."""
    file.writer.execute("PRAGMA user_version = 7")
    file.close()

    with pytest.raises(StoreUnavailableError, match=r"schema 7.*up to 1"):
        open_file(path, busy_timeout=SHORT)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("CREATE TABLE sessions (digest)", id="a-table"),
        pytest.param("PRAGMA user_version = 1", id="a-version"),
        pytest.param("PRAGMA application_id = 5", id="a-mark"),
    ],
)
def test_database_of_another_program_is_left_alone(path: Path, statement: str) -> None:
    """A path that leads to something else is a mistake, not an empty store."""
    with closing(sqlite3.connect(path)) as other:
        other.execute(statement)

    with pytest.raises(StoreUnavailableError, match="another program"):
        open_file(path, busy_timeout=SHORT)


def test_empty_file_becomes_a_store(path: Path) -> None:
    """A file that was made beforehand, say for its rights, is used."""
    path.touch(mode=0o640)

    open_file(path, busy_timeout=SHORT).close()

    assert path.stat().st_mode & 0o777 == 0o640
    assert path.stat().st_size > 0


@pytest.mark.parametrize("name", ["50%.db", "a b?mode=ro#x.db", "ü.db"])
def test_any_name_is_a_path(tmp_path: Path, name: str) -> None:
    """What means something in a URI is part of the name here."""
    open_file(tmp_path / name, busy_timeout=SHORT).close()

    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_folder_is_no_file(tmp_path: Path) -> None:
    """The message names the path."""
    with pytest.raises(StoreUnavailableError, match=tmp_path.name):
        open_file(tmp_path, busy_timeout=SHORT)


def test_link_to_nowhere_is_an_outage(tmp_path: Path) -> None:
    """A volume that is not mounted does not become a new, empty store."""
    path = tmp_path / "sessions.db"
    path.symlink_to(tmp_path / "unmounted" / "sessions.db")

    with pytest.raises(StoreUnavailableError, match="cannot be found"):
        open_file(path, busy_timeout=SHORT)


def test_forbidden_place_is_an_outage() -> None:
    """Not even the administrator writes there."""
    with pytest.raises(StoreUnavailableError):
        open_file(Path("/sys/sessions.db"), busy_timeout=SHORT)


def test_database_that_cannot_have_a_log_is_refused() -> None:
    """Without one, readers and writers would wait for each other."""
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError, match="no write-ahead log"),
    ):
        set_wal(connection, SHORT)


@pytest.mark.parametrize("lock", ["BEGIN EXCLUSIVE", "BEGIN"])
def test_file_that_others_hold_is_waited_for(path: Path, lock: str) -> None:
    """The switch to the log takes place once the file is free, of readers too.

    SQLite gives up at once in some of these cases; a connection that never waits shows
    them all.
    """
    with (
        closing(sqlite3.connect(path, check_same_thread=False)) as other,
        closing(sqlite3.connect(path, timeout=0)) as hasty,
    ):
        other.execute("PRAGMA user_version = 0")
        other.execute(lock)
        other.execute("SELECT count(*) FROM sqlite_master").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            set_wal(hasty, timedelta())
        freeing = threading.Timer(0.02, other.rollback)
        freeing.start()

        set_wal(hasty, timedelta(seconds=5))

        freeing.join()


def test_locked_file_is_an_outage(path: Path) -> None:
    """A lock that is never released is waited for no longer than agreed."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(StoreUnavailableError, match="locked"):
            open_file(path, busy_timeout=SHORT)


def test_writer_elsewhere_does_not_keep_a_reader_out(
    file: DatabaseFile, path: Path
) -> None:
    """A process that starts while another one writes opens the file at once."""
    file.writer.execute("BEGIN IMMEDIATE")

    second = open_file(path, busy_timeout=timedelta())

    assert second.reader.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    second.close()
    file.writer.execute("ROLLBACK")


def test_many_make_the_file_at_once(path: Path) -> None:
    """However many workers start together, one makes the tables, all use them."""
    barrier = threading.Barrier(8)
    opened: list[DatabaseFile] = []

    def open_together() -> None:
        barrier.wait()
        opened.append(open_file(path, busy_timeout=timedelta(seconds=5)))

    threads = [threading.Thread(target=open_together) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == 8
    for file in opened:
        assert file.reader.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
        file.close()


def test_file_that_lost_its_name_is_not_current(file: DatabaseFile, path: Path) -> None:
    """Deleted and replaced are noticed alike."""
    assert file.is_current()

    path.rename(path.with_name("moved.db"))
    assert not file.is_current()

    path.touch()
    assert not file.is_current()
