"""Users and the names that are one name."""

from unicodedata import normalize

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


@pytest.mark.parametrize("character", ["\u1f82", "\u0390", "e\u0301", "\U0010ffff"])
def test_longest_name_is_compared_to_its_end(character: str) -> None:
    """However its letters are split, a name that a file may hold counts as a whole."""
    name = character * (255 // len(character.encode()))
    split = normalize("NFD", normalize("NFD", name).casefold())

    assert canonical_name(split) == canonical_name(name)
    assert canonical_name(split + "x") != canonical_name(name)


def test_text_that_is_no_name_is_cut_before_it_costs_anything() -> None:
    """Marks in the wrong order take the square of their number to be sorted (V-42)."""
    text = "\u0301" * 15_000 + "\u0316" * 15_000

    assert len(canonical_name(text)) < 1000
    assert canonical_name(" " * 30_000 + "alice") == "alice"


def test_hash_of_a_user_is_not_printed() -> None:
    """A user in a log line or a traceback does not give the hash away."""
    assert ARGON2ID not in repr(make_user())
