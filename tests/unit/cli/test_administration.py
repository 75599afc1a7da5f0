"""Ending other people's sessions while the store comes and goes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.cli.administration import Administration
from forwardauth.sessions.handover import Handover, dump_handover
from forwardauth.sessions.ids import create_session_id, digest_of
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.model import EndCause, LiveSession, dump_entry
from forwardauth.sessions.observer import SessionObserver
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.store import SessionStore
from forwardauth.web.audit import AuditLog
from forwardauth.web.metrics import ENDED, PENDING, Metrics
from tests.support.clock import START, FakeClock
from tests.support.stored_sessions import make_live
from tests.support.stores import DownStore

TIMEOUTS = Timeouts(
    absolute=timedelta(hours=24), idle=timedelta(hours=1), remember_me=None
)
_UNHEARD = AuditLog(Metrics())


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The journal of a service that has run."""
    path = tmp_path / "revocations.journal"
    RevocationJournal(path).check_writable()
    return path


def open_on(
    store: SessionStore,
    journal: Path,
    *,
    observer: SessionObserver = _UNHEARD,
    tell_progress: Callable[[str], None] = lambda _: None,
    tell_ended: Callable[[int, int], None] = lambda _done, _total: None,
) -> Administration:
    """Return what a command works with."""
    return Administration(
        store=store,
        clock=FakeClock(),
        timeouts=TIMEOUTS,
        journal=journal,
        observer=observer,
        tell_progress=tell_progress,
        tell_ended=tell_ended,
    )


def serve_on(store: SessionStore, journal: Path) -> SessionRevoker:
    """Return what a service on the same journal ends sessions with."""
    return SessionRevoker(
        store=store,
        clock=FakeClock(),
        timeouts=TIMEOUTS,
        journal=RevocationJournal(journal),
        observer=_UNHEARD,
    )


async def add(store: SessionStore, *names: str) -> list[LiveSession]:
    """Keep a session for each of *names*."""
    found = [make_live(name, now=START) for name in names]
    for live in found:
        assert await store.create(dump_entry(live.session, live.digest))
    return found


async def are_held(store: DownStore, found: list[LiveSession]) -> list[bool]:
    """Return which of *found* the store has, by a look behind its back."""
    store.come_back()
    return [await store.load(live.digest) is not None for live in found]


async def test_outage_midway_is_no_success(journal: Path) -> None:
    """What has ended is told, and the rest is refused and ended later (L-9, L-11)."""
    store = DownStore()
    found = await add(store, "alice", "bob", "carol", "carol")
    metrics = Metrics()
    administration = open_on(store, journal, observer=AuditLog(metrics))
    survey = await administration.survey()
    store.calls_left = 1

    result = await administration.end_users(survey.usernames, survey.sessions)

    assert [each.username for each in result.ended] == ["alice"]
    assert {each.username for each in result.left} == {"bob", "carol"}
    assert (result.is_complete, result.is_journaled) == (False, True)
    assert metrics.samples(ENDED) == [(("admin",), 1)]
    assert metrics.samples(PENDING) == [((), 3)]
    assert await are_held(store, found) == [False, True, True, True]

    late = await add(store, "carol")
    await serve_on(store, journal).retry_pending()

    assert await are_held(store, found + late) == [False] * 5


@pytest.mark.parametrize("answered", [0, 1])
async def test_outage_at_one_session_is_no_success(
    journal: Path, answered: int
) -> None:
    """A single session is refused at once, and ended with its login later (L-9)."""
    store = DownStore()
    (live,) = await add(store, "alice")
    linked = replace(live.session, handle=make_live().session.handle)
    linked_digest = digest_of(create_session_id())
    await store.create(dump_entry(linked, linked_digest))
    metrics = Metrics()
    administration = open_on(store, journal, observer=AuditLog(metrics))
    store.calls_left = answered

    result = await administration.end_one(live)

    assert (result.is_complete, result.is_journaled) == (False, True)
    assert result.left == (live.session,)
    assert metrics.samples(PENDING) == [((), 1)]

    store.come_back()
    await serve_on(store, journal).retry_pending()

    assert await store.count() == 0


async def test_journal_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """It would be the file of whoever runs the command, and nobody would read it."""
    path = tmp_path / "revocations.journal"
    store = DownStore()
    await add(store, "alice", "bob")
    metrics = Metrics()
    administration = open_on(store, path, observer=AuditLog(metrics))
    survey = await administration.survey()
    store.go_down()

    many = await administration.end_users(survey.usernames, survey.sessions)
    one = await administration.end_one(survey.sessions[0])

    for result in (many, one):
        assert result.ended == ()
        assert (result.is_complete, result.is_journaled) == (False, False)
    assert metrics.samples(PENDING) == []
    assert not path.exists()


async def test_disk_that_takes_nothing_is_no_promise(tmp_path: Path) -> None:
    """A journal that cannot be written is told as it is."""
    path = tmp_path / "revocations.journal"
    path.mkdir()
    store = DownStore()
    found = await add(store, "alice")
    administration = open_on(store, path)
    store.go_down()

    result = await administration.end_users(["alice"], found)

    assert (result.is_complete, result.is_journaled) == (False, False)


async def test_outage_without_a_known_session_is_no_promise(journal: Path) -> None:
    """A name alone cannot be written down, so nothing is said to be pending."""
    store = DownStore()
    administration = open_on(store, journal)
    store.go_down()

    result = await administration.end_users(["alice"], [])

    assert (result.is_complete, result.is_journaled) == (False, False)


async def test_survey_leaves_out_what_is_refused_already(journal: Path) -> None:
    """A session whose end is pending is nobody's any more."""
    store = DownStore()
    (live, other) = await add(store, "alice", "alice")
    linked = make_live(now=START, login=live.session.login)
    await store.create(dump_entry(linked.session, linked.digest))
    store.go_down()
    await serve_on(store, journal).revoke_session(
        live.session, live.digest, cause=EndCause.USER
    )
    store.come_back()

    survey = await open_on(store, journal).survey()

    assert survey.sessions == (other,)


async def test_handover_is_no_session_and_ends_with_its_user(journal: Path) -> None:
    """A code that is under way leads to no session after everybody has been ended."""
    store = DownStore()
    (live,) = await add(store, "alice")
    handover = Handover(
        domain="example.org", binding="b", parent=live.digest, expires=START
    )
    code = digest_of(create_session_id())
    entry = dump_handover(handover, live, code)
    await store.create(entry)
    administration = open_on(store, journal)
    survey = await administration.survey()

    result = await administration.end_users(survey.usernames, survey.sessions)

    assert survey.sessions == (live,)
    assert result.ended == (live.session,)
    assert await store.load(code) is None


async def test_long_work_tells_how_far_it_is(journal: Path) -> None:
    """Reading thousands of sessions, and ending them, is not silent."""
    store = DownStore()
    await add(store, *(f"user-{number:03}" for number in range(501)))
    told: list[str] = []
    ended: list[tuple[int, int]] = []
    administration = open_on(
        store,
        journal,
        tell_progress=told.append,
        tell_ended=lambda done, total: ended.append((done, total)),
    )
    survey = await administration.survey()

    await administration.end_users(survey.usernames, survey.sessions)

    assert told == ["500 sessions read"]
    assert (ended[0], ended[-1]) == ((1, 501), (501, 501))
    assert await store.count() == 0
