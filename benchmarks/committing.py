"""Commits to a SQLite file while somebody measures."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

PER_SECOND: Final = 100
"""As sign-ins and logouts cause, each by itself. Uses of sessions are recorded
together, twice a second at most by each worker."""

_TOUCH: Final = (
    "UPDATE sessions SET seen = seen + 1 WHERE digest ="
    " (SELECT digest FROM sessions WHERE digest > randomblob(32) LIMIT 1)"
)


@contextmanager
def committing(path: Path) -> Iterator[None]:
    """Commit to the file at *path*, ``PER_SECOND`` times, as long as this lasts."""
    stop = threading.Event()

    def go_on() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            due = time.monotonic()
            while not stop.wait(max(0.0, due - time.monotonic())):
                connection.execute(_TOUCH)
                due += 1 / PER_SECOND

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
