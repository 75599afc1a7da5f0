"""Events in a SQLite file keep the contract, in files of any release."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.events import Event, EventStore
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from tests.support.clock import START
from tests.unit.sessions.contract import create_entry
from tests.unit.sessions.event_contract import (
    MONTH,
    EventStoreContract,
    append,
    create_event,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "sessions.db"


@pytest.fixture
async def events(path: Path) -> AsyncIterator[SqliteStore]:
    """A store without events."""
    store = SqliteStore(SqliteWorker(path))
    yield store
    await store.close()


def rows_in(path: Path, statement: str) -> list[tuple[object, ...]]:
    """Return what *statement* finds in the file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


class TestSqliteEvents(EventStoreContract):
    """The contract of events, kept in a file."""


async def test_another_process_lists_what_was_added(
    events: SqliteStore, path: Path
) -> None:
    """All workers of a machine show the same events."""
    elsewhere = SqliteStore(SqliteWorker(path))
    seen_before = await elsewhere.list_events("alice", since=START)
    await append(events, create_event())

    seen = await elsewhere.list_events("alice", since=START)
    await elsewhere.close()

    assert (seen_before, seen) == ((), (create_event(),))


async def test_file_without_events_has_no_table_for_them(
    events: SqliteStore, path: Path
) -> None:
    """A file of an older release stays as it is until somebody signs in."""
    await events.create(create_entry())
    await events.list_events("alice", since=START)

    tables = rows_in(path, "SELECT name FROM sqlite_master WHERE type = 'table'")

    assert tables == [("sessions",)]


async def test_what_nobody_adds_to_goes_with_any_event(
    events: SqliteStore, path: Path
) -> None:
    """The file does not keep the addresses of users who are long gone."""
    await append(events, create_event(topic="gone"), lifetime=MONTH)
    later = START + MONTH + timedelta(seconds=1)

    await append(events, Event(topic="alice", at=later, record=b""))

    assert rows_in(path, "SELECT topic FROM events") == [("alice",)]


async def test_broken_table_is_an_outage(events: SqliteStore, path: Path) -> None:
    """What cannot be read is no empty list."""
    await append(events, create_event())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE events RENAME COLUMN record TO other")
        connection.commit()

    with pytest.raises(StoreUnavailableError):
        await events.list_events("alice", since=START)


def test_stores_say_that_they_keep_events(path: Path) -> None:
    """The application finds out by the protocol."""
    assert isinstance(SqliteStore(SqliteWorker(path)), EventStore)
