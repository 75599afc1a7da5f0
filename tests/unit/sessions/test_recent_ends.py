"""What the store has lost of our ends is ended again, and refused until then."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest, create_session_id, digest_of
from forwardauth.sessions.model import EndCause
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.recent_ends import MAX_RECENT, SETTLED_AFTER, RecentEnds
from tests.support.clock import START, FakeClock
from tests.support.forgetful_store import ForgetfulStore
from tests.support.sessions import TIMEOUTS, Worker
from tests.unit.sessions.contract import create_entry

LATER = START + timedelta(days=1)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def store() -> ForgetfulStore:
    """An empty store that can be turned back."""
    return ForgetfulStore()


@pytest.fixture
def start(
    tmp_path: Path, store: ForgetfulStore, clock: FakeClock
) -> Callable[[str], Worker]:
    """Return what starts a worker on a machine of that name."""

    def start(machine: str) -> Worker:
        journal = tmp_path / f"{machine}.journal"
        return Worker(journal, store=store, clock=clock, replicated=store)

    return start


async def test_session_that_came_back_is_ended_again(
    store: ForgetfulStore,
    start: Callable[[str], Worker],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After a failover one round of housekeeping ends it for every machine (L-15)."""
    here, elsewhere = start("a"), start("b")
    cookie, _ = await here.sign_in()
    await store.copy()
    await here.revoke(cookie)
    await store.fail_over()

    with caplog.at_level(logging.WARNING):
        assert not await here.revoker.retry_pending()

    assert not await elsewhere.is_live(cookie)
    assert not await here.is_live(cookie)
    assert "1 sessions again that had ended" in caplog.text
    assert here.observer.causes == [EndCause.USER, EndCause.USER]


async def test_outage_promises_what_ended_just_before(
    store: ForgetfulStore, start: Callable[[str], Worker]
) -> None:
    """One failed look-up, and every worker of the machine refuses it (L-15)."""
    worker, neighbour = start("a"), start("a")
    cookie, _ = await worker.sign_in()
    other, _ = await worker.sign_in("bob")
    await store.copy()
    await worker.revoke(cookie)

    store.go_down()
    with pytest.raises(StoreUnavailableError):
        await worker.lookup(other)
    store.come_back()
    await store.fail_over()

    assert not await worker.is_live(cookie)
    assert not await neighbour.is_live(cookie)
    assert not await worker.revoker.retry_pending()
    assert not await start("b").is_live(cookie)


async def test_restart_in_the_outage_keeps_the_promise(
    store: ForgetfulStore, start: Callable[[str], Worker]
) -> None:
    """What was promised again is on the disk, as any promise (L-15)."""
    worker = start("a")
    cookie, _ = await worker.sign_in()
    await store.copy()
    await worker.revoke(cookie)
    store.go_down()
    await worker.revoker.retry_pending()

    store.come_back()
    await store.fail_over()

    assert not await start("a").is_live(cookie)


async def test_user_who_signed_in_again_stays_signed_in(
    store: ForgetfulStore, start: Callable[[str], Worker]
) -> None:
    """What came back ends by itself: the end of all was before the new session."""
    worker = start("a")
    old, _ = await worker.sign_in()
    await store.copy()
    await worker.revoker.revoke_user("alice", cause=EndCause.ADMIN)
    await store.fail_over()
    new, _ = await worker.sign_in()

    await worker.revoker.retry_pending()

    assert not await worker.is_live(old)
    assert await worker.is_live(new)


async def test_end_is_settled_after_a_minute(
    store: ForgetfulStore, start: Callable[[str], Worker], clock: FakeClock
) -> None:
    """Nothing is asked for ever: a quiet service asks nothing at all."""
    worker = start("a")
    cookie, _ = await worker.sign_in()
    await worker.revoker.retry_pending()
    asked_before = store.looks
    await worker.revoke(cookie)

    for _ in range(3):
        clock.advance(SETTLED_AFTER)
        await worker.revoker.retry_pending()

    assert asked_before == 0
    assert store.looks == 1


async def test_nothing_is_settled_while_the_store_is_away(
    store: ForgetfulStore, start: Callable[[str], Worker], clock: FakeClock
) -> None:
    """An election that takes minutes finds the ends before it remembered."""
    worker = start("a")
    cookie, _ = await worker.sign_in()
    await store.copy()
    await worker.revoke(cookie)
    store.go_down()
    for _ in range(3):
        clock.advance(SETTLED_AFTER)
        await worker.revoker.retry_pending()

    store.come_back()
    await store.fail_over()
    await worker.revoker.retry_pending()

    assert not await start("b").is_live(cookie)


async def test_expired_sessions_need_no_second_end(
    store: ForgetfulStore, start: Callable[[str], Worker], clock: FakeClock
) -> None:
    """Whoever finds one again finds it expired again."""
    worker = start("a")
    await worker.sign_in()
    clock.advance(TIMEOUTS.idle)

    assert await worker.revoker.sweep() == 1
    await worker.revoker.retry_pending()

    assert store.looks == 0


async def test_end_that_no_replica_has_is_pending(
    store: ForgetfulStore, start: Callable[[str], Worker]
) -> None:
    """It is told as such, refused, and done when the replica has caught up."""
    worker = start("a")
    cookie, _ = await worker.sign_in()
    store.is_lagging = True

    is_pending = await worker.revoke(cookie)
    is_pending_still = await worker.revoke(cookie)
    is_left = await worker.revoker.retry_pending()
    store.is_lagging = False

    assert is_pending
    assert is_pending_still
    assert is_left
    assert not await worker.is_live(cookie)
    assert not await worker.revoker.retry_pending()
    assert worker.observer.causes == [EndCause.USER]


async def test_end_that_no_replica_has_is_pending_for_every_machine(
    store: ForgetfulStore, start: Callable[[str], Worker]
) -> None:
    """Another one finds no session, which the next primary may have again."""
    here, elsewhere = start("a"), start("b")
    cookie, _ = await here.sign_in()
    await store.copy()
    store.is_lagging = True
    await here.revoke(cookie)

    is_pending = await elsewhere.revoke(cookie)
    is_left = await elsewhere.revoker.retry_pending()
    await store.fail_over()
    is_accepted = await elsewhere.is_live(cookie)
    store.is_lagging = False

    assert is_pending
    assert is_left
    assert not is_accepted
    assert not await elsewhere.revoker.retry_pending()
    assert await store.load(digest_of(cookie)) is None


async def test_cookies_that_nobody_issued_are_confirmed_at_once(
    store: ForgetfulStore, start: Callable[[str], Worker]
) -> None:
    """However many there are, nobody waits longer, and nothing is promised."""
    worker = start("a")

    is_pending = await worker.revoke(*(create_session_id() for _ in range(20)))

    assert not is_pending
    assert store.confirmed <= 2
    assert worker.revoker.backlog.count() == 0


async def test_end_of_a_user_is_told_when_a_replica_has_it(
    store: ForgetfulStore, start: Callable[[str], Worker]
) -> None:
    """Nobody hears *done* before, and who asks again hears it when it is so."""
    worker = start("a")
    cookie, session = await worker.sign_in()
    store.is_lagging = True

    with pytest.raises(StoreUnavailableError):
        await worker.revoker.revoke_user(session.username, cause=EndCause.ADMIN)
    with pytest.raises(StoreUnavailableError):
        await worker.revoker.revoke_user(session.username, cause=EndCause.ADMIN)
    store.is_lagging = False

    assert not await worker.revoker.revoke_user(session.username, cause=EndCause.ADMIN)
    assert not await worker.is_live(cookie)
    assert worker.observer.causes == [EndCause.ADMIN]


async def test_remembered_ends_have_a_bound(
    store: ForgetfulStore, clock: FakeClock
) -> None:
    """The last ones are kept, whatever is ended in a minute."""
    promised: list[PendingRevocation] = []
    recent = RecentEnds(store, clock, promised.extend)
    entries = [create_entry() for _ in range(MAX_RECENT + 1)]
    recent.remember(entries, EndCause.USER, until=LATER)

    store.go_down()
    for _ in range(3):
        await recent.look()

    assert len(promised) == len({each.digest for each in promised}) == MAX_RECENT
    assert entries[0].digest not in {each.digest for each in promised}
    (last,) = [each for each in promised if each.digest == entries[-1].digest]
    assert last == PendingRevocation(
        digest=Digest(entries[-1].digest),
        login="login-1",
        owner=None,
        cause="user",
        until=LATER,
    )


async def test_end_is_promised_once_in_an_outage(
    store: ForgetfulStore, clock: FakeClock
) -> None:
    """Logouts that go on while a part of the store is away cost one promise each."""
    promised: list[PendingRevocation] = []
    recent = RecentEnds(store, clock, promised.extend)
    store.go_down()

    for _ in range(10):
        recent.remember([create_entry()], EndCause.USER, until=LATER)
        await recent.look()
    in_outage = len(promised)
    store.come_back()
    await recent.look()
    store.go_down()
    await recent.look()

    assert in_outage == 10
    assert len(promised) == 20


async def test_full_journal_stops_no_housekeeping(
    tmp_path: Path, store: ForgetfulStore, clock: FakeClock
) -> None:
    """What cannot be promised is looked at again in the next round."""
    worker = Worker(
        tmp_path / "journal", store=store, clock=clock, max_pending=0, replicated=store
    )
    cookie, _ = await worker.sign_in()
    await store.copy()
    await worker.revoke(cookie)
    await store.fail_over()

    assert not await worker.revoker.retry_pending()
    looks = store.looks
    await worker.revoker.retry_pending()

    assert store.looks > looks


async def test_store_that_loses_nothing_is_not_asked(clock: FakeClock) -> None:
    """A file that is flushed has no replica: nothing is remembered."""
    promised: list[PendingRevocation] = []
    recent = RecentEnds(None, clock, promised.extend)
    recent.remember([create_entry()], EndCause.USER, until=LATER)

    await recent.confirm()
    await recent.look()

    assert promised == []
