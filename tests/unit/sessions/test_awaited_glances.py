"""Awaited glances: what they tell, and what counts while an answer is on its way."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import AwaitedGlances, AwaitedStore, Seen
from forwardauth.sessions.ids import SessionId, create_session_id, digest_of
from forwardauth.sessions.lifetimes import Login
from forwardauth.sessions.model import EndCause
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.rows import Glance, NoGlanceError
from forwardauth.sessions.stores.redis import RedisStore
from tests.support.clock import START, FakeClock
from tests.support.deferred_store import DeferredStore
from tests.support.sessions import DOMAIN, TIMEOUTS, Worker, wait_for_use

STAMPS: Final = ("0" * 32,)
LOGIN: Final = Login(
    username="alice",
    domain=DOMAIN,
    credential=STAMPS,
    methods=("pwd",),
    remembered=False,
    address="192.0.2.1",
    user_agent="Mozilla/5.0",
)
MS: Final = timedelta(milliseconds=1)


class Glancing:
    """A worker that glances at a store which answers when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.store = DeferredStore()
        self.store.is_held = True
        self.worker = Worker(folder / "journal", store=self.store, clock=self.clock)
        self.glances = AwaitedGlances(
            self.store,
            backlog=self.worker.revoker.backlog,
            clock=self.clock,
            touches=self.worker.sessions.touches,
        )
        self.seen: list[Seen] = []

    async def sign_in(self, login: Login = LOGIN) -> SessionId:
        """Return the secret of a new session."""
        return (await self.worker.sessions.create(login))[0]

    async def ask(self, presented: str, domain: str = DOMAIN) -> bool:
        """Ask, and let the turn end; what is told is *seen*."""
        done = self.seen.append
        is_asked = self.glances.lookup(presented.encode(), domain=domain, done=done)
        await asyncio.sleep(0)
        return is_asked


@pytest.fixture
def glancing(tmp_path: Path) -> Glancing:
    """Glances at an empty store."""
    return Glancing(tmp_path)


def promise(digest: SessionId) -> PendingRevocation:
    """Return a promise to end the session of *digest*."""
    return PendingRevocation(
        digest=digest_of(digest),
        login=None,
        owner=None,
        cause=EndCause.USER.value,
        until=START + TIMEOUTS.longest,
        is_for_user=False,
    )


async def test_glance_tells_what_verify_needs(glancing: Glancing) -> None:
    """User, level and stamps are those of the session, and come with the answer."""
    token = await glancing.sign_in()

    is_asked = await glancing.ask(token)

    assert is_asked
    assert glancing.seen == []
    glancing.store.answer()
    (found,) = glancing.seen
    assert isinstance(found, Glance)
    assert (found.username, found.level, found.stamps) == ("alice", 1, STAMPS)


@pytest.mark.parametrize("presented", ["", "x", "A" * 42 + "B", "\u00e9" * 43])
async def test_what_cannot_be_a_session_is_not_asked_for(
    glancing: Glancing, presented: str
) -> None:
    """A malformed cookie is no cookie, and costs the store nothing (V-4)."""
    assert not await glancing.ask(presented)
    assert glancing.store.asked == 0


@pytest.mark.parametrize(
    ("passed", "domain", "expected"),
    [
        pytest.param(timedelta(0), DOMAIN, Glance, id="fresh"),
        pytest.param(timedelta(0), "example.org", type(None), id="domain"),
        pytest.param(TIMEOUTS.touch_interval - MS, DOMAIN, Glance, id="used"),
        pytest.param(TIMEOUTS.touch_interval, DOMAIN, Glance, id="to touch"),
        pytest.param(TIMEOUTS.idle, DOMAIN, NoGlanceError, id="idle"),
        pytest.param(TIMEOUTS.absolute, DOMAIN, NoGlanceError, id="absolute"),
    ],
)
async def test_time_that_counts_is_that_of_the_answer(
    glancing: Glancing, passed: timedelta, domain: str, expected: type
) -> None:
    """What expires while the answer is on its way has expired (V-6, V-8, V-44)."""
    token = await glancing.sign_in()
    await glancing.ask(token, domain)

    glancing.clock.advance(passed)
    glancing.store.answer()

    assert [type(each) for each in glancing.seen] == [expected]


async def test_unknown_session_is_nobody(glancing: Glancing) -> None:
    """What the store does not have does not count (V-4)."""
    await glancing.sign_in()

    await glancing.ask(create_session_id())
    glancing.store.answer()

    assert glancing.seen == [None]


async def test_promise_that_comes_while_the_answer_does_is_seen(
    glancing: Glancing,
) -> None:
    """The journal is read after the answer: it may have left the store before (L-1)."""
    token = await glancing.sign_in()
    await glancing.ask(token)

    glancing.worker.revoker.backlog.add([promise(token)])
    glancing.store.answer()

    assert isinstance(glancing.seen[0], NoGlanceError)


async def test_promise_that_is_kept_while_the_answer_comes_is_seen(
    glancing: Glancing,
) -> None:
    """The journal is read before the store, too: later nothing is left of it (L-1)."""
    token = await glancing.sign_in()
    backlog = glancing.worker.revoker.backlog
    backlog.add([promise(token)])
    await glancing.ask(token)

    await glancing.worker.revoker.retry_pending()
    glancing.store.answer()

    assert backlog.is_empty()
    assert isinstance(glancing.seen[0], NoGlanceError)


async def test_look_ups_of_one_turn_are_asked_together(glancing: Glancing) -> None:
    """However many are wanted, the store is asked once."""
    tokens = [await glancing.sign_in() for _ in range(3)]

    for token in tokens:
        glancing.glances.lookup(
            token.encode(), domain=DOMAIN, done=glancing.seen.append
        )
    await asyncio.sleep(0)
    glancing.store.answer()

    assert glancing.store.batches == [3]
    assert [type(each) for each in glancing.seen] == [Glance] * 3


async def test_promise_counts_for_every_later_answer(glancing: Glancing) -> None:
    """One look at the journal is for those that are told in one go, no more (L-1)."""
    token = await glancing.sign_in()
    for _ in range(2):
        await glancing.ask(token)
    glancing.store.answer()
    glancing.worker.revoker.backlog.add([promise(token)])
    await glancing.ask(token)

    glancing.store.answer()

    kinds = [type(each) for each in glancing.seen]
    assert kinds == [Glance, Glance, NoGlanceError]


async def test_journal_that_cannot_be_read_is_no_glance(
    tmp_path: Path, glancing: Glancing
) -> None:
    """Whoever asks the manager then meets the fault, and it is logged."""
    token = await glancing.sign_in()
    await glancing.ask(token)

    (tmp_path / "journal").unlink(missing_ok=True)
    (tmp_path / "journal").symlink_to(tmp_path / "journal")
    glancing.store.answer()

    assert isinstance(glancing.seen[0], NoGlanceError)


@pytest.mark.parametrize("fault", [NoGlanceError, StoreUnavailableError])
async def test_fault_is_told_as_it_is(
    glancing: Glancing, fault: Callable[[], NoGlanceError]
) -> None:
    """An outage is never "no session"."""
    token = await glancing.sign_in()
    glancing.store.fault = fault

    await glancing.ask(token)
    glancing.store.answer()

    assert [type(each) for each in glancing.seen] == [fault]


async def test_record_that_is_not_plain_is_no_glance(glancing: Glancing) -> None:
    """Only what stands there as we write it is read in passing."""
    token = await glancing.sign_in(replace(LOGIN, user_agent="\u00e9"))

    await glancing.ask(token)
    glancing.store.answer()

    assert isinstance(glancing.seen[0], NoGlanceError)


def test_redis_is_asked() -> None:
    """Its look-ups go together."""
    assert issubclass(RedisStore, AwaitedStore)


@pytest.mark.parametrize(
    ("passed", "domain", "expected"),
    [
        pytest.param(TIMEOUTS.touch_interval - MS, DOMAIN, timedelta(0), id="fresh"),
        pytest.param(
            TIMEOUTS.touch_interval, DOMAIN, TIMEOUTS.touch_interval, id="to touch"
        ),
        pytest.param(TIMEOUTS.touch_interval, "example.org", timedelta(0), id="domain"),
        pytest.param(TIMEOUTS.idle, DOMAIN, timedelta(0), id="idle"),
    ],
)
async def test_use_is_recorded_behind_the_answer(
    glancing: Glancing, passed: timedelta, domain: str, expected: timedelta
) -> None:
    """One that counts and is due, as the manager records it (V-5, V-8, V-44)."""
    token = await glancing.sign_in()
    glancing.clock.advance(passed)
    await glancing.ask(token, domain)
    glancing.store.answer()

    await glancing.worker.sessions.close()
    entry = await glancing.store.load(digest_of(token))

    assert entry is not None
    assert entry.seen == START + expected
    assert entry.expires == START + expected + TIMEOUTS.idle


async def test_use_in_the_last_minute_is_recorded_at_once(glancing: Glancing) -> None:
    """The next request of the same page finds a session that lives (V-6, V-44)."""
    touches = glancing.worker.sessions.touches
    touches._seconds = 3600.0  # noqa: SLF001 - others wait for longer than the test
    token = await glancing.sign_in()
    glancing.clock.advance(TIMEOUTS.idle - MS)
    await glancing.ask(token)
    glancing.store.answer()
    seen = await wait_for_use(glancing.store, token)

    assert seen == START + TIMEOUTS.idle - MS
