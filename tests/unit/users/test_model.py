"""Users and the names that are one name."""

import pytest

from forwardauth.users.model import canonical_name
from tests.support.users import ARGON2ID, make_user


@pytest.mark.parametrize(
    "typed",
    ["josé", "JOSÉ", "  José ", "jose\u0301", "JOSE\u0301"],
    ids=["as is", "upper case", "space around", "decomposed", "both"],
)
def test_spellings_of_one_name_are_equal(typed: str) -> None:
    """V-39: a user name has one canonical form, however it is typed."""
    assert canonical_name(typed) == "josé"


def test_different_names_stay_different() -> None:
    """What only looks alike is not the same name."""
    names = {
        canonical_name(name)
        for name in ("anna", "ana", "\N{CYRILLIC SMALL LETTER A}nna", "a nna")
    }

    assert len(names) == 4


def test_hash_of_a_user_is_not_printed() -> None:
    """A user in a log line or a traceback does not give the hash away."""
    assert ARGON2ID not in repr(make_user())
