"""A session, the record it is kept as, and when it is over."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forwardauth.sessions.ids import create_handle, create_session_id, digest_of
from forwardauth.sessions.model import (
    MAX_USER_AGENT_CHARACTERS,
    EndCause,
    Session,
    dump_entry,
    from_ms,
    parse_entry,
    to_ms,
)
from tests.support.clock import START

HOUR = timedelta(hours=1)
MS = timedelta(milliseconds=1)
SESSION = Session(
    handle=create_handle(),
    login="login-1",
    username="Ålesund",
    domain="example.com",
    credential=("stamp", "another"),
    methods=("pwd", "otp"),
    level=2,
    created=START,
    absolute=START + 24 * HOUR,
    idle=HOUR,
    seen=START,
    remembered=False,
    address="2001:db8::1",
    user_agent='Mozilla "\N{SNOWMAN}"',
    upstream={"sid": "1"},
)
DIGEST = digest_of(create_session_id())


def record(**changes: object) -> bytes:
    """Return the record of ``SESSION`` with some fields *changes*."""
    content = json.loads(dump_entry(SESSION, DIGEST).record)
    return json.dumps({**content, **changes}).encode()


def record_without(name: str) -> bytes:
    """Return the record of ``SESSION`` without the field *name*."""
    content = json.loads(dump_entry(SESSION, DIGEST).record)
    del content[name]
    return json.dumps(content).encode()


FIELDS = sorted(json.loads(dump_entry(SESSION, DIGEST).record))


@pytest.mark.parametrize(
    "session",
    [
        pytest.param(SESSION, id="ordinary"),
        pytest.param(replace(SESSION, idle=None, remembered=True), id="remembered"),
        pytest.param(replace(SESSION, upstream={}, credential=()), id="empty"),
        pytest.param(replace(SESSION, user_agent="\ud800"), id="lone surrogate"),
    ],
)
def test_session_comes_back_as_it_was(session: Session) -> None:
    """What is kept is the session, field by field."""
    assert parse_entry(dump_entry(session, DIGEST)) == session


def test_last_use_comes_from_beside_the_record() -> None:
    """A touch changes the entry's time and leaves the record alone."""
    seen = START + HOUR / 2
    entry = replace(dump_entry(SESSION, DIGEST), seen=seen)

    assert parse_entry(entry) == replace(SESSION, seen=seen)


def test_record_holds_no_name_of_an_index() -> None:
    """User and login stand beside the record, once, where the store can find them."""
    entry = dump_entry(SESSION, DIGEST)

    assert (entry.owner, entry.login, entry.digest) == ("Ålesund", "login-1", DIGEST)
    assert not {"username", "owner", "login"} & json.loads(entry.record).keys()


def test_record_stays_below_the_limit_of_the_stores() -> None:
    """A browser cannot make a record large."""
    entry = dump_entry(replace(SESSION, user_agent="\0" * 1_000_000), DIGEST)

    parsed = parse_entry(entry)

    assert parsed is not None
    assert len(parsed.user_agent) == MAX_USER_AGENT_CHARACTERS
    assert len(entry.record) < 16 * 1_024


def test_record_of_a_newer_release_is_read() -> None:
    """Two releases can share a store: unknown fields are ignored."""
    entry = replace(dump_entry(SESSION, DIGEST), record=record(v=2, colour="blue"))

    assert parse_entry(entry) == SESSION


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe\x00", id="not text"),
        pytest.param(b"{", id="torn"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'"v"', id="text"),
        pytest.param(b"{}", id="no fields"),
        pytest.param(b"[" * 16_384, id="deeply nested"),
        pytest.param(record(v=0), id="version zero"),
        pytest.param(record(v="1"), id="version as text"),
        pytest.param(record(v=None), id="version null"),
        pytest.param(record(v=float("nan")), id="version not a number"),
        pytest.param(record(idle="x"), id="idle is text"),
        pytest.param(record(idle=float("inf")), id="idle without end"),
        pytest.param(record(idle=10**30), id="idle too long"),
        pytest.param(record(absolute=10**30), id="absolute too late"),
        pytest.param(record(absolute=float("inf")), id="absolute without end"),
        pytest.param(record(absolute=None), id="absolute null"),
        pytest.param(record(created="yesterday"), id="created is text"),
        pytest.param(record(credential=None), id="credential null"),
        pytest.param(record(methods=1), id="methods a number"),
        pytest.param(record(level="two"), id="level is text"),
        pytest.param(record(upstream=[]), id="upstream a list"),
        *(pytest.param(record_without(name), id=f"no {name}") for name in FIELDS),
    ],
)
def test_unreadable_record_is_no_session(data: bytes) -> None:
    """It opens no door, and raises nothing inside of verify (V-2, V-4)."""
    entry = replace(dump_entry(SESSION, DIGEST), record=data)

    assert parse_entry(entry) is None


@pytest.mark.parametrize(
    ("idle", "seen", "now", "cause"),
    [
        pytest.param(HOUR, 0 * HOUR, 0 * HOUR, None, id="new"),
        pytest.param(HOUR, 0 * HOUR, HOUR - MS, None, id="just before idle"),
        pytest.param(HOUR, 0 * HOUR, HOUR, EndCause.IDLE, id="idle"),
        pytest.param(HOUR, 5 * HOUR, 6 * HOUR - MS, None, id="used"),
        pytest.param(HOUR, 5 * HOUR, 6 * HOUR, EndCause.IDLE, id="used, then idle"),
        pytest.param(
            HOUR, 24 * HOUR - MS, 24 * HOUR, EndCause.ABSOLUTE, id="used to the end"
        ),
        pytest.param(HOUR, 0 * HOUR, 99 * HOUR, EndCause.ABSOLUTE, id="both"),
        pytest.param(None, 0 * HOUR, 24 * HOUR - MS, None, id="remembered, unused"),
        pytest.param(None, 0 * HOUR, 24 * HOUR, EndCause.ABSOLUTE, id="remembered"),
        pytest.param(HOUR, 0 * HOUR, -HOUR, None, id="clock set back"),
        pytest.param(HOUR, 99 * HOUR, 24 * HOUR, EndCause.ABSOLUTE, id="seen ahead"),
    ],
)
def test_session_is_over_at_its_time(
    idle: timedelta | None, seen: timedelta, now: timedelta, cause: EndCause | None
) -> None:
    """Idle and absolute limits hold to the millisecond (V-6)."""
    session = replace(SESSION, idle=idle, seen=START + seen)

    assert session.expiry(START + now) is cause


@pytest.mark.parametrize(
    ("idle", "seen", "expires"),
    [
        pytest.param(HOUR, 2 * HOUR, 3 * HOUR, id="idle"),
        pytest.param(HOUR, 23.5 * HOUR, 24 * HOUR, id="never beyond the absolute end"),
        pytest.param(None, 2 * HOUR, 24 * HOUR, id="remembered"),
    ],
)
def test_use_never_prolongs_beyond_the_absolute_end(
    idle: timedelta | None, seen: timedelta, expires: timedelta
) -> None:
    """A touch moves the idle end alone (V-44)."""
    session = replace(SESSION, idle=idle)

    assert session.expires_after(START + seen) == START + expires


@pytest.mark.parametrize(
    ("moment", "milliseconds"),
    [
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), 0, id="epoch"),
        pytest.param(
            datetime(2026, 3, 1, 12, 0, 0, 123_999, UTC), 1_772_366_400_123, id="floor"
        ),
        pytest.param(datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), -1, id="before"),
    ],
)
def test_times_are_whole_milliseconds_rounded_down(
    moment: datetime, milliseconds: int
) -> None:
    """Rounding never lengthens a life."""
    assert to_ms(moment) == milliseconds
    assert timedelta() <= moment - from_ms(milliseconds) < MS


def test_every_time_is_aware() -> None:
    """A time from the store can be compared with the clock."""
    parsed: Any = parse_entry(dump_entry(SESSION, DIGEST))

    assert {parsed.created.tzinfo, parsed.absolute.tzinfo} == {UTC}
