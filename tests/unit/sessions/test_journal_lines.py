"""A line of the journal is written and read alike, whatever release wrote it."""

import json
from typing import Any, Final

import pytest

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal_lines import dump_promise, parse_promise
from forwardauth.sessions.pending import PendingRevocation
from tests.support.clock import START
from tests.support.releases import RELEASED

DIGEST: Final = Digest(b"\x07" * 32)
PROMISE: Final = PendingRevocation(
    digest=DIGEST,
    login="login",
    owner="alice",
    cause="user",
    until=START,
    is_for_user=True,
)


def written() -> dict[str, Any]:
    """Return what stands below ``add`` for ``PROMISE``."""
    content = dump_promise(DIGEST, PROMISE)["add"]
    assert isinstance(content, dict)
    return content


def test_promise_is_read_as_it_was_written() -> None:
    """Nothing of it is lost on the way through the file."""
    assert parse_promise(written()) == PROMISE


def test_line_of_what_is_over_names_the_digest_alone() -> None:
    """A promise that is kept needs no more words."""
    assert dump_promise(DIGEST, None) == {"done": DIGEST.hex()}


def test_lines_of_the_first_release_are_written_today() -> None:
    """An older release can read what this one writes: it is the same."""
    lines = (RELEASED / "revocations.journal").read_text().split()

    for line in lines:
        promise = parse_promise(json.loads(line)["add"])
        assert dump_promise(promise.digest, promise) == json.loads(line)


def test_what_a_newer_release_says_besides_is_passed_over() -> None:
    """The promise counts as far as it is known."""
    assert parse_promise({**written(), "v": 2, "device": ["laptop"]}) == PROMISE


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "07"},
        {"digest": None},
        {"digest": "no hex"},
        {"login": ""},
        {"owner": 7},
        {"until": "soon"},
        {"until": 10**20},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_no_promise(change: dict[str, Any]) -> None:
    """A line that means something else is never half believed."""
    with pytest.raises((ValueError, TypeError, OverflowError)):
        parse_promise({**written(), **change})
