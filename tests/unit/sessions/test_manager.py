"""A session counts from its creation to its end, on its domain, for one cookie."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import (
    MAX_PRESENTED,
    Digest,
    SessionId,
    create_session_id,
    digest_of,
)
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.model import EndCause, dump_entry
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from tests.support.clock import START, FakeClock
from tests.support.sessions import (
    DOMAIN,
    ENDS,
    TIMEOUTS,
    PartlyDownStore,
    Worker,
    digests,
)

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
INTERVAL = TIMEOUTS.idle / 10
OTHER_DOMAIN = "example.org"


@pytest.fixture
def store() -> PartlyDownStore:
    """A store that a test can take down."""
    return PartlyDownStore()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The journal of the instance."""
    return tmp_path / "journal"


@pytest.fixture
def worker(path: Path, store: PartlyDownStore) -> Worker:
    """One worker."""
    return Worker(path, store=store, clock=FakeClock())


@pytest.fixture(params=["memory", "sqlite"])
async def real_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[SessionStore]:
    """Each store that needs no server."""
    store: SessionStore = MemoryStore()
    if request.param == "sqlite":
        store = SqliteStore(SqliteWorker(tmp_path / "sessions.db"))
    yield store
    await store.close()


# Creation


async def test_new_session_is_live_and_as_it_was_made(worker: Worker) -> None:
    """What was proven is what is looked up, by whichever worker."""
    session_id, session = await worker.sign_in()

    found = await worker.lookup(session_id)

    assert found is not None
    assert found.session == session
    assert found.digest == digest_of(session_id)
    assert (session.username, session.domain) == ("alice", DOMAIN)
    assert (session.created, session.seen) == (START, START)
    assert session.absolute == START + TIMEOUTS.absolute
    assert session.idle == TIMEOUTS.idle
    assert worker.observer.created == [session]


async def test_every_session_has_names_of_its_own(worker: Worker) -> None:
    """No id, handle or login is ever used again, after a logout either (L-13)."""
    ids, handles, logins = set(), set(), set()
    for _ in range(100):
        session_id, session = await worker.sign_in()
        ids.add(session_id)
        handles.add(session.handle)
        logins.add(session.login)
        await worker.revoke(session_id)

    assert len(ids) == len(handles) == len(logins) == 100


async def test_cookie_planted_before_login_is_not_adopted(worker: Worker) -> None:
    """An id that somebody else has chosen never becomes a session (L-13)."""
    planted = create_session_id()
    before = await worker.is_live(planted)
    session_id, _ = await worker.sign_in()

    assert not before
    assert session_id != planted
    assert not await worker.is_live(planted)


async def test_remembered_session_has_one_timeout(worker: Worker) -> None:
    """Remember-me replaces both others."""
    _, session = await worker.sign_in(remembered=True)

    assert session.remembered
    assert session.idle is None
    assert session.absolute == START + timedelta(days=30)


async def test_nobody_is_remembered_where_that_is_off(
    path: Path, store: PartlyDownStore
) -> None:
    """A forged checkbox gains nothing."""
    timeouts = Timeouts(absolute=24 * HOUR, idle=HOUR, remember_me=None)
    worker = Worker(path, store=store, clock=FakeClock(), timeouts=timeouts)

    _, session = await worker.sign_in(remembered=True)

    assert not session.remembered
    assert session.idle == HOUR
    assert session.absolute == START + 24 * HOUR


async def test_promise_that_is_kept_during_a_look_up_counts(path: Path) -> None:
    """What was promised before a request is seen, though another worker keeps it
    between the store's answer and our look at the journal (L-8)."""
    store = _KeptMeanwhile()
    worker, other = (Worker(path, store=store, clock=FakeClock()) for _ in range(2))
    home, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    worker.journal.add(
        PendingRevocation(
            digest=digest_of(home),
            login=session.login,
            owner=None,
            cause=EndCause.USER.value,
            until=START + 2 * HOUR,
        )
    )
    store.keep = other.revoker.backlog.retry

    assert not await worker.is_live(linked, domain=OTHER_DOMAIN)


class _KeptMeanwhile(MemoryStore):
    """A store on a network: its answer takes a while to arrive."""

    keep: Callable[[], Awaitable[bool]] | None = None

    async def load(self, digest: Digest) -> Entry | None:
        entry = await super().load(digest)
        if self.keep is not None:
            keep, self.keep = self.keep, None
            await keep()
        return entry


async def test_linked_session_ends_with_the_login_it_continues(worker: Worker) -> None:
    """It shares login and end, and prolongs nothing."""
    _, home = await worker.sign_in()
    worker.clock.advance(23 * HOUR)

    _, linked = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=home)

    assert linked.login == home.login
    assert linked.absolute == home.absolute
    assert linked.handle != home.handle


class OvertakenStore(PartlyDownStore):
    """A store in which a revocation overtakes the first *times* creations."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times
        self.tried: list[Digest] = []

    async def create(self, entry: Entry) -> bool:
        self.tried.append(entry.digest)
        self.left -= 1
        return self.left < 0 and await super().create(entry)


@pytest.mark.parametrize("times", [1, 2])
async def test_overtaken_creation_is_tried_again(path: Path, times: int) -> None:
    """A login that an end of all overtook gets a new id, and is told of once (L-13)."""
    store = OvertakenStore(times)
    worker = Worker(path, store=store, clock=FakeClock())

    session_id, _ = await worker.sign_in()

    assert await worker.is_live(session_id)
    assert len(set(store.tried)) == times + 1
    assert len(worker.observer.created) == 1


async def test_creation_that_is_always_overtaken_fails(path: Path) -> None:
    """It never reads as a success."""
    worker = Worker(path, store=OvertakenStore(99), clock=FakeClock())

    with pytest.raises(StoreUnavailableError):
        await worker.sign_in()

    assert worker.observer.created == []


async def test_creation_in_an_outage_fails(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Nobody is signed in by a store that does not answer (V-2)."""
    store.go_down()

    with pytest.raises(StoreUnavailableError):
        await worker.sign_in()

    assert worker.observer.created == []


# Lookup


@pytest.mark.parametrize(
    "domain", ["example.org", "sub.example.com", "com", "", "EXAMPLE.COM"]
)
async def test_session_counts_on_its_own_domain_alone(
    worker: Worker, domain: str
) -> None:
    """A cookie that is replayed at another domain is no session there (V-8)."""
    session_id, _ = await worker.sign_in()

    assert not await worker.is_live(session_id, domain=domain)
    assert await worker.is_live(session_id)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("garbage", id="garbage"),
        pytest.param("A" * 1_000_000, id="oversized"),
        pytest.param("\0\r\n\udcff", id="control characters"),
    ],
)
async def test_malformed_cookie_costs_nothing(
    worker: Worker, store: PartlyDownStore, value: str
) -> None:
    """It is no session, and the store never hears of it (V-4)."""
    assert not await worker.is_live(value)
    assert store.calls == []


@pytest.mark.parametrize("cut", [1, 20, 42])
async def test_truncated_cookie_is_no_session(worker: Worker, cut: int) -> None:
    """Neither is a longer one (V-4)."""
    session_id, _ = await worker.sign_in()

    assert not await worker.is_live(session_id[:cut])
    assert not await worker.is_live(session_id + session_id[:cut])


async def test_no_cookie_is_no_session(worker: Worker, store: PartlyDownStore) -> None:
    """Anonymous traffic touches no store."""
    assert not await worker.is_live()
    assert store.calls == []


async def test_unknown_cookie_writes_nothing(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A token that nobody issued is looked for and forgotten (V-4)."""
    assert not await worker.is_live(create_session_id())
    assert store.calls == ["load"]


async def test_one_live_cookie_of_several_counts_in_any_order(worker: Worker) -> None:
    """Dead, foreign and malformed ones beside it change nothing (V-5)."""
    live, _ = await worker.sign_in()
    ended, _ = await worker.sign_in()
    foreign, _ = await worker.sign_in(domain=OTHER_DOMAIN)
    await worker.revoke(ended)
    presented = [live, ended, foreign, create_session_id(), "junk"]

    found = [await worker.lookup(*order) for order in itertools.permutations(presented)]

    assert {each.digest for each in found if each} == {digest_of(live)}
    assert None not in found


async def test_two_live_cookies_are_nobody(worker: Worker) -> None:
    """A sibling host can plant a cookie, and then nobody can tell whose it is (V-5)."""
    mine, _ = await worker.sign_in()
    planted, _ = await worker.sign_in("mallory")

    assert not await worker.is_live(mine, planted)
    assert not await worker.is_live(planted, mine)
    assert await worker.is_live(mine)


async def test_same_cookie_twice_is_one(worker: Worker) -> None:
    """A browser that sends one value twice is signed in (V-5)."""
    session_id, _ = await worker.sign_in()

    assert await worker.is_live(session_id, session_id, session_id)


@pytest.mark.parametrize(
    ("others", "is_live"),
    [(MAX_PRESENTED - 1, True), (MAX_PRESENTED, False)],
    ids=["as many as allowed", "one too many"],
)
async def test_number_of_cookies_is_bounded(
    worker: Worker, store: PartlyDownStore, others: int, is_live: bool
) -> None:
    """A flood of cookies is refused before the store is asked (V-42)."""
    session_id, _ = await worker.sign_in()
    store.calls.clear()
    flood = [create_session_id() for _ in range(others)]

    assert await worker.is_live(*flood, session_id) is is_live
    assert len(store.calls) <= MAX_PRESENTED


async def test_outage_is_an_error_and_not_absence(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Whether somebody is signed in cannot be told, and is not guessed (V-2)."""
    session_id, _ = await worker.sign_in()
    store.go_down()

    with pytest.raises(StoreUnavailableError):
        await worker.lookup(session_id)
    with pytest.raises(StoreUnavailableError):
        await worker.sessions.list_user("alice")


async def test_unreadable_record_is_no_session(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A record that nobody can read lets nobody in (V-2, V-4)."""
    session_id = create_session_id()
    await store.create(
        Entry(
            digest=digest_of(session_id),
            owner="alice",
            login="login-1",
            record=b"{",
            seen=START,
            expires=START + HOUR,
        )
    )

    assert not await worker.is_live(session_id)
    assert await worker.sessions.list_user("alice") == ()


async def test_list_shows_the_live_sessions_of_one_user(worker: Worker) -> None:
    """The last used first; expired, pending and foreign ones are left out."""
    await worker.sign_in("bob")
    await worker.sign_in()
    worker.clock.advance(HOUR)
    first, _ = await worker.sign_in()
    worker.clock.advance(SECOND)
    second, _ = await worker.sign_in()

    listed = await worker.sessions.list_user("alice")

    assert [each.digest for each in listed] == [digest_of(second), digest_of(first)]


async def test_list_leaves_out_what_is_pending(
    worker: Worker, store: PartlyDownStore
) -> None:
    """What was signed out in an outage is not shown as signed in (L-9)."""
    ended, _ = await worker.sign_in()
    kept, _ = await worker.sign_in()
    store.broken = frozenset({"delete", "delete_login"})
    await worker.revoke(ended)

    listed = await worker.sessions.list_user("alice")

    assert [each.digest for each in listed] == [digest_of(kept)]


# Expiry


@pytest.mark.parametrize(
    ("remembered", "uses", "cause"),
    [
        pytest.param(False, [HOUR - SECOND, SECOND], EndCause.IDLE, id="idle"),
        pytest.param(
            False, [*[HOUR / 2] * 47, HOUR / 2], EndCause.ABSOLUTE, id="absolute"
        ),
        pytest.param(
            True,
            [timedelta(days=30) - SECOND, SECOND],
            EndCause.ABSOLUTE,
            id="remember",
        ),
    ],
)
async def test_expired_session_is_ended_by_the_lookup_that_finds_it(
    path: Path, remembered: bool, uses: list[timedelta], cause: EndCause
) -> None:
    """Every expiry deletes the record and is told as an end (V-6, L-58).

    All waits but the last leave the session alive; the idle one is never looked at in
    between, because that would be a use.
    """
    store = MemoryStore()
    worker = Worker(path, store=store, clock=FakeClock())
    session_id, session = await worker.sign_in(remembered=remembered)
    for wait in uses[:-1]:
        worker.clock.advance(wait)
        if cause is not EndCause.IDLE:
            assert await worker.is_live(session_id)
    worker.clock.advance(uses[-1])

    assert not await worker.is_live(session_id)

    assert await store.count() == 0
    assert [(each.handle, why) for each, _, why in worker.observer.ended if each] == [
        (session.handle, cause)
    ]


async def test_login_idles_out_as_a_whole(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Unused on every domain for the timeout, it ends on every domain (L-14, L-58)."""
    _, session = await worker.sign_in()
    worker.clock.advance(INTERVAL / 2)
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    worker.clock.advance(HOUR)

    assert not await worker.is_live(linked, domain=OTHER_DOMAIN)

    assert await store.count() == 0
    assert worker.observer.causes == [EndCause.IDLE] * 2


async def test_use_on_one_domain_is_use_of_the_login(worker: Worker) -> None:
    """Who works on one domain all day is signed in on the other one, too (L-14)."""
    home, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    for _ in range(4):
        worker.clock.advance(HOUR / 2)
        assert await worker.is_live(linked, domain=OTHER_DOMAIN)

    assert await worker.is_live(home)


async def test_linked_session_begins_as_a_use_of_its_login(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Both expire at the same time from its begin on, not each for itself."""
    home, session = await worker.sign_in()
    worker.clock.advance(INTERVAL / 2)
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)

    entries = [await store.load(each) for each in digests([home, linked])]

    assert len({entry.expires for entry in entries if entry}) == 1
    assert entries[0] is not None


async def test_linked_session_idles_as_its_login_does(
    worker: Worker, store: PartlyDownStore, tmp_path: Path
) -> None:
    """A timeout that was configured in between does not set the two apart."""
    _, session = await worker.sign_in()
    timeouts = replace(TIMEOUTS, idle=5 * HOUR)
    later = Worker(
        tmp_path / "journal", store=store, clock=worker.clock, timeouts=timeouts
    )

    _, linked = await later.sign_in(domain=OTHER_DOMAIN, linked_to=session)

    assert (linked.idle, linked.absolute) == (session.idle, session.absolute)


async def test_touch_of_another_lets_no_session_outlive_its_own_record(
    worker: Worker, store: PartlyDownStore
) -> None:
    """What the store says of its times cannot pass the absolute end (V-6, L-58)."""
    home, session = await worker.sign_in()
    stray = create_session_id()
    absolute = worker.clock.now() + 2 * HOUR
    await store.create(
        dump_entry(replace(session, absolute=absolute), digest_of(stray))
    )
    for _ in range(2):
        worker.clock.advance(HOUR - SECOND)
        assert await worker.is_live(home)
        assert await worker.is_live(stray)
    worker.clock.advance(2 * SECOND)

    assert not await worker.is_live(stray)


async def test_expired_session_is_refused_even_if_it_cannot_be_deleted(
    worker: Worker, store: PartlyDownStore
) -> None:
    """The clock decides, not the store; the sweep deletes it later (V-6)."""
    session_id, _ = await worker.sign_in()
    worker.clock.advance(HOUR)
    store.broken = ENDS

    assert not await worker.is_live(session_id)

    assert worker.observer.ended == []
    store.come_back()
    assert await worker.revoker.sweep() == 1


@pytest.mark.parametrize("back", [SECOND, HOUR, timedelta(days=400)])
async def test_clock_that_goes_back_breaks_nothing(
    worker: Worker, store: PartlyDownStore, back: timedelta
) -> None:
    """The session lives, its times stay, and its end does not move (V-6)."""
    session_id, session = await worker.sign_in()
    worker.clock.advance(HOUR / 2)
    await worker.lookup(session_id)
    before = await store.load(digest_of(session_id))
    worker.clock.advance(-back)
    is_live = await worker.is_live(session_id)
    after = await store.load(digest_of(session_id))
    worker.clock.advance(session.absolute - worker.clock.now())

    assert is_live
    assert before == after
    assert not await worker.is_live(session_id)


async def test_ended_session_stays_ended_when_the_clock_goes_back(
    worker: Worker,
) -> None:
    """What has expired once was deleted, so no clock brings it back (V-6)."""
    session_id, _ = await worker.sign_in()
    worker.clock.advance(HOUR)
    expired = not await worker.is_live(session_id)
    worker.clock.advance(-HOUR)

    assert expired
    assert not await worker.is_live(session_id)


# Touch


@pytest.mark.parametrize(
    ("wait", "touches"),
    [
        pytest.param(timedelta(), 0, id="at once"),
        pytest.param(INTERVAL - timedelta(milliseconds=1), 0, id="just before"),
        pytest.param(INTERVAL, 1, id="a tenth of the idle timeout"),
    ],
)
async def test_use_is_recorded_once_in_a_while(
    worker: Worker, store: PartlyDownStore, wait: timedelta, touches: int
) -> None:
    """Most requests write nothing (V-44)."""
    session_id, _ = await worker.sign_in()
    worker.clock.advance(wait)

    for _ in range(10):
        assert await worker.is_live(session_id)

    assert store.calls.count("touch") == touches


async def test_use_keeps_a_session_alive_up_to_its_absolute_end(
    worker: Worker,
) -> None:
    """Who works all day is not signed out by the idle timeout."""
    session_id, _ = await worker.sign_in()
    lived = timedelta()
    while await worker.is_live(session_id):
        worker.clock.advance(INTERVAL)
        lived += INTERVAL

    assert lived == TIMEOUTS.absolute


async def test_refused_lookups_are_no_use(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A request that is turned away keeps no session alive (V-5, V-8, V-44)."""
    mine, _ = await worker.sign_in()
    planted, _ = await worker.sign_in("mallory")
    worker.clock.advance(HOUR / 2)

    await worker.lookup(mine, planted)
    await worker.lookup(mine, domain=OTHER_DOMAIN)

    assert "touch" not in store.calls


class Gate(PartlyDownStore):
    """A store whose touches wait until they are let through."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = asyncio.Event()
        self.is_asked = asyncio.Event()

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        self.is_asked.set()
        await self.is_open.wait()
        return await super().touch(digest, seen=seen, expires=expires)


class BrokenStore(MemoryStore):
    """A store with a fault that nobody has foreseen."""

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        del digest, seen, expires
        raise RuntimeError("broken")


async def test_unforeseen_fault_of_a_touch_stops_no_stop(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The lookup has its answer, the log has the fault, and closing goes on (V-2)."""
    worker = Worker(path, store=BrokenStore(), clock=FakeClock())
    session_id, _ = await worker.sign_in()
    worker.clock.advance(INTERVAL)

    is_live = await worker.is_live(session_id)

    assert is_live
    assert "the use of a session was not recorded" in caplog.text


class BrokenEnds(MemoryStore):
    """A store with a fault that nobody has foreseen, where sessions end."""

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        del login
        raise RuntimeError("broken")

    async def delete(self, digest: Digest) -> Entry | None:
        del digest
        raise RuntimeError("broken")


async def test_unforeseen_fault_of_an_end_stops_no_stop(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who has expired is refused, the log has the fault, and closing goes on (V-6)."""
    worker = Worker(path, store=BrokenEnds(), clock=FakeClock())
    session_id, _ = await worker.sign_in()
    worker.clock.advance(TIMEOUTS.idle)

    is_live = await worker.is_live(session_id)

    assert not is_live
    assert "background write failed" in caplog.text


async def test_answer_waits_for_no_touch(path: Path) -> None:
    """A slow write is off the critical path, and is not begun twice (V-44)."""
    store = Gate()
    worker = Worker(path, store=store, clock=FakeClock())
    session_id, _ = await worker.sign_in()
    worker.clock.advance(INTERVAL)

    async with asyncio.timeout(5):
        found = [
            await worker.sessions.lookup([session_id], domain=DOMAIN) for _ in range(10)
        ]
    store.is_open.set()
    await worker.sessions.close()

    assert None not in found
    assert store.calls.count("touch") == 1


async def test_touch_in_flight_revives_nothing(path: Path) -> None:
    """A write that comes after the end finds nothing to change (L-5, V-44)."""
    store = Gate()
    worker = Worker(path, store=store, clock=FakeClock())
    session_id, _ = await worker.sign_in()
    worker.clock.advance(INTERVAL)
    await worker.sessions.lookup([session_id], domain=DOMAIN)
    async with asyncio.timeout(5):
        await store.is_asked.wait()
    await worker.revoke(session_id)
    store.is_open.set()

    assert not await worker.is_live(session_id)
    assert store.calls.count("touch") == 1
    assert await store.count() == 0


async def test_lost_touch_only_shortens(
    worker: Worker, store: PartlyDownStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A write that fails is nobody's error, and is tried at the next use (V-44)."""
    caplog.set_level("DEBUG", "forwardauth.sessions")
    session_id, _ = await worker.sign_in()
    worker.clock.advance(INTERVAL)
    store.broken = frozenset({"touch"})
    in_outage = await worker.is_live(session_id)
    store.come_back()
    await worker.lookup(session_id)
    entry = await store.load(digest_of(session_id))

    assert in_outage
    assert "the use of a session was not recorded" in caplog.text
    assert entry is not None
    assert entry.seen == START + INTERVAL


# Races


async def test_logout_that_is_answered_during_a_lookup_counts(path: Path) -> None:
    """A lookup that was waiting for the store believes the journal, not it (L-9)."""

    class SlowStore(PartlyDownStore):
        async def load(self, digest: Digest) -> Entry | None:
            entry = await super().load(digest)
            if not self.broken:
                self.broken = ENDS
                await worker.revoke(session_id)
            return entry

    store = SlowStore()
    worker = Worker(path, store=store, clock=FakeClock())
    session_id, _ = await worker.sign_in()

    assert not await worker.is_live(session_id)


async def _looked_up_until_told(
    worker: Worker, session_id: SessionId, *, is_answered: asyncio.Event
) -> bool:
    """Look up; return whether a session was found that had been ended before."""
    was_answered = is_answered.is_set()
    found = await worker.sessions.lookup([session_id], domain=DOMAIN)
    return was_answered and found is not None


async def test_hundreds_of_lookups_do_not_revive_what_a_logout_ends(
    tmp_path: Path, real_store: SessionStore
) -> None:
    """Touches in flight on two workers lose against the logout (L-5, V-44)."""
    clock = FakeClock()
    here, there = (
        Worker(tmp_path / "journal", store=real_store, clock=clock) for _ in range(2)
    )
    for round_ in range(3):
        session_id, _ = await here.sign_in()
        clock.advance(INTERVAL)
        is_answered = asyncio.Event()

        async def log_out(
            session_id: SessionId = session_id, done: asyncio.Event = is_answered
        ) -> bool:
            assert not await here.revoke(session_id)
            done.set()
            return False

        tasks = [
            _looked_up_until_told(worker, session_id, is_answered=is_answered)
            for worker in (here, there)
            for _ in range(200)
        ]
        tasks.insert(100 + 100 * round_, log_out())

        revived = await asyncio.gather(*tasks)
        at_once = await there.sessions.lookup([session_id], domain=DOMAIN)
        await here.sessions.close()
        await there.sessions.close()

        assert not any(revived)
        assert at_once is None
        assert not await here.is_live(session_id)
        assert await real_store.count() == 0


async def test_end_of_all_leaves_no_session_that_was_answered_before(
    tmp_path: Path, real_store: SessionStore
) -> None:
    """Logins that race with the end of all are before it or after it (L-10)."""
    worker = Worker(tmp_path / "journal", store=real_store, clock=FakeClock())
    before: list[SessionId] = []
    is_asked = asyncio.Event()

    async def sign_in() -> None:
        session_id, _ = await worker.sign_in()
        if not is_asked.is_set():
            before.append(session_id)

    logins = [asyncio.create_task(sign_in()) for _ in range(100)]
    await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
    is_asked.set()
    await worker.revoker.revoke_user("alice", cause=EndCause.REVOKED)
    alive = [each for each in before if await worker.is_live(each)]
    await asyncio.gather(*logins)

    assert before
    assert alive == []


async def test_users_do_not_mix(tmp_path: Path, real_store: SessionStore) -> None:
    """Interleaved requests of two users are each their own (V-45)."""
    worker = Worker(tmp_path / "journal", store=real_store, clock=FakeClock())
    names = ("alice", "bob")
    cookies = {name: (await worker.sign_in(name))[0] for name in names}

    found = await asyncio.gather(
        *(
            worker.sessions.lookup([cookies[name]], domain=DOMAIN)
            for name in names * 500
        )
    )

    assert [each.session.username if each else None for each in found] == [*names * 500]
