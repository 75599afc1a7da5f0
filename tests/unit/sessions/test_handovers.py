"""Handing a login over: one code, one browser, one minute, one login that lives."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.sessions.handovers import HANDOVER_LIFETIME, Handovers
from forwardauth.sessions.ids import SessionId, digest_of
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.lifetimes import Login, Timeouts
from forwardauth.sessions.manager import SessionManager
from forwardauth.sessions.model import EndCause, LiveSession, Session
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.web.audit import AuditLog
from forwardauth.web.metrics import Metrics
from tests.support.clock import FakeClock

LOGIN = Login(
    username="alice",
    domain="example.com",
    credential=("stamp",),
    methods=("pwd",),
    level=1,
    remembered=False,
    address="192.0.2.1",
    user_agent="home",
)


class Store(MemoryStore):
    """A store in which something else happens before the next entry is made."""

    def __init__(self) -> None:
        super().__init__()
        self.before_create: Callable[[], Awaitable[object]] | None = None
        self.is_overtaken = False

    async def create(self, entry: Entry) -> bool:
        if self.before_create is not None:
            await self.before_create()
        return not self.is_overtaken and await super().create(entry)


class Home:
    """Sessions with their handovers, and one live session at home."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.store = Store()
        timeouts = Timeouts(
            absolute=timedelta(hours=24),
            idle=timedelta(hours=1),
            remember_me=timedelta(days=30),
        )
        observer = AuditLog(Metrics())
        self.revoker = SessionRevoker(
            store=self.store,
            clock=self.clock,
            timeouts=timeouts,
            journal=RevocationJournal(folder / "journal"),
            observer=observer,
        )
        self.sessions = SessionManager(
            store=self.store,
            clock=self.clock,
            timeouts=timeouts,
            revoker=self.revoker,
            observer=observer,
        )
        self.handovers = Handovers(
            store=self.store,
            clock=self.clock,
            sessions=self.sessions,
            revoker=self.revoker,
        )

    async def sign_in(self) -> tuple[SessionId, LiveSession]:
        """Return a new session of alice's at home."""
        session_id, session = await self.sessions.create(LOGIN)
        return session_id, LiveSession(session=session, digest=digest_of(session_id))

    async def redeem(
        self, code: str | None, *, domain: str = "example.org", nonce: str = "nonce"
    ) -> tuple[SessionId, Session] | None:
        """Bring *code*, which must be there."""
        assert code is not None
        return await self.handovers.redeem(
            code, domain=domain, nonce=nonce, address="192.0.2.2", user_agent="other"
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Nobody is signed in yet."""
    return Home(tmp_path)


async def test_code_makes_a_linked_session(home: Home) -> None:
    """What was proven and the end of the login come along; the place is its own."""
    _, live = await home.sign_in()
    home.clock.advance(timedelta(minutes=5))

    code = await home.handovers.issue(live, domain="example.org", nonce="nonce")
    linked = await home.redeem(code)

    assert linked is not None
    session = linked[1]
    assert session.domain == "example.org"
    assert (session.login, session.credential) == (live.session.login, ("stamp",))
    assert session.absolute == live.session.absolute
    assert (session.address, session.user_agent) == ("192.0.2.2", "other")
    assert session.handle != live.session.handle


@pytest.mark.parametrize(
    ("domain", "nonce"),
    [("example.net", "nonce"), ("example.org", "another"), ("example.org", "\ud800")],
    ids=["domain", "nonce", "surrogate"],
)
async def test_wrong_place_gets_nothing_and_spoils_nothing(
    home: Home, domain: str, nonce: str
) -> None:
    """A code tried elsewhere is still there for the browser that asked for it."""
    _, live = await home.sign_in()
    code = await home.handovers.issue(live, domain="example.org", nonce="nonce")

    wrong = await home.redeem(code, domain=domain, nonce=nonce)
    right = await home.redeem(code)

    assert wrong is None
    assert right is not None


async def test_of_many_at_once_one_gets_the_session(home: Home) -> None:
    """A code is used once, however many bring it at the same time."""
    _, live = await home.sign_in()
    code = await home.handovers.issue(live, domain="example.org", nonce="nonce")

    answers = await asyncio.gather(*(home.redeem(code) for _ in range(50)))

    assert len([answer for answer in answers if answer is not None]) == 1
    assert await home.store.count() == 2


async def test_code_expires(home: Home) -> None:
    """It counts for less than a minute, swept or not."""
    _, live = await home.sign_in()
    code = await home.handovers.issue(live, domain="example.org", nonce="nonce")
    home.clock.advance(HANDOVER_LIFETIME)

    assert await home.redeem(code) is None


async def test_use_of_the_login_prolongs_no_code(home: Home) -> None:
    """A code is worth a minute however often its login is used, and is swept then."""
    session_id, live = await home.sign_in()
    home.clock.advance(timedelta(minutes=30))
    code = await home.handovers.issue(live, domain="example.org", nonce="nonce")
    for _ in range(3):
        home.clock.advance(HANDOVER_LIFETIME / 3)
        await home.store.touch(
            live.digest,
            seen=home.clock.now(),
            expires=live.session.expires_after(home.clock.now()),
        )

    redeemed = await home.redeem(code)
    swept = await home.revoker.sweep()

    assert redeemed is None
    assert swept == 1
    assert await home.sessions.lookup([session_id], domain="example.com")


async def test_record_of_a_code_says_when_it_is_over(home: Home) -> None:
    """Even where a store had prolonged it, it would be worth nothing."""
    _, live = await home.sign_in()
    code = await home.handovers.issue(live, domain="example.org", nonce="nonce")
    assert code is not None
    entry = await home.store.delete(digest_of(code))
    assert entry is not None
    await home.store.create(replace(entry, expires=entry.expires + timedelta(hours=1)))
    home.clock.advance(HANDOVER_LIFETIME)

    assert await home.redeem(code) is None


@pytest.mark.parametrize("code", ["", "x", "A" * 43, "é" * 43])
async def test_what_is_no_code_is_none(home: Home, code: str) -> None:
    """Garbage and what nobody issued are one."""
    assert await home.redeem(code) is None


async def test_session_id_is_no_code(home: Home) -> None:
    """A stolen cookie of one domain makes no session on another."""
    session_id, _ = await home.sign_in()

    assert await home.redeem(session_id) is None


async def test_ended_login_issues_and_hands_over_nothing(home: Home) -> None:
    """The end of a login ends its codes; a code that was overtaken is none (L-1)."""
    session_id, live = await home.sign_in()
    code = await home.handovers.issue(live, domain="example.org", nonce="nonce")

    await home.revoker.revoke([session_id], cause=EndCause.USER)
    home.store.is_overtaken = True
    later = await home.handovers.issue(live, domain="example.org", nonce="nonce")

    assert later is None
    assert await home.redeem(code) is None
    assert await home.store.count() == 0


async def test_expired_login_hands_over_nothing(home: Home) -> None:
    """A session that has run out since cannot be continued elsewhere (V-6)."""
    _, live = await home.sign_in()
    home.clock.advance(timedelta(minutes=59, seconds=30))
    code = await home.handovers.issue(live, domain="example.org", nonce="nonce")
    home.clock.advance(timedelta(seconds=30))

    assert await home.redeem(code) is None


async def test_end_during_the_use_of_a_code_wins(home: Home) -> None:
    """The linked session is made first, and counts only if the code was left (L-5)."""
    session_id, live = await home.sign_in()
    code = await home.handovers.issue(live, domain="example.org", nonce="nonce")
    home.store.before_create = lambda: home.revoker.revoke(
        [session_id], cause=EndCause.USER
    )

    assert await home.redeem(code) is None
    assert await home.store.count() == 0
