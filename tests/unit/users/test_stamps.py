"""Stamps of password hashes, and what a session may keep across a rehash."""

import pytest

from forwardauth.users.stamps import is_current, stamp_of, successor_salt
from tests.support.users import ARGON2ID, BCRYPT, CHEAP, PASSWORD

OLD = stamp_of(BCRYPT)
REHASHED = CHEAP.hash(b"U*U", salt=successor_salt(OLD))


def test_stamp_is_short_and_stable() -> None:
    """A stamp is part of the session record, so its form must not drift."""
    assert stamp_of("$6$a$b") == "ac0d587c86b2800b22d9a6b55eb5c9cd"


def test_session_of_the_present_password_is_current() -> None:
    """The usual case: the hash is the one that the login was checked against."""
    assert is_current((OLD,), BCRYPT)


def test_session_of_another_password_is_not_current() -> None:
    """L-12: a changed password ends the sessions of the old one."""
    changed = CHEAP.hash(b"another")

    assert not is_current((OLD,), changed)


def test_session_survives_the_rehash_of_another_login() -> None:
    """A login that replaces an old hash leaves the user's other sessions alone."""
    assert is_current((OLD,), REHASHED)


def test_session_of_the_rehash_survives_until_it_is_written() -> None:
    """Both stamps count, whether the file could be written or not."""
    stamps = (OLD, stamp_of(REHASHED))

    assert is_current(stamps, BCRYPT)
    assert is_current(stamps, REHASHED)


def test_rehash_says_nothing_about_an_unrelated_session() -> None:
    """Only the predecessor's sessions are carried over."""
    assert not is_current((stamp_of(ARGON2ID),), REHASHED)


def test_same_password_set_anew_ends_sessions() -> None:
    """L-12: a random salt makes a new stamp, also for the old password."""
    assert not is_current((stamp_of(ARGON2ID),), CHEAP.hash(PASSWORD.encode()))


def test_two_rehashes_of_one_hash_are_the_same() -> None:
    """Replicas that replace a hash at once write the same line."""
    again = CHEAP.hash(b"U*U", salt=successor_salt(stamp_of(BCRYPT)))

    assert again == REHASHED


@pytest.mark.parametrize(
    "stamps",
    [(), ("",), ("0" * 32,), ("\ud800",)],
    ids=["none", "empty", "unknown", "no text"],
)
def test_session_without_a_known_stamp_is_not_current(stamps: tuple[str, ...]) -> None:
    """What a store returns in place of stamps opens nothing and raises nothing."""
    assert not is_current(stamps, ARGON2ID)
    assert not is_current(stamps, BCRYPT)
