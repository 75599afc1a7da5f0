"""Attempts to sign in, in tables of their own beside the sessions.

Each call is one transaction, so that the workers of a machine judge one after the
other. What is written outlives a kill, as with all that is not flushed to the disk.

The tables are made by the first attempt, so that a file of an older release needs no
step of its own, and an older release that opens this file again does not mind them.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

from forwardauth.attempts.bucket import Bucket
from forwardauth.attempts.judge import admit, settle
from forwardauth.attempts.known import KnownAddresses
from forwardauth.attempts.limits import Rules
from forwardauth.attempts.store import Attempt, Result, Table

EVICTED_SHARE: Final = 100
"""The hundredth part goes at once, and about as many come between two counts of the
rows, which take milliseconds."""

_SCHEMA: Final = (
    """
    CREATE TABLE IF NOT EXISTS attempts (
        kind TEXT NOT NULL,
        key BLOB NOT NULL,
        failures INTEGER NOT NULL,
        dripped INTEGER NOT NULL,
        until INTEGER NOT NULL,
        empty INTEGER NOT NULL,
        PRIMARY KEY (kind, key)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS attempts_empty ON attempts (kind, empty)",
    """
    CREATE TABLE IF NOT EXISTS known_addresses (
        account BLOB NOT NULL PRIMARY KEY,
        packed BLOB NOT NULL,
        latest INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS known_latest ON known_addresses (latest)",
)
_TABLES: Final = (
    "SELECT count(*) FROM sqlite_master"
    " WHERE type = 'table' AND name IN ('attempts', 'known_addresses')"
)
_LOOKUP: Final = (
    "SELECT failures, dripped, until FROM attempts WHERE kind = ? AND key = ?"
)
_WRITE: Final = "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?)"
_FORGET: Final = "DELETE FROM attempts WHERE kind = ? AND key = ?"
_FORGET_EMPTY: Final = "DELETE FROM attempts WHERE kind = ? AND empty <= ?"
_COUNT: Final = "SELECT count(*) FROM attempts WHERE kind = ?"
_EVICT: Final = (
    "DELETE FROM attempts WHERE kind = ?1 AND key IN"
    " (SELECT key FROM attempts WHERE kind = ?1 ORDER BY empty LIMIT ?2)"
)
_KNOWN: Final = "SELECT packed FROM known_addresses WHERE account = ?"
_WRITE_KNOWN: Final = "INSERT OR REPLACE INTO known_addresses VALUES (?, ?, ?)"
_FORGET_KNOWN: Final = "DELETE FROM known_addresses WHERE latest <= ?"
_EVICT_KNOWN: Final = (
    "DELETE FROM known_addresses WHERE account IN (SELECT account FROM known_addresses"
    " ORDER BY latest DESC LIMIT -1 OFFSET ?)"
)


def admit_attempt(
    connection: sqlite3.Connection, attempt: Attempt, rules: Rules, now: int
) -> int:
    """Let *attempt* in and count it, or say how long it has to wait."""
    return admit(_open(connection, rules, now), attempt, rules, now)


def settle_attempt(
    connection: sqlite3.Connection,
    attempt: Attempt,
    result: Result,
    rules: Rules,
    now: int,
) -> None:
    """Say what became of *attempt*."""
    settle(_open(connection, rules, now), attempt, result, rules, now)


def _open(connection: sqlite3.Connection, rules: Rules, now: int) -> "_Book":
    if connection.execute(_TABLES).fetchone() != (2,):
        for statement in _SCHEMA:
            connection.execute(statement)
    return _Book(connection=connection, rules=rules, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """The ``Book`` of one transaction."""

    connection: sqlite3.Connection
    rules: Rules
    now: int

    def lookup(self, table: Table, key: bytes) -> Bucket | None:
        row = self.connection.execute(_LOOKUP, (table, key)).fetchone()
        # A column holds whatever somebody wrote; of rubbish nobody can say how often.
        if row is None or not all(isinstance(each, int) for each in row):
            return None
        failures, dripped, until = row
        return Bucket(failures=failures, dripped=dripped, until=until)

    def write(self, table: Table, key: bytes, bucket: Bucket | None) -> None:
        if bucket is None:
            self.connection.execute(_FORGET, (table, key))
            return
        if self.lookup(table, key) is None:
            self._make_room(table, key)
        self.connection.execute(
            _WRITE,
            (
                *(table, key),
                *(bucket.failures, bucket.dripped, bucket.until),
                bucket.empty_at(table.limit(self.rules)),
            ),
        )

    def known(self, account: bytes) -> KnownAddresses:
        row = self.connection.execute(_KNOWN, (account,)).fetchone()
        return KnownAddresses(row[0] if row and isinstance(row[0], bytes) else b"")

    def write_known(self, account: bytes, known: KnownAddresses) -> None:
        oldest = self.now - self.rules.known_for_ms
        self.connection.execute(_FORGET_KNOWN, (oldest,))
        self.connection.execute(_WRITE_KNOWN, (account, known.packed, self.now))
        self.connection.execute(_EVICT_KNOWN, (self.rules.capacity,))

    def _make_room(self, table: Table, key: bytes) -> None:
        """Forget what is empty by now, and what will be next if that is not enough.

        Keys are digests, so of them every so many-th comes evenly.
        """
        self.connection.execute(_FORGET_EMPTY, (table, self.now))
        capacity = self.rules.capacity
        share = max(capacity // EVICTED_SHARE, 1)
        if int.from_bytes(key[:4]) % share:
            return
        (count,) = self.connection.execute(_COUNT, (table,)).fetchone()
        if count >= capacity:
            self.connection.execute(_EVICT, (table, count - capacity + share))
