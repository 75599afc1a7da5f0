"""Reference ids: short enough to be read out, and the same for the same."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forwardauth.request import OriginalRequest, Subject
from forwardauth.web.references import create_reference, reference_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ASKED = OriginalRequest(
    scheme="https",
    host="app.example.com",
    port=None,
    path="/a",
    query="b=c",
    method="GET",
)
ALICE = Subject(
    username="alice", display_name="", email="", groups=frozenset(), level=1
)


def test_reference_can_be_read_out() -> None:
    """Eight digits without a sign among them, both kinds."""
    for reference in (create_reference(), reference_of(ASKED, ALICE, NOW)):
        assert re.fullmatch("[0-9a-f]{8}", reference)


def test_what_happens_once_has_its_own() -> None:
    """No two faults are taken for one."""
    assert len({create_reference() for _ in range(100)}) == 100


def test_refusal_has_one_reference_within_the_minute() -> None:
    """Who asks again at once, as nginx does for the page, is told the same."""
    later = NOW + timedelta(seconds=59)
    again = replace(ASKED, query="b=other")

    assert reference_of(again, ALICE, later) == reference_of(ASKED, ALICE, NOW)


@pytest.mark.parametrize(
    ("asked", "subject", "now"),
    [
        (replace(ASKED, path="/b"), ALICE, NOW),
        (replace(ASKED, host="b.example.com"), ALICE, NOW),
        (replace(ASKED, method="HEAD"), ALICE, NOW),
        (ASKED, replace(ALICE, username="bob"), NOW),
        (ASKED, ALICE, NOW + timedelta(minutes=1)),
    ],
    ids=["path", "host", "method", "user", "minute"],
)
def test_another_refusal_has_another(
    asked: OriginalRequest, subject: Subject, now: datetime
) -> None:
    """Whatever tells two lines of the log apart counts."""
    assert reference_of(asked, subject, now) != reference_of(ASKED, ALICE, NOW)
