"""Queries are compared as Authelia's operators say, and never by one of two values."""

import pytest

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.criteria import Match
from tests.support.access import ask, query


@pytest.mark.parametrize(
    ("terms", "uri", "match"),
    [
        ("a equal 1", "/?a=1", "yes"),
        ("a equal 1", "/?%61=%31", "yes"),
        ("a equal 1", "/?a=2", "no"),
        ("a equal 1", "/?A=1", "no"),
        ("a equal 1", "/", "no"),
        ("a equal ", "/", "no"),
        ("a equal ", "/?a", "yes"),
        ("a not equal 1", "/?a=2", "yes"),
        ("a not equal 1", "/?a=1", "no"),
        ("a not equal 1", "/", "yes"),
        ("a present", "/?a", "yes"),
        ("a present", "/?b=a", "no"),
        ("a absent", "/?b", "yes"),
        ("a absent", "/?a=", "no"),
        ("a pattern [0-9]+", "/?a=12", "yes"),
        ("a pattern [0-9]+", "/?a=12x", "no"),
        ("a pattern .*", "/", "no"),
        ("a not pattern [0-9]+", "/?a=x", "yes"),
        ("a not pattern [0-9]+", "/?a=1", "no"),
        ("a not pattern [0-9]+", "/", "yes"),
    ],
)
def test_operator_says_how_a_value_is_compared(
    terms: str, uri: str, match: Match
) -> None:
    """A key that is absent equals nothing; expressions match the whole value (V-20)."""
    assert query(terms).check(Asked(ask(uri=uri))) == match


@pytest.mark.parametrize(
    ("terms", "uri", "match"),
    [
        ("a equal 1", "/?a=1&a=1", "yes"),
        ("a equal 1", "/?a=2&a=3", "no"),
        ("a equal 1", "/?a=1&a=2", "unknown"),
        ("a equal 1", "/?a=2&a=1", "unknown"),
        ("a not equal 1", "/?a=2&a=1", "unknown"),
        ("a not equal 1", "/?a=2&a=3", "yes"),
        ("a pattern [0-9]", "/?a=1&a=x", "unknown"),
        ("a not pattern [0-9]", "/?a=1&a=x", "unknown"),
        ("a present", "/?a=1&a=2", "yes"),
        ("a equal 1", "/?b=1;a=1", "unknown"),
        ("a absent", "/?b=1;a=1", "unknown"),
        ("a equal 1", "/?a=%ff", "unknown"),
    ],
)
def test_values_that_disagree_tell_nothing(terms: str, uri: str, match: Match) -> None:
    """Which of two values an application takes is not guessed at (V-20)."""
    assert query(terms).check(Asked(ask(uri=uri))) == match


@pytest.mark.parametrize(
    ("uri", "match"),
    [
        ("/?a=1&b", "yes"),
        ("/?c", "yes"),
        ("/?a=1", "no"),
        ("/?b", "no"),
        ("/?a=1&a=2&b", "unknown"),
        ("/?a=1&a=2", "no"),
        ("/?a=1&a=2&b&c", "yes"),
    ],
)
def test_lists_are_any_of_all_of(uri: str, match: Match) -> None:
    """The outer list is or, the inner one and; what is sure outweighs what is not."""
    criterion = query("a equal 1 & b present", "c present")

    assert criterion.check(Asked(ask(uri=uri))) == match


@pytest.mark.parametrize(
    ("mine", "theirs", "covers"),
    [
        (("a present",), ("a present",), True),
        (("a present",), ("a present & b present",), True),
        (("a present & b present",), ("a present",), False),
        (("a present", "b present"), ("b present",), True),
        (("a present",), ("a present", "b present"), False),
        (("a equal 1",), ("a equal 2",), False),
    ],
)
def test_criterion_covers_what_asks_for_more(
    mine: tuple[str, ...], theirs: tuple[str, ...], covers: bool
) -> None:
    """Each list of the other has to hold all that one of these asks for."""
    assert query(*mine).covers(query(*theirs)) is covers


@pytest.mark.parametrize(
    ("one", "two", "contradicts"),
    [
        ("a present", "a absent", True),
        ("a equal 1", "a not equal 1", True),
        ("a pattern x", "a not pattern x", True),
        ("a present", "b absent", False),
        ("a equal 1", "a not equal 2", False),
        ("a equal 1", "a equal 1", False),
        ("a pattern x", "a not equal x", False),
    ],
)
def test_term_contradicts_its_opposite(one: str, two: str, contradicts: bool) -> None:
    """Both at once are never met."""
    ((first, second),) = query(f"{one} & {two}").alternatives

    assert first.contradicts(second) is second.contradicts(first) is contradicts


def test_criterion_prints_its_terms() -> None:
    """An explanation quotes the rule."""
    criterion = query("a equal 1 & b absent", "c not pattern x.*")

    assert str(criterion) == "a equal '1' and b absent, or c not pattern 'x.*'"
