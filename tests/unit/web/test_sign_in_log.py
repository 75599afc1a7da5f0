"""The last sign-ins of each user: what is noted, and what never is."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.events import Event
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from forwardauth.users.throttle import ACCOUNT_LIMIT
from forwardauth.web import keys
from forwardauth.web.sign_in_log import (
    KEPT,
    KEPT_FOR,
    SignIn,
    SignInLog,
    SignInResult,
)
from tests.support.clock import START, FakeClock
from tests.support.html import check_page
from tests.support.portal import COOKIE, PASSWORD, Portal, cookie_value

GOOD, BAD = SignInResult.SUCCESS, SignInResult.WRONG_PASSWORD
PROXY = [("X-Forwarded-For", "203.0.113.7"), ("User-Agent", "curl/8.5.0")]


@pytest.fixture
def clock() -> FakeClock:
    """The clock of all events."""
    return FakeClock()


@pytest.fixture
async def log(clock: FakeClock) -> AsyncIterator[SignInLog]:
    """A log in memory."""
    log = SignInLog(MemoryStore(), clock)
    yield log
    await log.close()


async def note(log: SignInLog, result: SignInResult, *, name: str = "alice") -> None:
    """Write one attempt down and wait until it is."""
    log.note(name, result, address="192.0.2.1", user_agent="curl/8")
    await log.close()


async def test_attempts_are_listed_with_the_last_one_first(
    log: SignInLog, clock: FakeClock
) -> None:
    """Right and wrong ones in the order of time, of that user alone."""
    await note(log, BAD)
    clock.advance(timedelta(minutes=1))
    await note(log, GOOD)
    await note(log, GOOD, name="bob")

    listed = await log.list_recent("alice")

    assert [each.result for each in listed] == [GOOD, BAD]
    assert listed[1] == SignIn(
        at=START, result=BAD, address="192.0.2.1", user_agent="curl/8"
    )


async def test_failures_cannot_push_out_a_success(
    log: SignInLog, clock: FakeClock
) -> None:
    """Who has got in does not get off the list by guessing on."""
    await note(log, GOOD)
    for _ in range(3 * KEPT):
        clock.advance(timedelta(seconds=1))
        await note(log, BAD)

    listed = await log.list_recent("alice")

    assert len(listed) == KEPT + 1
    assert listed[-1].result is GOOD


async def test_attempts_are_forgotten(log: SignInLog, clock: FakeClock) -> None:
    """Addresses are not kept for longer than they help anybody."""
    await note(log, GOOD)

    clock.advance(KEPT_FOR + timedelta(seconds=1))

    assert await log.list_recent("alice") == ()


async def test_outage_costs_the_line_and_is_told_to_who_asks(
    clock: FakeClock, tmp_path: Path
) -> None:
    """Nobody's sign-in waits for it or fails; an empty list is not claimed."""
    store = SqliteStore(SqliteWorker(tmp_path / "missing" / "sessions.db"))
    log = SignInLog(store, clock)

    await note(log, GOOD)

    with pytest.raises(StoreUnavailableError):
        await log.list_recent("alice")
    await store.close()


async def test_store_without_events_keeps_none(clock: FakeClock) -> None:
    """The page is there all the same."""
    log = SignInLog(None, clock)

    await note(log, GOOD)

    assert await log.list_recent("alice") == ()


async def test_flood_is_dropped_and_not_queued(clock: FakeClock) -> None:
    """A slow store does not make the log grow."""
    store = MemoryStore()
    log = SignInLog(store, clock)
    for number in range(1_000):
        log.note(f"user{number}", GOOD, address="", user_agent="")

    waiting = len(asyncio.all_tasks()) - 1
    await log.close()

    assert waiting == 100


@pytest.mark.parametrize("record", [b"", b"[1]", b"{}", b"\xff", b"null", b"[1,2"])
async def test_record_that_cannot_be_read_is_left_out(
    clock: FakeClock, record: bytes
) -> None:
    """What another release wrote does not cost the page."""
    store = MemoryStore()
    event = Event(topic="success:alice", at=START, record=record)
    await store.append_event(event, keep=KEPT, lifetime=KEPT_FOR)

    assert await SignInLog(store, clock).list_recent("alice") == ()


async def sign_in(portal: Portal, username: str, password: str = PASSWORD) -> str:
    """Sign in by the interface for programs; return the cookie, empty without one."""
    body = json.dumps({"username": username, "password": password}).encode()
    reply = await portal.post_json("/api/firstfactor", body, headers=PROXY)
    await portal.app[keys.SIGN_INS].close()
    return cookie_value(reply, COOKIE) if reply.status == 200 else ""


async def test_account_page_shows_sign_ins(portal: Portal) -> None:
    """Result, time, address and browser of each, on the page of that user."""
    await sign_in(portal, "Alice", "wrong")
    token = await sign_in(portal, "alice")

    reply = await portal.send("GET", "/account", cookie=token)

    main = check_page(reply.body.decode()).find("main")
    rows = [item.text for item in main.find_all("li")]
    assert len(rows) == 2
    assert sorted(row.split(" Time")[0] for row in rows) == [
        "Signed in",
        "Wrong password",
    ]
    for row in rows:
        assert "Mar 1, 2026" in row
        assert "Address 203.0.113.7" in row
        assert "Browser curl" in row


async def test_strangers_leave_no_trace_in_the_store(portal: Portal) -> None:
    """Names that do not exist are not kept, nor what the throttle turned away."""
    for number in range(5):
        await sign_in(portal, f"nobody{number}", "wrong")
    for _ in range(ACCOUNT_LIMIT.free + 5):
        await sign_in(portal, "bob", "wrong")

    kept = vars(portal.store)["_events"]

    assert list(kept) == ["wrong_password:bob"]
    assert len(kept["wrong_password:bob"]) == ACCOUNT_LIMIT.free + 1


async def test_linked_session_is_no_sign_in(portal: Portal) -> None:
    """Being carried over to another domain is not listed as one."""
    _, session = await portal.create_session()
    await portal.create_session(domain="example.org", linked_to=session)

    assert await portal.app[keys.SIGN_INS].list_recent("alice") == ()
