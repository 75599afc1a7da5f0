"""Sessions that were made somewhere else, in a SQLite file that a command reads."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from forwardauth.clock import SystemClock
from forwardauth.sessions.ids import (
    Digest,
    Handle,
    create_handle,
    create_session_id,
    digest_of,
)
from forwardauth.sessions.model import LiveSession, Session, dump_entry
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker

FIREFOX: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
)

T = TypeVar("T")


def make_live(
    username: str = "alice",
    *,
    now: datetime | None = None,
    age: timedelta = timedelta(),
    handle: str | None = None,
    login: str | None = None,
    domain: str = "example.com",
    user_agent: str = FIREFOX,
) -> LiveSession:
    """Return a session with its key; it was last used *age* before *now*."""
    seen = (now or SystemClock().now()) - age
    session = Session(
        handle=create_handle() if handle is None else Handle(handle),
        login=login or create_handle(),
        username=username,
        domain=domain,
        credential=("stamp",),
        methods=("pwd",),
        level=1,
        created=seen,
        absolute=seen + timedelta(hours=24),
        idle=timedelta(hours=1),
        seen=seen,
        remembered=False,
        address="192.0.2.1",
        user_agent=user_agent,
    )
    return LiveSession(session=session, digest=digest_of(create_session_id()))


class StoredSessions:
    """A SQLite store, asked from a test that runs no loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._run(lambda store: store.ping())

    def add(self, live: LiveSession) -> LiveSession:
        """Keep *live*, and return it."""
        self.add_entry(dump_entry(live.session, live.digest))
        return live

    def add_entry(self, entry: Entry) -> None:
        """Keep an entry as it is."""
        self._run(lambda store: store.create(entry))

    def holds(self, live: LiveSession) -> bool:
        """Whether the store still has *live*."""
        return self.load(live.digest) is not None

    def load(self, digest: Digest) -> Entry | None:
        """Return what is kept under *digest*."""
        return self._run(lambda store: store.load(digest))

    def count(self) -> int:
        """Return how many entries there are."""
        return self._run(lambda store: store.count())

    def destroy(self) -> None:
        """Leave a file that is no database: every call of a store fails from now on."""
        for path in self.path.parent.glob(f"{self.path.name}-*"):
            path.unlink()
        self.path.write_bytes(b"no database, but as long as one: " * 200)

    def _run(self, work: Callable[[SessionStore], Awaitable[T]]) -> T:
        async def run() -> T:
            store = SqliteStore(SqliteWorker(self.path))
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(run())
