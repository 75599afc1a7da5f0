"""What another release has written: the first one as it was, and one that is to come.

The files of ``tests/data/released`` were written by the first release that could and
never change again. The release to come adds a field, a column and a line of its own.
"""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from forwardauth.sessions.ids import SessionId, digest_of
from forwardauth.sessions.model import Session, dump_entry
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.sqlite_file import STEPS, Steps
from tests.support.repository import ROOT

RELEASED: Final = ROOT / "tests" / "data" / "released"
ALICE, ALICE_ELSEWHERE, BOB = (SessionId(letter * 43) for letter in "AIQ")
"""The cookies of the sessions there; the first two are one login."""

CODE: Final = BOB
"""The code of the handover there."""

NEXT_STEPS: Final[Steps] = (
    *STEPS,
    (
        "ALTER TABLE sessions ADD COLUMN device TEXT",
        "CREATE TABLE devices (name TEXT NOT NULL)",
    ),
)
"""The schema of a release to come."""

NEXT_FIELDS: Final = {"device": {"name": "laptop", "keys": [1, 2]}, "risk": 0.25}
"""What the records of a release to come say besides."""

NEXT_LINE: Final = {"pause": {"v": 3, "until": 1}}
"""A line of its journal that means nothing to this one."""


def write_released_database(path: Path) -> None:
    """Make the file that the first release has left at *path*."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((RELEASED / "sessions.sql").read_text("ascii"))


def dump_next(session: Session, session_id: SessionId, **fields: object) -> Entry:
    """Return *session* as a release to come keeps it, with further *fields*."""
    entry = dump_entry(session, digest_of(session_id))
    record = {**json.loads(entry.record), "v": 2, **NEXT_FIELDS, **fields}
    return replace(entry, record=json.dumps(record).encode())
