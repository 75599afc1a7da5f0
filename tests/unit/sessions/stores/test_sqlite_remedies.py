"""The log of a bad day says what to do."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from forwardauth.sessions.stores.sqlite_remedies import lookup_remedy


def test_file_that_is_no_database_is_to_be_moved_away(tmp_path: Path) -> None:
    """What SQLite raises itself has the number that decides."""
    path = tmp_path / "sessions.db"
    path.write_bytes(os.urandom(8_192))

    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.DatabaseError) as raised,
    ):
        connection.execute("SELECT * FROM sessions")

    assert "move the file away" in (lookup_remedy(raised.value) or "")


def test_extended_code_tells_its_kind(tmp_path: Path) -> None:
    """A file that cannot be opened for writing is a matter of rights."""
    path = tmp_path / "sessions.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sessions (digest)")

    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError) as raised,
    ):
        connection.execute("INSERT INTO sessions VALUES (1)")

    assert "write to the file" in (lookup_remedy(raised.value) or "")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(errno.ENOSPC, "make room", id="full"),
        pytest.param(errno.EROFS, "read-only", id="read-only"),
        pytest.param(errno.EMFILE, "open files", id="files"),
    ],
)
def test_fault_of_the_disk(number: int, expected: str) -> None:
    """The system's own errors have remedies as well."""
    fault = OSError(number, os.strerror(number))

    assert expected in (lookup_remedy(fault) or "")


def test_fault_without_a_remedy() -> None:
    """Where nothing in particular helps, nothing is said."""
    assert lookup_remedy(sqlite3.Error("whatever")) is None
    assert lookup_remedy(OSError(errno.EIO, "broken")) is None
