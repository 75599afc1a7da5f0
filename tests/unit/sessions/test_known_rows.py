"""Rows that have been read once, and whose times alone are told from then on."""

from itertools import product

import pytest

from forwardauth.sessions import known_rows
from forwardauth.sessions.glances import judge
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.known_rows import KnownRow, KnownRows
from forwardauth.sessions.rows import Glance, NoGlanceError, Row
from tests.unit.sessions.contract import PLAIN

DOMAIN = "example.com"
IDLE = PLAIN.replace(b'"idle":null', b'"idle":60000')


def digest(number: int) -> Digest:
    """Return the key of one session of several."""
    return Digest(number.to_bytes(32))


def told(row: Row, *, now_ms: int) -> Glance | str | None:
    """Return what a glance tells of *row*; a word where the manager is to be asked."""
    try:
        return judge(row, domain=DOMAIN, now_ms=now_ms)
    except NoGlanceError:
        return "ask"


@pytest.mark.parametrize("record", [PLAIN, IDLE], ids=["no idle time", "idle"])
def test_known_row_is_judged_as_one_that_is_read_anew(record: bytes) -> None:
    """Whenever it was used last, and whenever it is looked at (V-52)."""
    rows = KnownRows()
    ends = 9_999_999_999_999
    times = [1_000, 31_000, 61_000, 121_000, ends - 10_000, ends - 1, ends, ends + 1]

    for seen, now in product(times, times):
        known = rows.read(digest(1), Row("alice", record, seen))

        anew = Row("alice", record, seen)
        assert told(known, now_ms=now) == told(anew, now_ms=now)
        assert known.ends_after(now) == anew.ends_after(now)
        assert isinstance(known, KnownRow)


def test_row_that_says_something_else_is_read_anew() -> None:
    """Somebody has changed it by hand: it is told as it is by now."""
    rows = KnownRows()
    first = rows.read(digest(1), Row("alice", PLAIN, 1_000))

    owner = rows.read(digest(1), Row("bob", PLAIN, 1_000))
    record = rows.read(digest(1), Row("bob", IDLE, 1_000))

    assert first.glance is not None
    assert owner.glance == first.glance._replace(username="bob")
    assert (owner.ends_ms, record.ends_ms) == (9_999_999_999_999, 61_000)


def test_known_row_is_kept_without_its_record() -> None:
    """It is most of what a row takes, and has been read."""
    rows = KnownRows()

    known = rows.read(digest(1), Row("alice", PLAIN, 1_000))

    assert rows.get(digest(1)) is known
    assert known.record == b""
    assert (known.owner, known.seen_ms) == ("alice", 1_000)


def test_sessions_that_say_the_same_say_it_in_one_place() -> None:
    """Ten sessions of one user do not take ten times the memory."""
    rows = KnownRows()

    one = rows.read(digest(1), Row("alice", PLAIN, 1_000))
    other = rows.read(digest(2), Row(b"alice".decode(), PLAIN, 2_000))

    assert one.glance is other.glance
    assert one.owner is other.owner


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'"level":1', b'"level":3', id="level"),
        pytest.param(b'"created":1', b'"created":01', id="no number of JSON"),
        pytest.param(b'"created":1', b'"created":253402300800000', id="created"),
        pytest.param(b":9999999999999,", b":253402300800000,", id="absolute"),
    ],
)
def test_row_that_a_glance_cannot_read_is_not_kept(old: bytes, new: bytes) -> None:
    """It stays for the manager to judge, each time."""
    assert old in PLAIN
    rows = KnownRows()
    row = Row("alice", PLAIN.replace(old, new), 1_000)

    found = rows.read(digest(1), row)

    assert found is row
    assert rows.get(digest(1)) is None
    assert told(found, now_ms=1_000) == "ask"


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one more comes, it begins anew."""
    monkeypatch.setattr(known_rows, "MAX_KNOWN", 2)
    rows = KnownRows()

    for number in range(3):
        rows.read(digest(number), Row("alice", PLAIN, 1_000))

    assert [rows.get(digest(number)) is None for number in range(3)] == [
        True,
        True,
        False,
    ]


def test_what_ended_sessions_said_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users come and go for years."""
    monkeypatch.setattr(known_rows, "MAX_KNOWN", 2)
    rows = KnownRows()

    for number in range(9):
        rows.read(digest(number), Row(f"user-{number}", PLAIN, 1_000))
        rows.forget(digest(number))

    assert len(rows._glances) <= 2  # noqa: SLF001 - memory shows nowhere else


def test_session_that_has_ended_is_forgotten() -> None:
    """And forgetting it twice is harmless."""
    rows = KnownRows()
    rows.read(digest(1), Row("alice", PLAIN, 1_000))

    rows.forget(digest(1))
    rows.forget(digest(1))

    assert rows.get(digest(1)) is None
