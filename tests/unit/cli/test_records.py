"""JSON for programs: ASCII, and problems as records."""

import json

import pytest

from forwardauth.cli.records import dump, problem_records
from forwardauth.config.problems import Place, Problem
from forwardauth.users.problems import Problem as UsersProblem


def test_no_terminal_obeys_what_is_dumped() -> None:
    """Whatever is in it is escaped, and read back as it was."""
    text = dump({"name": "\x1b[2Jé"})

    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text) == {"name": "\x1b[2Jé"}


PROBLEMS = {
    "line": (
        Problem(
            place=Place(key="server.listen", source="config.yaml", line=3),
            reason="is empty",
            remedy="write one",
        ),
        {"place": "config.yaml:3", "key": "server.listen"},
    ),
    "environment": (
        Problem(
            place=Place(key="server.listen", source="FORWARDAUTH_SERVER__LISTEN"),
            reason="is empty",
            remedy="write one",
        ),
        {"place": "FORWARDAUTH_SERVER__LISTEN", "key": "server.listen"},
    ),
    "users": (
        UsersProblem(place="users.yaml:7", reason="is empty", remedy="write one"),
        {"place": "users.yaml:7", "key": None},
    ),
}


@pytest.mark.parametrize(("problem", "where"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_has_its_place_and_its_remedy(
    problem: object, where: dict[str, object]
) -> None:
    """The key is null inside the users file."""
    assert problem_records([problem]) == [
        {**where, "reason": "is empty", "remedy": "write one"}
    ]


def test_a_problem_of_another_kind_is_a_sentence() -> None:
    """Nothing that stops a start is left out."""
    (record,) = problem_records(["something else"])

    assert record["reason"] == "something else"
