"""How a mistake in the users file is told."""

import pytest

from forwardauth.users.problems import Problem, RefusedValueError, quote


def test_problem_is_one_line() -> None:
    """Place, reason and remedy, in the order in which people need them."""
    problem = Problem(place="users.yaml:7", reason="it is wrong", remedy="mend it")

    assert str(problem) == "users.yaml:7: it is wrong; mend it"


def test_refused_value_says_what_to_do() -> None:
    """The error alone is a sentence, for callers that have no line."""
    error = RefusedValueError("it is wrong", "mend it")

    assert str(error) == "it is wrong; mend it"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("alice", "'alice'"),
        ("zoë", "'zoë'"),
        ("a\nb", r"'a\nb'"),
        ("a\x1b[31m", r"'a\x1b[31m'"),
        ("x" * 100, "'" + "x" * 80 + "…'"),
    ],
    ids=["plain", "letters", "line break", "terminal control", "long"],
)
def test_quoted_text_cannot_break_a_log_line(text: str, quoted: str) -> None:
    """What stands in the file is shown, but cannot steer a terminal."""
    assert quote(text) == quoted
