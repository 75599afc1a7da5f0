"""Promises are kept as soon as the store can, and none waits for another."""

import asyncio
import contextlib
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest, create_session_id, digest_of
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.store import Entry
from tests.support.clock import START, FakeClock
from tests.support.disk import full_disk
from tests.support.sessions import (
    DOMAIN,
    ENDS,
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
def path(tmp_path: Path) -> Path:
    """The journal of the instance."""
    return tmp_path / "journal"


@pytest.fixture
def worker(path: Path, store: PartlyDownStore) -> Worker:
    """One worker of the instance."""
    return Worker(path, store=store, clock=FakeClock())


@pytest.fixture
def other(path: Path, store: PartlyDownStore, worker: Worker) -> Worker:
    """Another worker of the same instance."""
    return Worker(path, store=store, clock=worker.clock)


def unknown(**changes: object) -> PendingRevocation:
    """Return a promise about a session that no store knows."""
    revocation = PendingRevocation(
        digest=digest_of(create_session_id()),
        login=None,
        owner=None,
        cause="user",
        until=START + HOUR,
    )
    return replace(revocation, **changes)  # type: ignore[arg-type]  # any field


async def test_linked_session_is_never_seen_after_an_outage(
    worker: Worker, other: Worker, store: PartlyDownStore
) -> None:
    """The first lookup after it keeps the promise before it answers (L-14)."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    bystander, _ = await worker.sign_in("bob")
    store.go_down()
    await worker.revoke(mine)
    store.come_back()

    assert not await other.is_live(linked, domain=OTHER_DOMAIN)
    assert await other.is_live(bystander)
    assert await store.count() == 1
    assert worker.journal.is_empty()


async def test_no_session_of_the_user_is_seen_after_an_outage(
    worker: Worker, other: Worker, store: PartlyDownStore
) -> None:
    """The same where every session was to end, in lookups and in lists (L-10)."""
    mine, _ = await worker.sign_in()
    elsewhere, _ = await worker.sign_in()
    store.go_down()
    await worker.revoke(mine, is_for_user=True)
    store.come_back()

    assert await other.sessions.list_user("alice") == ()
    assert not await other.is_live(elsewhere)


async def test_store_that_comes_back_to_read_only_is_not_believed(
    worker: Worker, other: Worker, store: PartlyDownStore
) -> None:
    """What it tells about a promise is enough to refuse what ends with it (L-14)."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    bystander, _ = await worker.sign_in("bob")
    store.go_down()
    await worker.revoke(mine)
    store.broken = WRITES

    for each in (worker, other):
        assert not await each.is_live(linked, domain=OTHER_DOMAIN)
        assert await each.is_live(bystander)


@pytest.mark.parametrize("ends", range(4), ids=lambda ends: f"after {ends} steps")
@pytest.mark.parametrize("is_for_user", [False, True], ids=["login", "user"])
async def test_promise_outlives_a_process_that_dies_while_keeping_it(
    worker: Worker, path: Path, ends: int, *, is_for_user: bool
) -> None:
    """Wherever it is killed, the next one finds all that is left to end (L-9, L-15)."""

    class FatalStore(PartlyDownStore):
        steps = ends

        async def delete_owner(
            self, owner: str, *, keep_login: str | None = None
        ) -> tuple[Entry, ...]:
            self.live_on()
            return await super().delete_owner(owner, keep_login=keep_login)

        async def delete_login(self, login: str) -> tuple[Entry, ...]:
            self.live_on()
            return await super().delete_login(login)

        async def delete(self, digest: Digest) -> Entry | None:
            self.live_on()
            return await super().delete(digest)

        def live_on(self) -> None:
            """Die when it is time; nothing of ours handles that, as with a kill."""
            if self.steps == 0:
                raise asyncio.CancelledError
            self.steps -= 1

    store = FatalStore()
    dying = Worker(path, store=store, clock=worker.clock)
    mine, session = await dying.sign_in()
    await dying.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    await dying.sign_in()
    store.go_down()
    await dying.revoke(mine, is_for_user=is_for_user)
    store.come_back()
    with contextlib.suppress(asyncio.CancelledError):
        await dying.revoker.retry_pending()
    store.steps = 99

    restarted = Worker(path, store=store, clock=worker.clock)
    assert not await restarted.revoker.retry_pending()
    assert await store.count() == (0 if is_for_user else 1)


async def test_many_lookups_after_an_outage_keep_a_promise_once(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Each refuses by itself, and one of them sees to it that it is kept (L-14)."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    store.go_down()
    await worker.revoke(mine)
    store.come_back()
    store.calls.clear()

    found = await asyncio.gather(
        *(worker.sessions.lookup([linked], domain=OTHER_DOMAIN) for _ in range(200))
    )

    await worker.sessions.close()

    assert set(found) == {None}
    assert store.calls.count("delete_login") == 1
    assert worker.journal.is_empty()


async def test_lost_part_of_a_store_is_tried_once_by_many_lookups(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A promise that cannot be kept is left to the housekeeper afterwards."""
    mine, _ = await worker.sign_in()
    bystander, _ = await worker.sign_in("bob")
    store.lost = frozenset(digests([mine]))
    await worker.revoke(mine)
    store.calls.clear()

    assert all([await worker.is_live(bystander) for _ in range(5)])

    # Each looks twice, and one attempt is made.
    assert store.calls.count("load") == 11


async def test_lookups_that_wait_for_a_lost_part_do_not_try_it_again(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A crowd makes one attempt, not one for each."""
    mine, _ = await worker.sign_in()
    bystander, _ = await worker.sign_in("bob")
    store.lost = frozenset(digests([mine]))
    await worker.revoke(mine)
    store.calls.clear()

    found = await asyncio.gather(
        *(worker.sessions.lookup([bystander], domain=DOMAIN) for _ in range(100))
    )

    assert None not in found
    assert store.calls.count("load") <= 100 + 1 + 100


async def test_lookups_help_again_after_the_next_outage(
    worker: Worker, store: PartlyDownStore
) -> None:
    """What once held a lookup up does not do so for ever."""
    lost, _ = await worker.sign_in()
    bystander, _ = await worker.sign_in("bob")
    store.lost = frozenset(digests([lost]))
    await worker.revoke(lost)
    await worker.is_live(bystander)
    store.come_back()
    await worker.revoker.retry_pending()
    await worker.is_live(bystander)
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    store.go_down()
    await worker.revoke(mine)
    store.come_back()

    assert not await worker.is_live(linked, domain=OTHER_DOMAIN)


async def test_linked_session_is_refused_after_a_flapping_store(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A failed attempt lets nobody in, and a second later there is the next (L-14)."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    bystander, _ = await worker.sign_in("bob")
    store.lost = frozenset(digests([mine]))
    await worker.revoke(mine)
    await worker.is_live(bystander)
    store.come_back()

    at_once = await worker.is_live(linked, domain=OTHER_DOMAIN)
    is_pending = not worker.journal.is_empty()
    worker.clock.advance(timedelta(seconds=1))
    await worker.is_live(bystander)

    assert not at_once
    assert is_pending
    assert worker.journal.is_empty()
    assert await store.count() == 1


async def test_what_is_known_needs_no_look_at_the_store(
    worker: Worker, other: Worker, store: PartlyDownStore
) -> None:
    """A promise about others does not hide one that covers the login (L-14)."""
    mine, session = await worker.sign_in()
    linked, _ = await worker.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    store.broken = WRITES
    await worker.revoke(mine)
    worker.journal.add(unknown())
    store.broken = WRITES | {"list_owner"}

    assert not await other.is_live(linked, domain=OTHER_DOMAIN)


async def test_nobody_waits_for_promises_about_others(
    path: Path, worker: Worker
) -> None:
    """Thousands of invented cookies hold no lookup and no sign-in up (V-42)."""

    class SlowStore(PartlyDownStore):
        is_slow = asyncio.Event()

        async def load(self, digest: Digest) -> Entry | None:
            if worker.journal.holds(digest):
                await self.is_slow.wait()
            return await super().load(digest)

    store = SlowStore()
    slow = Worker(path, store=store, clock=worker.clock)
    bystander, _ = await slow.sign_in("bob")
    worker.journal.add_all([unknown(is_for_user=True) for _ in range(3_000)])
    housekeeping = asyncio.ensure_future(slow.revoker.retry_pending())
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        found = await slow.sessions.lookup([bystander], domain=DOMAIN)
        listed = await slow.sessions.list_user("bob")
        await slow.sign_in("bob")

    assert found is not None
    assert len(listed) == 1
    assert not housekeeping.done()
    store.is_slow.set()
    assert not await housekeeping
    await slow.sessions.close()


async def test_many_promises_are_crossed_off_with_few_flushes(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes its time to flush does not keep a store waiting (L-60)."""
    worker.journal.add_all([unknown() for _ in range(3_000)])
    flushes = 0

    def count_flush(_: int) -> None:
        nonlocal flushes
        flushes += 1

    monkeypatch.setattr(os, "fsync", count_flush)
    await worker.revoker.retry_pending()

    assert worker.journal.is_empty()
    assert flushes < 20


async def test_what_a_promise_covers_is_on_the_disk_before_it_ends(
    path: Path, worker: Worker, other: Worker
) -> None:
    """Another worker refuses the linked session while one ends the login (L-14)."""

    class WatchedStore(PartlyDownStore):
        refused = False

        async def delete_login(self, login: str) -> tuple[Entry, ...]:
            entry = await self.load(digest_of(linked))
            assert entry is not None
            self.refused = other.journal.covers(entry)
            return await super().delete_login(login)

    store = WatchedStore()
    keeping = Worker(path, store=store, clock=worker.clock)
    mine, session = await keeping.sign_in()
    linked, _ = await keeping.sign_in(domain=OTHER_DOMAIN, linked_to=session)
    store.go_down()
    await keeping.revoke(mine)
    store.come_back()

    await keeping.revoker.retry_pending()

    assert store.refused
    assert await store.count() == 0


async def test_promise_that_cannot_be_kept_holds_no_other_up(
    worker: Worker, store: PartlyDownStore
) -> None:
    """One lost part of a cluster does not keep the sessions of the others alive."""
    cookies = [(await worker.sign_in(f"user{n}"))[0] for n in range(150)]
    store.go_down()
    await worker.revoke(*cookies)
    store.come_back()
    store.lost = frozenset(digests([cookies[0], cookies[70]]))

    assert await worker.revoker.retry_pending()

    assert {each.digest for each in worker.journal.list_pending()} == store.lost
    assert await store.count() == 2


async def test_store_that_is_down_is_not_asked_about_every_promise(
    worker: Worker, store: PartlyDownStore
) -> None:
    """A long list makes an outage no longer."""
    worker.journal.add_all([unknown() for _ in range(1_000)])
    store.go_down()

    assert await worker.revoker.retry_pending()
    assert len(store.calls) < 100


async def test_promises_that_wait_are_counted(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Each counts until the store has kept it."""
    tokens = [(await worker.sign_in(name))[0] for name in ("alice", "bob")]
    store.go_down()

    before = worker.revoker.backlog.count()
    for token in tokens:
        await worker.revoke(token)
    during = worker.revoker.backlog.count()
    store.come_back()
    await worker.revoker.retry_pending()

    assert (before, during, worker.revoker.backlog.count()) == (0, 2, 0)


async def test_promise_about_nothing_is_kept(worker: Worker, other: Worker) -> None:
    """A cookie that nobody issued fills the journal no longer than the outage."""
    worker.journal.add_all([unknown() for _ in range(100)])

    assert not await other.revoker.retry_pending()
    assert worker.journal.is_empty()
    assert other.observer.ended == []


async def test_outdated_promise_is_forgotten_in_an_endless_outage(
    worker: Worker, store: PartlyDownStore, path: Path
) -> None:
    """What has expired on its own needs no end, here or after a restart (L-9)."""
    session_id, _ = await worker.sign_in()
    store.go_down()
    await worker.revoke(session_id)
    worker.clock.advance(timedelta(days=30) - timedelta(seconds=1))
    before = await worker.revoker.retry_pending()
    worker.clock.advance(timedelta(seconds=1))
    after = await worker.revoker.retry_pending()

    assert (before, after) == (True, False)
    assert Worker(path, store=store, clock=worker.clock).journal.is_empty()


async def test_clock_that_runs_ahead_breaks_no_promise(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Nothing is forgotten that can be carried out, whatever the clock says."""
    session_id, _ = await worker.sign_in(remembered=True)
    store.go_down()
    await worker.revoke(session_id)
    store.come_back()
    worker.clock.advance(timedelta(days=365))
    await worker.revoker.retry_pending()
    worker.clock.advance(-timedelta(days=365))

    assert await store.count() == 0
    assert not await worker.is_live(session_id)


async def test_clock_that_goes_back_keeps_promises(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Pending stays pending while the clock says it is earlier (V-6)."""
    session_id, _ = await worker.sign_in()
    store.go_down()
    await worker.revoke(session_id)
    worker.clock.advance(-timedelta(days=365))

    assert await worker.revoker.retry_pending()
    assert worker.revoker.backlog.holds(digest_of(session_id))


async def test_full_disk_keeps_no_session_alive(
    worker: Worker, other: Worker, store: PartlyDownStore
) -> None:
    """What cannot be crossed off is carried out all the same, and once (L-9)."""
    cookies = [(await worker.sign_in(f"user{n}"))[0] for n in range(3)]
    store.go_down()
    await worker.revoke(*cookies)
    store.come_back()
    with full_disk():
        is_behind = await worker.revoker.retry_pending()
        again, _ = await worker.sign_in("user0")
        store.calls.clear()
        await worker.revoker.retry_pending()
    calls = list(store.calls)

    assert is_behind
    assert calls == []
    assert await worker.is_live(again)
    assert [each for each in cookies if await worker.is_live(each)] == []
    assert not await worker.revoker.retry_pending()
    assert other.journal.is_empty()


async def test_end_that_no_disk_took_reaches_the_others_later(
    worker: Worker, other: Worker, store: PartlyDownStore
) -> None:
    """The next round writes down what had no room, and what was not promised."""
    session_id, _ = await worker.sign_in()
    store.go_down()
    with full_disk(), pytest.raises(StoreUnavailableError, match="journal"):
        await worker.revoke(session_id)

    assert await worker.revoker.retry_pending()

    assert other.journal.holds(digest_of(session_id))


async def test_journal_that_was_deleted_is_kept_all_the_same(
    worker: Worker, other: Worker, store: PartlyDownStore, path: Path
) -> None:
    """Whoever removes the file keeps no session alive (L-9)."""
    session_id, _ = await worker.sign_in()
    store.go_down()
    await worker.revoke(session_id)
    path.unlink()
    refused = not await worker.is_live(session_id)
    await worker.revoker.retry_pending()

    assert refused
    assert other.journal.holds(digest_of(session_id))
    store.come_back()
    assert not await other.revoker.retry_pending()
    assert await store.count() == 0


async def test_user_who_comes_back_is_not_ended_by_an_old_promise(
    worker: Worker, store: PartlyDownStore
) -> None:
    """Signing in keeps it first: the new session is none of those it means."""
    old, _ = await worker.sign_in()
    store.go_down()
    await worker.revoke(old, is_for_user=True)
    store.come_back()

    new, _ = await worker.sign_in()
    await worker.revoker.retry_pending()

    assert await worker.is_live(new)
    assert not await worker.is_live(old)


async def test_two_workers_may_keep_a_promise_at_once(
    worker: Worker, other: Worker, store: PartlyDownStore
) -> None:
    """Each session is told of once, whoever ends it."""
    cookies = [(await worker.sign_in(f"user{n}"))[0] for n in range(100)]
    store.go_down()
    await worker.revoke(*cookies)
    store.come_back()

    left = await asyncio.gather(
        *(each.revoker.retry_pending() for each in (worker, other) * 3)
    )

    assert not any(left)
    told = worker.observer.ended + other.observer.ended
    assert len(told) == 100
    assert {digest for _, digest, _ in told} == {*digests(cookies)}
    assert await store.count() == 0


async def test_promise_made_while_others_are_kept_is_not_lost(
    path: Path, store: PartlyDownStore, worker: Worker
) -> None:
    """A logout in the middle of a round waits for the next one."""
    late = create_session_id()

    class BusyStore(PartlyDownStore):
        async def load(self, digest: Digest) -> Entry | None:
            if not busy.journal.holds(digest_of(late)):
                busy.journal.add(unknown(digest=digest_of(late)))
            return await super().load(digest)

    busy = Worker(path, store=BusyStore(), clock=worker.clock)
    worker.journal.add(unknown())

    assert await busy.revoker.retry_pending()

    assert [each.digest for each in worker.journal.list_pending()] == digests([late])
    assert not ENDS & set(store.calls)


async def test_journal_that_cannot_be_read_is_an_outage(
    worker: Worker, path: Path
) -> None:
    """Verify answers 503 and leaves no traceback for each request (V-2)."""
    session_id, _ = await worker.sign_in()
    path.unlink(missing_ok=True)
    path.mkdir()

    is_quiet = worker.revoker.backlog.is_empty()
    with pytest.raises(StoreUnavailableError, match="cannot be read") as raised:
        await worker.is_live(session_id)

    assert not is_quiet
    assert raised.value.remedy is not None
    assert raised.value.told == "the session store does not answer"
