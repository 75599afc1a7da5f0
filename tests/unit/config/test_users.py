"""``users``: what is asked of a password."""

from pathlib import Path

import pytest

from forwardauth.config.load import load_settings
from forwardauth.config.problems import RefusedValueError
from forwardauth.config.users import parse_min_length, parse_min_score
from forwardauth.users.policy import PasswordPolicy
from tests.support.configuration import COOKIES, Mistake, write_config

MISTAKES = {
    "no-length": Mistake(
        text="users:\n  file: users.yaml\n  min_password_length: 0",
        key="users.min_password_length",
        line=3,
        keyword="not a length",
        base=COOKIES,
    ),
    "length-of-no-password": Mistake(
        text="users:\n  file: users.yaml\n  min_password_length: 129",
        key="users.min_password_length",
        line=3,
        keyword="not a length",
        base=COOKIES,
    ),
    "score-beyond-the-best": Mistake(
        text="users:\n  file: users.yaml\n  min_password_score: 5",
        key="users.min_password_score",
        line=3,
        keyword="not a score",
        base=COOKIES,
    ),
    "score-in-words": Mistake(
        text="users:\n  file: users.yaml\n  min_password_score: strong",
        key="users.min_password_score",
        line=3,
        keyword="not a score",
        base=COOKIES,
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named_with_its_place(tmp_path: Path, mistake: Mistake) -> None:
    """A policy that nobody could meet, or read, stops the start."""
    mistake.check(tmp_path)


def test_policy_comes_from_the_file_or_the_environment(tmp_path: Path) -> None:
    """Both keys can be set in both places, and the environment wins."""
    text = "users: {file: users.yaml, min_password_length: 12, min_password_score: 2}\n"
    environ = {"FORWARDAUTH_USERS__MIN_PASSWORD_SCORE": "4"}

    users = load_settings(write_config(tmp_path, COOKIES + text), environ).users

    assert (users.min_password_length, users.min_password_score) == (12, 4)


def test_defaults_are_those_of_the_policy(tmp_path: Path) -> None:
    """What the table of keys says and what the class says is one."""
    path = write_config(tmp_path, COOKIES + "users:\n  file: users.yaml\n")

    users = load_settings(path, {}).users

    policy = PasswordPolicy()
    assert users.min_password_length == policy.min_length
    assert users.min_password_score == policy.min_score


@pytest.mark.parametrize("text", ["08", "8.0", "+8", "٨", " 8", "99999", ""])
def test_number_has_one_spelling(text: str) -> None:
    """A number is digits, as everywhere in the configuration."""
    for parse in (parse_min_length, parse_min_score):
        with pytest.raises(RefusedValueError):
            parse(text)
