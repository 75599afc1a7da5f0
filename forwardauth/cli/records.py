"""What commands say to programs: JSON, by the option ``--json``.

Law: it is ASCII, whatever is in it, so that no terminal obeys it.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from forwardauth.config.problems import Problem
from forwardauth.users.problems import Problem as UsersProblem

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Give *command* the option ``--json``, as its argument ``is_json``."""
    option = click.option("--json", "is_json", is_flag=True, help="For programs.")
    return option(command)


def dump(content: object) -> str:
    """Return *content* as JSON in ASCII."""
    return json.dumps(content, indent=2)


def problem_records(problems: Iterable[object]) -> list[dict[str, object]]:
    """Return *problems*, as ``ConfigError`` carries them, as records.

    Each has a place, which is a file and a line or an environment variable, what is
    wrong there, and what to do about it; ``key`` is null inside the users file.
    """
    return [_record_of(problem) for problem in problems]


def _record_of(problem: object) -> dict[str, object]:
    match problem:
        case Problem(place=place, reason=reason, remedy=remedy):
            where = (
                place.source if place.line is None else f"{place.source}:{place.line}"
            )
            return {
                "place": where,
                "key": place.key or None,
                "reason": reason,
                "remedy": remedy,
            }
        case UsersProblem(place=where, reason=reason, remedy=remedy):
            return {"place": where, "key": None, "reason": reason, "remedy": remedy}
        case _:
            return {"place": None, "key": None, "reason": str(problem), "remedy": None}
