"""Tests of rows as glances read them: what stands in a record, and when it ends."""

from typing import Final

import pytest

from forwardauth.sessions.rows import NoGlanceError, Row, end_of, parse_record

HOUR_MS: Final = 3_600_000


def record(*, absolute: int = 9 * HOUR_MS, idle: str = str(HOUR_MS)) -> bytes:
    """Return a record as ``dump_entry`` writes it."""
    handle = "h" * 32
    return (
        f'{{"v":1,"handle":"{handle}","domain":"example.com",'
        f'"credential":["{handle}"],"methods":["pwd"],"level":1,"created":0,'
        f'"absolute":{absolute},"idle":{idle},"remembered":false,'
        '"address":"192.0.2.1","user_agent":"curl","upstream":{}}'
    ).encode()


def test_record_says_whose_session_it_is_and_how_long() -> None:
    """All that verify needs is read at once."""
    content = parse_record("alice", record())

    assert content.glance.username == "alice"
    assert content.glance.domain == "example.com"
    assert content.glance.stamps == ("h" * 32,)
    assert (content.absolute_ms, content.idle_ms) == (9 * HOUR_MS, HOUR_MS)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((b'"v":1', b'"v":2'), id="newer"),
        pytest.param((b'"created":0', b'"created":00'), id="zeros"),
        pytest.param((b"curl", b"\xc3\xa9"), id="letter"),
        pytest.param((b"curl", b"\\u00e9"), id="escape"),
        pytest.param(
            (b'"created":0', b'"created":999999999999999'), id="in no calendar"
        ),
    ],
)
def test_what_we_do_not_write_is_not_read(change: tuple[bytes, bytes]) -> None:
    """It is for the manager to judge, or to refuse."""
    with pytest.raises(NoGlanceError):
        parse_record("alice", record().replace(*change))


@pytest.mark.parametrize(
    ("idle", "seen_ms", "expected"),
    [
        pytest.param(str(HOUR_MS), 2 * HOUR_MS, 3 * HOUR_MS, id="idle"),
        pytest.param(str(HOUR_MS), 8 * HOUR_MS + 1, 9 * HOUR_MS, id="absolute"),
        pytest.param("null", 2 * HOUR_MS, 9 * HOUR_MS, id="remembered"),
    ],
)
def test_use_prolongs_a_session_up_to_its_absolute_end(
    idle: str, seen_ms: int, expected: int
) -> None:
    """What is recorded of a use is when the session ends without another (V-44)."""
    row = Row("alice", record(idle=idle), 0)

    assert row.ends_after(seen_ms) == expected
    assert end_of(9 * HOUR_MS, None, seen_ms=seen_ms) == 9 * HOUR_MS
