"""Sessions as an operator reads them."""

import pytest

from forwardauth.cli.records import dump
from forwardauth.cli.session_table import (
    count_sessions,
    session_records,
    session_table,
)
from tests.support.clock import START
from tests.support.stored_sessions import FIREFOX, make_live


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("curl/8.5", "curl"),
        ("", "unknown"),
        ("my program", "my program"),
        ("x" * 50, "x" * 40),
        ("\x1b[2Jgone", "\N{REPLACEMENT CHARACTER}[2Jgone"),
    ],
)
def test_browser_is_shown_by_its_name(user_agent: str, shown: str) -> None:
    """A browser that is not known is shown as it says, and obeyed in nothing."""
    session = make_live(now=START, user_agent=user_agent).session

    _, line = session_table([session])

    assert line.endswith(f"192.0.2.1  {shown}")


def test_id_is_short_unless_it_has_to_be_whole() -> None:
    """Eight digits are enough for people, all of them for telling apart."""
    session = make_live(now=START).session

    short, whole = session_table([session]), session_table([session], is_id_whole=True)

    assert short[1].split()[0] == session.handle[:8]
    assert whole[1].split()[0] == session.handle


def test_times_are_utc_to_the_minute() -> None:
    """The heading says which zone, and the cell has no more than people need."""
    heading, line = session_table([make_live(now=START).session])

    assert "LAST USED (UTC)" in heading
    assert line.count("2026-03-01 12:00") == 2


def test_record_has_no_secret() -> None:
    """Neither the digest nor the stamp of the password leaves the store."""
    live = make_live(now=START)

    text = dump(session_records([live.session]))

    assert live.digest.hex() not in text
    assert "stamp" not in text


@pytest.mark.parametrize(
    ("number", "words"), [(0, "no sessions"), (1, "1 session"), (2, "2 sessions")]
)
def test_numbers_are_words_that_fit(number: int, words: str) -> None:
    """Singular and plural are told apart, and none is said in a word."""
    assert count_sessions(number) == words
