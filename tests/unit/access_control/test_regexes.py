"""Expressions match whole values, in linear time, or are refused."""

import pickle
import re

import pytest

from forwardauth.access_control.regexes import Regex


@pytest.mark.parametrize(
    ("text", "value", "is_match"),
    [
        ("/admin", "/admin", True),
        ("/admin", "/admin/x", False),
        ("/admin", "/x/admin", False),
        ("/admin", "/x?back=/admin", False),
        ("/a|/b", "/b", True),
        ("/a|/b", "/ab", False),
        ("^/a$", "/a", True),
        ("/a$", "/a\n", False),
        ("/a.b", "/a\nb", True),
        ("/a(?m:$)", "/a\nb", False),
        ("/caf.", "/café", True),
        ("/[é]", "/é", True),
        ("/A", "/a", False),
    ],
)
def test_expression_matches_the_whole_value(
    text: str, value: str, is_match: bool
) -> None:
    """No part of a value is enough, with or without anchors (V-20)."""
    assert Regex(text).matches(value) is is_match


def test_case_can_be_ignored() -> None:
    """Names of hosts do not differ by case."""
    assert Regex("App[0-9]", ignores_case=True).matches("aPP1")


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("(?=a)", "lookaround"),
        ("(?!a)", "lookaround"),
        ("(?<=a)b", "lookaround"),
        ("(?<!a)b", "lookaround"),
        (r"(a)\1", "backreferences"),
        ("a{2000}", "repetition size"),
        ("(a", "missing )"),
        ("[z-a]", "range"),
        ("*", "repetition"),
        ("a\udc80", "surrogates"),
    ],
)
def test_expression_that_takes_more_than_linear_time_is_refused(
    text: str, keyword: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The reason says what is missing, and nothing is written past it."""
    with pytest.raises(ValueError, match=re.escape(keyword)):
        Regex(text)

    assert capfd.readouterr() == ("", "")


def test_hostile_value_costs_no_more_than_its_length() -> None:
    """What makes a backtracking engine run for years is answered at once."""
    assert not Regex(r"(/(a*)*)*b").matches("/" + "a" * 8000)


@pytest.mark.parametrize(
    ("text", "can_match"),
    [
        ("/api", True),
        ("^/api.*$", True),
        (".*", True),
        ("(/a|b)", True),
        ("[^/]*/x", True),
        ("(?i)/API", True),
        ("api/.*", False),
        ("^api", False),
        (r"\?x", False),
        ("", False),
        ("é", False),
    ],
)
def test_expression_that_no_path_matches_is_known(text: str, can_match: bool) -> None:
    """Every path starts with a slash."""
    assert Regex(text).can_match_path is can_match


@pytest.mark.parametrize(
    ("text", "names_subject"),
    [
        (r"(?P<User>\w+)\.example\.com", True),
        (r"(?<Group>\w+)\.example\.com", True),
        (r"(?P<user>\w+)\.example\.com", False),
        (r"(User)\.example\.com", False),
    ],
)
def test_group_that_means_somebody_is_known(text: str, names_subject: bool) -> None:
    """Elsewhere such a group is compared with whoever asks."""
    assert Regex(text).names_subject is names_subject


def test_expressions_of_the_same_text_are_equal() -> None:
    """Rules can be compared, and an expression prints as it was written."""
    assert Regex("/a") == Regex("/a") != Regex("/a", ignores_case=True)
    assert {Regex("/a"), Regex("/a")} == {Regex("/a")}
    assert str(Regex("/a")) == "/a"


def test_expression_reaches_another_process_as_it_was_written() -> None:
    """It is compiled there anew, and ignores case where it did."""
    there = pickle.loads(pickle.dumps(Regex("/a", ignores_case=True)))  # noqa: S301

    assert there == Regex("/a", ignores_case=True)
    assert there.matches("/A")
