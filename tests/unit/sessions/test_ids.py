"""Session ids are secrets that nobody guesses; what is none of ours is nothing."""

import hashlib
import re

import pytest

from forwardauth.sessions.ids import (
    SessionId,
    create_handle,
    create_session_id,
    digest_of,
    digest_presented,
    digests_of,
    log_name,
    parse_session_id,
)

GOOD = SessionId("A" * 42 + "E")


def test_session_ids_are_different_and_well_formed() -> None:
    """256 bits each, so no id is ever issued twice (L-13, V-43)."""
    ids = {create_session_id() for _ in range(2_000)}

    assert len(ids) == 2_000
    assert {parse_session_id(each) for each in ids} == ids
    assert {len(each) for each in ids} == {43}


def test_every_place_of_a_session_id_varies() -> None:
    """No part of the secret is constant."""
    ids = [create_session_id() for _ in range(500)]

    varieties = [len(set(place)) for place in zip(*ids, strict=True)]

    assert min(varieties[:42]) > 32
    assert varieties[42] == 16


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("A" * 42, id="too short"),
        pytest.param("A" * 44, id="too long"),
        pytest.param("A" * 1_000_000, id="oversized"),
        pytest.param("A" * 42 + "B", id="other spelling of the same bits"),
        pytest.param("A" * 42 + "=", id="padding"),
        pytest.param(GOOD + "\n", id="trailing line break"),
        pytest.param("\n" + GOOD, id="leading line break"),
        pytest.param(" " + GOOD, id="leading space"),
        pytest.param('"' + GOOD + '"', id="quoted"),
        pytest.param("+" * 42 + "A", id="standard alphabet"),
        pytest.param("é" * 42 + "A", id="not ascii"),
        pytest.param("\N{FULLWIDTH LATIN CAPITAL LETTER A}" * 43, id="full width"),
        pytest.param("\N{ARABIC-INDIC DIGIT ONE}" * 42 + "A", id="other digits"),
        pytest.param("\0" * 43, id="zero bytes"),
        pytest.param("\udcff" * 42 + "A", id="lone surrogates"),
        pytest.param("../" * 14 + "A", id="path"),
        pytest.param("deleted", id="what other programs leave"),
    ],
)
def test_what_we_do_not_issue_is_no_session_id(value: str) -> None:
    """A malformed value is no cookie: it never becomes a digest (V-4)."""
    assert parse_session_id(value) is None
    assert digests_of([value]) == ()
    assert digest_presented(value.encode("utf-8", "surrogatepass")) is None


def test_digest_is_the_sha256_of_the_text() -> None:
    """The key in the store is a one-way trace of the secret (V-43)."""
    digest = digest_of(GOOD)

    assert digest == hashlib.sha256(GOOD.encode()).digest()
    assert digest == digest_presented(GOOD.encode())
    assert len(digest) == 32


def test_digests_come_once_each_in_order() -> None:
    """A value that is presented twice is asked for once."""
    other = create_session_id()

    found = digests_of([GOOD, "garbage", other, GOOD, other, ""])

    assert found == (digest_of(GOOD), digest_of(other))


def test_handles_are_public_names_of_their_own() -> None:
    """A handle is 32 hex digits, and no two sessions share one."""
    handles = {create_handle() for _ in range(1_000)}

    assert len(handles) == 1_000
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in handles)


def test_logs_see_eight_digits_of_the_digest() -> None:
    """A log line is enough to follow a session and not to take it (V-48)."""
    assert log_name(digest_of(GOOD)) == digest_of(GOOD).hex()[:8]
