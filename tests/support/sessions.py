"""Sessions without the web: workers on one store and one journal."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest, SessionId, digest_of
from forwardauth.sessions.journal import MAX_PENDING, RevocationJournal
from forwardauth.sessions.lifetimes import Login, Timeouts
from forwardauth.sessions.manager import SessionManager
from forwardauth.sessions.model import EndCause, LiveSession, Session
from forwardauth.sessions.recent_ends import ReplicatedStore
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from tests.support.clock import START, FakeClock
from tests.support.until import PATIENCE_SECONDS

DOMAIN: Final = "example.com"
TIMEOUTS: Final = Timeouts(
    absolute=timedelta(hours=24),
    idle=timedelta(hours=1),
    remember_me=timedelta(days=30),
)
READS: Final = frozenset({"load", "list_owner", "list_all", "list_expired", "count"})
ENDS: Final = frozenset({"delete", "delete_login", "delete_owner"})
WRITES: Final = frozenset({"create", "touch"}) | ENDS


class PartlyDownStore(MemoryStore):
    """Memory of which a test breaks parts.

    Attributes:
        broken: Names of methods that fail.
        lost: Digests that no method can be called with, as on a lost part of a cluster.
        ends_left: How many ends still work before the store goes down.
        calls: Names of the methods called, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.broken: frozenset[str] = frozenset()
        self.lost: frozenset[Digest] = frozenset()
        self.ends_left: int | None = None
        self.calls: list[str] = []

    def go_down(self) -> None:
        """Answer nothing."""
        self.broken = READS | WRITES

    def come_back(self) -> None:
        """Answer everything."""
        self.broken, self.lost, self.ends_left = frozenset(), frozenset(), None

    async def _answer(self, name: str, digest: Digest | None = None) -> None:
        self.calls.append(name)
        await asyncio.sleep(0)  # As every store but memory, it lets others go first.
        if name in ENDS and self.ends_left is not None:
            if self.ends_left == 0:
                self.go_down()
            self.ends_left -= 1
        if name in self.broken or digest in self.lost:
            raise StoreUnavailableError("the store is down")

    async def create(self, entry: Entry) -> bool:
        await self._answer("create", entry.digest)
        return await super().create(entry)

    async def load(self, digest: Digest) -> Entry | None:
        await self._answer("load", digest)
        return await super().load(digest)

    def peek(self, digest: Digest) -> Row | None:  # noqa: ARG002 - of the protocol
        raise NoGlanceError  # Calls are counted, and fail, in ``load``.

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        await self._answer("touch", digest)
        return await super().touch(digest, seen=seen, expires=expires)

    async def delete(self, digest: Digest) -> Entry | None:
        await self._answer("delete", digest)
        return await super().delete(digest)

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        await self._answer("delete_login")
        return await super().delete_login(login)

    async def delete_owner(
        self, owner: str, *, keep_login: str | None = None
    ) -> tuple[Entry, ...]:
        await self._answer("delete_owner")
        return await super().delete_owner(owner, keep_login=keep_login)

    async def list_owner(self, owner: str) -> tuple[Entry, ...]:
        await self._answer("list_owner")
        return await super().list_owner(owner)

    async def list_expired(self, now: datetime, *, limit: int) -> tuple[Entry, ...]:
        await self._answer("list_expired")
        return await super().list_expired(now, limit=limit)


@dataclass
class Recorder:
    """An observer that remembers."""

    created: list[Session] = field(default_factory=list)
    ended: list[tuple[Session | None, Digest, EndCause]] = field(default_factory=list)
    pending: list[tuple[Digest, EndCause]] = field(default_factory=list)

    def session_created(self, session: Session, digest: Digest) -> None:
        """Remember a begin."""
        assert len(digest) == 32
        self.created.append(session)

    def session_ended(
        self, session: Session | None, digest: Digest, cause: EndCause
    ) -> None:
        """Remember an end."""
        self.ended.append((session, digest, cause))

    def end_pending(self, digest: Digest, cause: EndCause) -> None:
        """Remember a promise."""
        self.pending.append((digest, cause))

    @property
    def causes(self) -> list[EndCause]:
        """Why sessions ended, in order."""
        return [cause for _, _, cause in self.ended]


class Worker:
    """The sessions of one process: what it shares with others is given to it."""

    def __init__(
        self,
        journal: Path,
        *,
        store: SessionStore,
        clock: FakeClock,
        timeouts: Timeouts = TIMEOUTS,
        max_pending: int = MAX_PENDING,
        replicated: ReplicatedStore | None = None,
    ) -> None:
        self.clock = clock
        self.observer = Recorder()
        self.journal = RevocationJournal(journal, max_pending=max_pending)
        self.revoker = SessionRevoker(
            store=store,
            clock=clock,
            timeouts=timeouts,
            journal=self.journal,
            observer=self.observer,
            replicated=replicated,
        )
        self.sessions = SessionManager(
            store=store,
            clock=clock,
            timeouts=timeouts,
            revoker=self.revoker,
            observer=self.observer,
        )

    async def sign_in(
        self,
        username: str = "alice",
        *,
        domain: str = DOMAIN,
        remembered: bool = False,
        linked_to: Session | None = None,
    ) -> tuple[SessionId, Session]:
        """Return a new session of *username*."""
        return await self.sessions.create(
            Login(
                username=username,
                domain=domain,
                credential=("stamp",),
                methods=("pwd",),
                remembered=remembered,
                address="192.0.2.1",
                user_agent="Firefox",
                linked_to=linked_to,
            )
        )

    async def lookup(self, *presented: str, domain: str = DOMAIN) -> LiveSession | None:
        """Look up, and wait for what happens after the answer."""
        found = await self.sessions.lookup(presented, domain=domain)
        await self.sessions.close()
        return found

    async def is_live(self, *presented: str, domain: str = DOMAIN) -> bool:
        """Whether the cookies *presented* are a session."""
        return await self.lookup(*presented, domain=domain) is not None

    async def revoke(self, *presented: str, is_for_user: bool = False) -> bool:
        """Sign out; return whether that is pending."""
        ended = await self.revoker.revoke(
            presented, cause=EndCause.USER, is_for_user=is_for_user
        )
        return ended.is_pending


def digests(session_ids: Iterable[SessionId]) -> list[Digest]:
    """Return the keys of *session_ids*."""
    return [digest_of(session_id) for session_id in session_ids]


async def wait_for_use(store: SessionStore, session_id: SessionId) -> datetime:
    """Return when a session was last used, once *store* has been told of a use.

    Raises:
        TimeoutError: It never was.
    """
    digest = digest_of(session_id)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            entry = await store.load(digest)
            if entry is not None and entry.seen > START:
                return entry.seen
            await asyncio.sleep(0.001)
