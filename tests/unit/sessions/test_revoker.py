"""Every end of a session: done, or promised and kept; never forgotten."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.handover import Handover, binding_of, dump_handover
from forwardauth.sessions.ids import (
    MAX_PRESENTED,
    Digest,
    SessionId,
    create_session_id,
    digest_of,
)
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.model import EndCause, LiveSession
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.store import Entry
from tests.support.clock import START, FakeClock
from tests.support.disk import full_disk
from tests.support.sessions import (
    WRITES,
    PartlyDownStore,
    Worker,
    digests,
)

HOUR = timedelta(hours=1)
OTHER_DOMAIN = "example.org"


@pytest.fixture
def store() -> PartlyDownStore:
    """A store that a test can take down."""
    return PartlyDownStore()


@pytest.fixture
def clock() -> FakeClock:
    """The clock of all workers."""
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The journal of the instance."""
    return tmp_path / "journal"


@pytest.fixture
def worker(path: Path, store: PartlyDownStore, clock: FakeClock) -> Worker:
    """One worker of the instance."""
    return Worker(path, store=store, clock=clock)


@pytest.fixture
def other(path: Path, store: PartlyDownStore, clock: FakeClock) -> Worker:
    """Another worker of the same instance."""
    return Worker(path, store=store, clock=clock)


def unreadable(digest: Digest) -> Entry:
    """Return an entry as a broken release writes it."""
    return Entry(
        digest=digest,
        owner="alice",
        login="login-1",
        record=b"[" * 16_000,
        seen=START,
        expires=START + HOUR,
    )


# Ends that the store takes


async def test_revoked_session_is_gone_at_once(worker: Worker, other: Worker) -> None:
    """After the answer no worker accepts the cookie, and the record is gone (L-2)."""
    session_id, session = await worker.sign_in()
    assert await other.is_live(session_id)

    ended = await worker.revoker.revoke([session_id], cause=EndCause.USER)

    assert [each.handle for each in ended.sessions] == [session.handle]
    assert not ended.is_pending
    assert not await worker.is_live(session_id)
    assert not await other.is_live(session_id)
    assert worker.observer.causes == [EndCause.USER]


@pytest.mark.parametrize(
    "presented",
    [
        pytest.param([], id="no cookie"),
        pytest.param([create_session_id()], id="unknown"),
        pytest.param(["garbage", "", "A" * 100_000, "\0"], id="malformed"),
    ],
)
async def test_nothing_to_end_is_no_error(
    worker: Worker, store: PartlyDownStore, presented: list[str]
) -> None:
    """Who has no session is signed out, and nothing is written (L-6, L-7)."""
    await worker.sign_in()
    store.calls.clear()

    ended = await worker.revoker.revoke(presented, cause=EndCause.USER)

    assert (ended.sessions, ended.is_pending) == ((), False)
    assert not WRITES & set(store.calls)
    assert worker.observer.ended == []


async def test_second_logout_is_as_good_as_the_first(worker: Worker) -> None:
    """The second time there is nothing left, which is no error (L-6)."""
    session_id, _ = await worker.sign_in()

    results = [
        await worker.revoker.revoke([session_id], cause=EndCause.USER) for _ in range(3)
    ]

    assert [len(each.sessions) for each in results] == [1, 0, 0]
    assert not any(each.is_pending for each in results)
    assert worker.observer.causes == [EndCause.USER]


async def test_concurrent_logouts_end_a_session_once(
    worker: Worker, other: Worker
) -> None:
    """One end is told of once, however often it is asked for."""
    session_id, _ = await worker.sign_in()

    results = await asyncio.gather(
        *(
            each.revoker.revoke([session_id] * 3, cause=EndCause.USER)
            for each in (worker, other) * 5
        )
    )

    assert sum(len(each.sessions) for each in results) == 1
    assert len(worker.observer.ended) + len(other.observer.ended) == 1


async def test_expired_session_can_be_revoked(worker: Worker) -> None:
    """An expired cookie ends what is left of its session (L-6)."""
    session_id, _ = await worker.sign_in()
    worker.clock.advance(2 * HOUR)

    assert not await worker.revoke(session_id)
    assert not await worker.is_live(session_id)


async def test_every_presented_and_linked_session_ends(worker: Worker) -> None:
    """All cookies, planted ones too, and their logins on other domains (L-14)."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    planted, _ = await worker.sign_in("mallory")
    elsewhere, _ = await worker.sign_in()

    ended = await worker.revoker.revoke(
        ["junk", mine, planted, mine], cause=EndCause.USER
    )

    assert len(ended.sessions) == 3
    assert not await worker.is_live(mine)
    assert not await worker.is_live(planted)
    assert not await worker.is_live(linked, domain=OTHER_DOMAIN)
    assert await worker.is_live(elsewhere)
    assert set(digests([mine, linked, planted])) == {
        digest for _, digest, _ in worker.observer.ended
    }


async def test_linked_session_ends_the_one_at_home(worker: Worker) -> None:
    """It counts for nothing on which domain one signs out (L-14)."""
    home, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)

    await worker.revoke(linked)

    assert not await worker.is_live(home)


async def test_session_without_its_index_ends(path: Path, clock: FakeClock) -> None:
    """Where the store has evicted the index of a login, what was presented ends."""

    class EvictingStore(PartlyDownStore):
        async def delete_login(self, login: str) -> tuple[Entry, ...]:
            assert login
            return ()

    worker = Worker(path, store=EvictingStore(), clock=clock)
    session_id, _ = await worker.sign_in()

    ended = await worker.revoker.revoke([session_id], cause=EndCause.USER)

    assert len(ended.sessions) == 1
    assert not await worker.is_live(session_id)


@pytest.mark.parametrize("is_for_user", [False, True], ids=["login", "user"])
async def test_session_can_be_revoked_by_its_key(
    worker: Worker, is_for_user: bool
) -> None:
    """Who has no cookie but the digest ends the same (L-11, L-14)."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    elsewhere, _ = await worker.sign_in()

    ended = await worker.revoker.revoke_digest(
        digest_of(mine), cause=EndCause.PASSWORD_CHANGED, is_for_user=is_for_user
    )

    assert len(ended.sessions) == 2 + is_for_user
    assert not await worker.is_live(linked, domain=OTHER_DOMAIN)
    assert await worker.is_live(elsewhere) is not is_for_user


async def test_revoke_user_ends_all_of_one_user(worker: Worker) -> None:
    """Every browser and every domain of the user, and nobody else's (L-10)."""
    mine = [await worker.sign_in() for _ in range(3)]
    linked = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=mine[0][1])
    bob, _ = await worker.sign_in("bob")

    ended = await worker.revoker.revoke_user("alice", cause=EndCause.USER_DISABLED)

    assert len(ended) == 4
    assert not any([await worker.is_live(each) for each, _ in mine])
    assert not await worker.is_live(linked[0], domain=OTHER_DOMAIN)
    assert await worker.is_live(bob)
    assert worker.observer.causes == [EndCause.USER_DISABLED] * 4


async def test_revoke_user_keeps_one_login(worker: Worker) -> None:
    """All others end, the one that asks stays on every domain."""
    kept, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    ended, _ = await worker.sign_in()

    await worker.revoker.revoke_user(
        "alice", cause=EndCause.REVOKED, keep_login=session.login
    )

    assert await worker.is_live(kept)
    assert await worker.is_live(linked, domain=OTHER_DOMAIN)
    assert not await worker.is_live(ended)


async def test_revoke_user_in_an_outage_says_so(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A failure never reads as a success."""
    await worker.sign_in()
    store.go_down()

    with pytest.raises(StoreUnavailableError):
        await worker.revoker.revoke_user("alice", cause=EndCause.ADMIN)


async def test_scope_user_ends_everything(worker: Worker) -> None:
    """One cookie is enough to end all sessions of its user (L-10)."""
    mine, _ = await worker.sign_in()
    elsewhere, _ = await worker.sign_in()
    bob, _ = await worker.sign_in("bob")

    ended = await worker.revoker.revoke([mine], cause=EndCause.USER, is_for_user=True)

    assert len(ended.sessions) == 2
    assert not await worker.is_live(mine)
    assert not await worker.is_live(elsewhere)
    assert await worker.is_live(bob)


@pytest.mark.parametrize("is_for_user", [False, True], ids=["login", "user"])
async def test_session_that_just_ended_still_names_the_others(
    worker: Worker, store: PartlyDownStore, is_for_user: bool
) -> None:
    """Who was looked up as signed in can end the rest, though that session is gone."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    elsewhere, _ = await worker.sign_in()
    await store.delete(digest_of(mine))

    await worker.revoker.revoke_session(
        session, digest_of(mine), cause=EndCause.REVOKED, is_for_user=is_for_user
    )

    assert not await worker.is_live(linked, domain=OTHER_DOMAIN)
    assert await worker.is_live(elsewhere) is not is_for_user


async def test_unreadable_record_is_ended_and_told(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A record that is no session can be removed like one."""
    session_id = create_session_id()
    digest = digest_of(session_id)
    await store.create(unreadable(digest))

    ended = await worker.revoker.revoke([session_id], cause=EndCause.USER)

    assert ended.sessions == ()
    assert worker.observer.ended == [(None, digest, EndCause.USER)]
    assert await store.count() == 0


# Expiry


async def test_sweep_ends_what_has_expired_with_its_cause(worker: Worker) -> None:
    """Idle, absolute and remember-me expiry run the code of every end (L-58)."""
    await worker.sign_in("idle")
    await worker.sign_in("remembered", remembered=True)
    worker.clock.advance(HOUR)
    used, _ = await worker.sign_in("fresh")

    swept = [await worker.revoker.sweep(), await worker.revoker.sweep()]

    assert swept == [1, 0]
    assert await worker.is_live(used)
    worker.clock.advance(timedelta(days=30))
    assert await worker.revoker.sweep() == 2
    ended = [
        (session.username, why) for session, _, why in worker.observer.ended if session
    ]
    assert ended[0] == ("idle", EndCause.IDLE)
    assert set(ended[1:]) == {
        ("remembered", EndCause.ABSOLUTE),
        ("fresh", EndCause.ABSOLUTE),
    }


async def test_sweep_ends_no_session_of_a_login_that_is_used(worker: Worker) -> None:
    """Use on one domain keeps the linked session on the other (L-14)."""
    home, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    worker.clock.advance(HOUR / 2)
    await worker.lookup(home)
    worker.clock.advance(HOUR / 2)

    assert await worker.revoker.sweep() == 0
    assert await worker.is_live(linked, domain=OTHER_DOMAIN)


async def test_sweep_ends_a_login_as_a_whole(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Where a touch of one was lost, the other does not outlive it (L-14)."""
    _, session = await worker.sign_in()
    other, _ = await worker.sign_in("bob")
    worker.clock.advance(HOUR / 2)
    store.broken = frozenset({"touch"})
    with pytest.raises(StoreUnavailableError):
        await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    store.come_back()
    await worker.lookup(other)
    worker.clock.advance(HOUR / 2)

    await worker.revoker.sweep()

    assert await store.count() == 1
    assert worker.observer.causes == [EndCause.IDLE] * 2


async def test_sweep_of_an_unused_code_ends_no_login(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A handover that nobody took goes alone."""
    mine, session = await worker.sign_in()
    live = LiveSession(session=session, digest=digest_of(mine))
    handover = Handover(
        domain=OTHER_DOMAIN,
        binding=binding_of("nonce"),
        parent=live.digest,
        expires=worker.clock.now() + timedelta(minutes=1),
    )
    await store.create(dump_handover(handover, live, digest_of(create_session_id())))
    worker.clock.advance(timedelta(minutes=1))

    assert await worker.revoker.sweep() == 1
    assert await worker.is_live(mine)
    assert worker.observer.ended == []


async def test_sweep_removes_unreadable_records(
    worker: Worker, store: PartlyDownStore
) -> None:
    """What nobody can read does not stay for ever."""
    digest = digest_of(create_session_id())
    await store.create(unreadable(digest))
    worker.clock.advance(HOUR)

    assert await worker.revoker.sweep() == 1
    assert worker.observer.ended == [(None, digest, EndCause.IDLE)]
    assert await store.count() == 0


# Outages


async def outage(
    worker: Worker, store: PartlyDownStore, *, is_for_user: bool
) -> SessionId:
    """Sign out while nothing answers; return the cookie."""
    session_id, _ = await worker.sign_in()
    store.go_down()
    assert await worker.revoke(session_id, is_for_user=is_for_user)
    return session_id


async def test_outage_is_pending_and_refused_by_every_worker(
    worker: Worker, other: Worker, store: PartlyDownStore, path: Path
) -> None:
    """At once, without the store, here, in another worker and after a restart (L-9)."""
    session_id = await outage(worker, store, is_for_user=False)
    restarted = Worker(path, store=store, clock=worker.clock)

    answers = [await each.is_live(session_id) for each in (worker, other, restarted)]

    assert answers == [False, False, False]
    assert worker.observer.pending == [(digest_of(session_id), EndCause.USER)]
    assert worker.observer.ended == []


async def test_outage_is_refused_when_the_store_is_back(
    worker: Worker, other: Worker, store: PartlyDownStore
) -> None:
    """Before anybody has carried it out, no worker believes the store (L-9)."""
    session_id = await outage(worker, store, is_for_user=False)
    store.come_back()

    assert await store.load(digest_of(session_id)) is not None
    assert not await other.is_live(session_id)
    assert not await worker.is_live(session_id)


async def test_pending_end_is_carried_out_when_the_store_is_back(
    worker: Worker, store: PartlyDownStore, path: Path
) -> None:
    """As long as it is down the promise stays; then the record goes (L-9)."""
    session_id = await outage(worker, store, is_for_user=False)

    in_outage = await worker.revoker.retry_pending()
    store.come_back()
    afterwards = await worker.revoker.retry_pending()

    assert (in_outage, afterwards) == (True, False)
    assert await store.load(digest_of(session_id)) is None
    assert worker.observer.causes == [EndCause.USER]
    assert Worker(path, store=store, clock=worker.clock).journal.is_empty()


async def test_pending_end_is_carried_out_after_a_restart(
    worker: Worker, store: PartlyDownStore, path: Path
) -> None:
    """The next process keeps the word of the last one (L-9, L-15)."""
    session_id = await outage(worker, store, is_for_user=False)
    restarted = Worker(path, store=store, clock=worker.clock)
    store.come_back()

    assert not await restarted.revoker.retry_pending()
    assert await store.load(digest_of(session_id)) is None
    assert restarted.observer.causes == [EndCause.USER]
    assert worker.journal.is_empty()


@pytest.mark.parametrize("ends", range(4), ids=lambda ends: f"after {ends} steps")
@pytest.mark.parametrize("is_for_user", [False, True], ids=["login", "user"])
@pytest.mark.parametrize("is_retry", [False, True], ids=["logout", "retry"])
async def test_interrupted_end_is_finished_by_the_next_process(
    worker: Worker,
    store: PartlyDownStore,
    path: Path,
    *,
    ends: int,
    is_for_user: bool,
    is_retry: bool,
) -> None:
    """Wherever the store stops to answer, what ends together ends (L-9, L-14)."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    elsewhere, _ = await worker.sign_in()
    if is_retry:
        store.go_down()
    store.ends_left = None if is_retry else ends
    await worker.revoke(mine, is_for_user=is_for_user)
    if is_retry:
        store.come_back()
        store.ends_left = ends
        await worker.revoker.retry_pending()
    store.come_back()

    restarted = Worker(path, store=store, clock=worker.clock)
    assert not await restarted.revoker.retry_pending()

    left = await store.count()
    assert await restarted.is_live(elsewhere) is not is_for_user
    assert left == (0 if is_for_user else 1)
    assert not await restarted.is_live(mine)
    assert not await restarted.is_live(linked, domain=OTHER_DOMAIN)
    told = worker.observer.ended + restarted.observer.ended
    assert len({digest for _, digest, _ in told}) == len(told) == 3 - left


async def test_end_of_a_user_survives_an_outage_from_the_first_call_on(
    worker: Worker, store: PartlyDownStore, path: Path
) -> None:
    """Scope user is promised even when the store could not tell whose it is (L-10)."""
    elsewhere, _ = await worker.sign_in()
    bob, _ = await worker.sign_in("bob")
    await outage(worker, store, is_for_user=True)
    store.come_back()
    restarted = Worker(path, store=store, clock=worker.clock)

    await restarted.revoker.retry_pending()

    assert not await restarted.is_live(elsewhere)
    assert await restarted.is_live(bob)


async def test_second_logout_in_an_outage_takes_nothing_back(
    worker: Worker, store: PartlyDownStore
) -> None:
    """All of the user's end was promised; one session's end is no less (L-9, L-10)."""
    first, session = await worker.sign_in()
    second, _ = await worker.sign_in()
    store.go_down()
    await worker.revoker.revoke_session(
        session, digest_of(first), cause=EndCause.REVOKED, is_for_user=True
    )

    assert await worker.revoke(first)
    store.come_back()

    assert not await worker.is_live(second)
    assert not await worker.revoker.retry_pending()
    assert not await worker.is_live(second)


async def test_store_that_only_reads_keeps_no_linked_session_alive(
    worker: Worker, other: Worker, store: PartlyDownStore
) -> None:
    """What the store has told before it failed is refused by all workers (L-14)."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    elsewhere, _ = await worker.sign_in()
    store.broken = WRITES

    assert await worker.revoke(mine)

    for each in (worker, other):
        assert not await each.is_live(linked, domain=OTHER_DOMAIN)
        assert await each.is_live(elsewhere)


async def test_planted_cookies_do_not_prolong_an_outage(
    path: Path, clock: FakeClock
) -> None:
    """All are asked for at once, so a logout waits for one timeout (L-8, L-9)."""
    asked = 0
    all_asked = asyncio.Event()

    class SilentStore(PartlyDownStore):
        async def load(self, digest: Digest) -> Entry | None:
            nonlocal asked
            asked += 1
            if asked == 70:
                all_asked.set()
            await all_asked.wait()
            raise StoreUnavailableError(digest.hex())

    worker = Worker(path, store=SilentStore(), clock=clock)
    cookies = [create_session_id() for _ in range(70)]

    async with asyncio.timeout(5):
        is_pending = await worker.revoke(*cookies)

    assert is_pending
    assert {each.digest for each in worker.journal.list_pending()} == {
        *digests(cookies)
    }


@pytest.mark.parametrize("is_down", [False, True], ids=["store up", "store down"])
async def test_more_cookies_than_a_browser_has_are_ended_or_refused(
    worker: Worker, store: PartlyDownStore, *, is_down: bool
) -> None:
    """All are looked at; what cannot be ended then is not promised either (L-1)."""
    mine, _ = await worker.sign_in()
    flood = [create_session_id() for _ in range(2 * MAX_PRESENTED)]
    if is_down:
        store.go_down()
        with pytest.raises(StoreUnavailableError):
            await worker.revoke(*flood, mine)
    else:
        assert not await worker.revoke(*flood, mine)
    store.come_back()

    assert worker.journal.is_empty()
    assert await worker.is_live(mine) is is_down


async def test_full_journal_promises_nothing_and_says_so(
    path: Path,
    store: PartlyDownStore,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Invented cookies fill it up to its bound; beyond it nobody is told "pending"."""
    worker = Worker(path, store=store, clock=clock, max_pending=10)
    mine, _ = await worker.sign_in()
    store.go_down()
    invented = [create_session_id() for _ in range(10)]
    assert await worker.revoke(*invented)

    with pytest.raises(StoreUnavailableError):
        await worker.revoke(mine)
    again = await worker.revoke(invented[0])

    assert again
    assert "journal is full" in caplog.text
    assert len(worker.journal.list_pending()) == 10
    assert worker.observer.pending.count((digest_of(mine), EndCause.USER)) == 0
    store.come_back()
    assert await worker.is_live(mine)
    assert not await worker.revoke(mine)


async def test_end_that_only_part_of_the_store_takes_is_told_as_it_is(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Of two cookies one is ended and one pending: both is said."""
    reachable, _ = await worker.sign_in()
    lost, _ = await worker.sign_in()
    store.lost = frozenset(digests([lost]))

    ended = await worker.revoker.revoke([lost, reachable], cause=EndCause.USER)

    assert ended.is_pending
    assert len(ended.sessions) == 1
    assert [digest for digest, _ in worker.observer.pending] == digests([lost])


async def test_full_disk_in_an_outage_is_no_promise_and_is_refused_here(
    worker: Worker, store: PartlyDownStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The worst hour: other workers know of nothing, so nothing is promised (L-9)."""
    session_id, _ = await worker.sign_in()
    store.go_down()
    with full_disk(), pytest.raises(StoreUnavailableError, match="journal"):
        await worker.revoke(session_id)
    assert worker.observer.pending == []
    store.come_back()

    assert not await worker.is_live(session_id)
    assert "cannot write the revocation journal" in caplog.text
    assert session_id not in caplog.text
    assert not await worker.revoker.retry_pending()
    assert await store.load(digest_of(session_id)) is None


async def test_pending_end_is_kept_as_long_as_any_session_lives(
    path: Path, store: PartlyDownStore, clock: FakeClock
) -> None:
    """The promise outlives the longest session, and is forgotten then (L-9)."""
    timeouts = Timeouts(absolute=2 * HOUR, idle=HOUR, remember_me=5 * HOUR)
    worker = Worker(path, store=store, clock=clock, timeouts=timeouts)
    session_id, _ = await worker.sign_in(remembered=True)
    store.go_down()
    await worker.revoke(session_id)

    (revocation,) = worker.journal.list_pending()

    assert revocation.until == START + 5 * HOUR


async def test_entry_of_a_newer_release_is_carried_out(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A cause that we do not know yet ends a session like any other."""
    session_id, _ = await worker.sign_in()
    worker.journal.add(
        PendingRevocation(
            digest=digest_of(session_id),
            login=None,
            owner=None,
            cause="from-the-future",
            until=START + HOUR,
        )
    )

    assert not await worker.revoker.retry_pending()
    assert await store.count() == 0
    assert worker.observer.causes == [EndCause.REVOKED]
