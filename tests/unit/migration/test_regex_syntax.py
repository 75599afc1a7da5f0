"""Expressions taken apart: what is read, and what is left alone."""

import pytest

from forwardauth.migration.regex_syntax import (
    OddExpressionError,
    Piece,
    join,
    parse_expression,
)


@pytest.mark.parametrize(
    "text",
    [
        r"^/a[/?]b(c|d\.)*?e{2,3}$",
        "",
        "a||b",
        r"\pL\x41[^]a][[:alpha:]]+",
        "(?:a)(?P<b>c)",
    ],
)
def test_joined_again_it_is_what_it_was(text: str) -> None:
    """No step changes a character."""
    assert "|".join(map(join, parse_expression(text))) == text


@pytest.mark.parametrize(
    "text", ["(?i)a", r"\Qa\E", "a**", "*a", "^*", "(a", "a)", "["]
)
def test_what_is_seldom_written_is_not_taken_apart(text: str) -> None:
    """Whoever asks knows then that nothing is known."""
    with pytest.raises(OddExpressionError):
        parse_expression(text)


MARKS = {
    "letter": ("a", False),
    "mark": (r"\?", True),
    "dot": (".", True),
    "class": ("[/?]", True),
    "class without": ("[a-z]", False),
    "negated": ("[^/]", True),
    "word": (r"\w", False),
    "not a word": (r"\W", True),
    "group": ("(a|b.)", True),
    "group without": ("(a|b)+", False),
    "anchor": ("^", False),
}


@pytest.mark.parametrize(("text", "wanted"), MARKS.values(), ids=MARKS)
def test_a_piece_knows_whether_it_can_match_the_mark(text: str, wanted: bool) -> None:
    """By what the engine itself says of it."""
    ((piece,),) = parse_expression(text)

    assert piece.can_match("?") is wanted


def test_a_piece_knows_whether_it_matches_anything() -> None:
    """In a group, too, unless the group is repeated."""
    texts = (".*", "(.*)", "(?:.*)?", "(a|.*)", ".+", "(.*){2}", r"\.*")
    pieces = [parse_expression(text)[0][0] for text in texts]

    assert [piece.is_anything for piece in pieces] == [True] * 4 + [False] * 3


def test_a_piece_of_the_path_matches_no_mark() -> None:
    """Whatever it is written as."""
    assert not Piece(text=".", is_in_path=True).can_match("?")
