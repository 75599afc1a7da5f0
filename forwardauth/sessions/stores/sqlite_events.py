"""The last events of each user, in a table of their own beside the sessions.

The table is made by the first event, so that a file of an older release needs no step
of its own, and an older release that opens this file again does not mind it.
"""

import sqlite3
from datetime import datetime, timedelta
from typing import Final

from forwardauth.sessions.events import Event
from forwardauth.sessions.model import from_ms, to_ms

_SCHEMA: Final = (
    """
    CREATE TABLE IF NOT EXISTS events (
        topic TEXT NOT NULL,
        at INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        record BLOB NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS events_topic ON events (topic)",
    "CREATE INDEX IF NOT EXISTS events_expires ON events (expires)",
)
_EXISTS: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'events'"
_INSERT: Final = "INSERT INTO events (topic, at, expires, record) VALUES (?, ?, ?, ?)"
_FORGET: Final = "DELETE FROM events WHERE expires <= ?"
_BOUND: Final = (
    "DELETE FROM events WHERE topic = ?1 AND rowid NOT IN"
    " (SELECT rowid FROM events WHERE topic = ?1 ORDER BY rowid DESC LIMIT ?2)"
)
_SELECT: Final = (
    "SELECT at, record FROM events WHERE topic = ? AND at >= ? ORDER BY rowid DESC"
)


def append_event(
    connection: sqlite3.Connection, event: Event, keep: int, lifetime: timedelta
) -> None:
    """Add *event*, and forget what is beyond its bound or its time; in one transaction.

    What has expired goes with whatever event comes next, of whichever topic.
    """
    if connection.execute(_EXISTS).fetchone() is None:
        for statement in _SCHEMA:
            connection.execute(statement)
    row = (event.topic, to_ms(event.at), to_ms(event.at + lifetime), event.record)
    connection.execute(_FORGET, (to_ms(event.at),))
    connection.execute(_INSERT, row)
    connection.execute(_BOUND, (event.topic, keep))


def select_events(
    connection: sqlite3.Connection, topic: str, since: datetime
) -> tuple[Event, ...]:
    """Return the events of *topic*, the last first."""
    if connection.execute(_EXISTS).fetchone() is None:
        return ()
    rows = connection.execute(_SELECT, (topic, to_ms(since))).fetchall()
    return tuple(
        Event(topic=topic, at=from_ms(at), record=record) for at, record in rows
    )
