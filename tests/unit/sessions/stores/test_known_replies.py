"""Answers that came before are known by all of their bytes, and by nothing less."""

import pytest

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.known_rows import KnownRow
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.stores.known_replies import KnownReplies
from tests.unit.sessions.contract import PLAIN

DIGEST = Digest(b"d" * 32)
OTHER = Digest(b"e" * 32)


def fields(*, owner: str = "\u00fcser", seen: int = 1_000) -> list[bytes]:
    """Return the values of a session, as hiredis tells them."""
    return [owner.encode(), b"login", PLAIN, b"%d" % seen, b"9999999999999"]


def said(values: list[bytes]) -> bytes:
    """Return *values* as a server says them: an array of bulk strings."""
    parts = [b"*%d" % len(values)]
    for each in values:
        parts += [b"$%d" % len(each), each]
    return b"\r\n".join([*parts, b""])


def test_answer_that_came_before_is_spotted_where_it_stands() -> None:
    """It is the same row, and the next answer begins behind it (V-52)."""
    replies = KnownReplies()
    row = replies.read(fields(), DIGEST)
    answer = said(fields())

    assert isinstance(row, KnownRow)
    spotted = replies.spot(b"+OK\r\n" + answer + answer, 5, DIGEST)
    assert spotted == (row, 5 + len(answer))
    assert spotted[0] is row


def test_answer_of_which_any_byte_differs_is_not_spotted() -> None:
    """Whatever somebody has changed, it is read (V-52)."""
    replies = KnownReplies()
    replies.read(fields(), DIGEST)
    answer = said(fields())

    for place, byte in enumerate(answer):
        for other in {byte ^ 1, byte ^ 0x20, 0}:
            altered = answer[:place] + bytes([other]) + answer[place + 1 :]
            assert replies.spot(altered, 0, DIGEST) is None, altered


def test_answer_that_is_not_whole_is_not_spotted() -> None:
    """The rest has still to come."""
    replies = KnownReplies()
    replies.read(fields(), DIGEST)
    answer = said(fields())

    for end in range(len(answer)):
        assert replies.spot(answer[:end], 0, DIGEST) is None
    assert replies.spot(answer, len(answer), DIGEST) is None


def test_answer_about_another_session_is_not_spotted() -> None:
    """Two sessions of one user may say the same; each is known by itself."""
    replies = KnownReplies()
    first = replies.read(fields(), DIGEST)

    assert replies.spot(said(fields()), 0, OTHER) is None
    second = replies.read(fields(), OTHER)
    assert replies.spot(said(fields()), 0, DIGEST) == (first, len(said(fields())))
    assert first is not second


def test_answer_with_another_time_is_read_and_takes_the_place() -> None:
    """Of the use that was told last, and no other (V-6, V-52)."""
    replies = KnownReplies()
    row = replies.read(fields(seen=1_000), DIGEST)
    later = said(fields(seen=2_000))

    assert replies.spot(later, 0, DIGEST) is None
    assert replies.read(fields(seen=2_000), DIGEST) is row

    assert isinstance(row, KnownRow)
    assert row.seen_ms == 2_000
    assert replies.spot(later, 0, DIGEST) == (row, len(later))
    assert replies.spot(said(fields(seen=1_000)), 0, DIGEST) is None


@pytest.mark.parametrize("values", [[None] * 5, None, [b"1"], b"OK"])
def test_session_that_is_not_there_is_forgotten(values: object) -> None:
    """Even where it comes back as it was, it is read once more."""
    replies = KnownReplies()
    replies.read(fields(), DIGEST)

    found = replies.read(values, DIGEST)

    assert found is None or isinstance(found, NoGlanceError)
    assert replies.spot(said(fields()), 0, DIGEST) is None


def test_session_that_no_glance_can_read_is_never_spotted() -> None:
    """Its record is for the manager to read, or to refuse."""
    replies = KnownReplies()
    values = fields()
    values[2] = b"{}"

    for _ in range(2):
        row = replies.read(values, DIGEST)

        assert type(row) is Row
        assert replies.spot(said(values), 0, DIGEST) is None
