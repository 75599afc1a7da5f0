"""``users``, ``groups`` and ``subject`` say the same in two ways."""

from pathlib import Path

import pytest

from forwardauth.access_control.matchers import SubjectCriterion
from tests.support.access import ALICE, BOB
from tests.support.configuration import load_text

HEAD = """\
access_control:
  rules:
    - domain: app.example.com
      policy: one_factor
"""


def read(folder: Path, *lines: str) -> SubjectCriterion:
    """Return whom a rule with *lines* is for."""
    text = HEAD + "".join(f"      {line}\n" for line in lines)
    (only,) = load_text(folder, text).access_control.rules
    return only.subject


@pytest.mark.parametrize(
    ("subject", "lines"),
    [
        ('"user:alice"', ["users: alice"]),
        ('["group:x", "group:y"]', ["groups: [x, y]"]),
        ('[["user:alice", "group:x"]]', ["users: alice", "groups: x"]),
        (
            '[["user:a", "group:x"], ["user:a", "group:y"]]',
            ["users: [a, a]", "groups: [x, y]"],
        ),
    ],
)
def test_either_way_means_the_same(
    tmp_path: Path, subject: str, lines: list[str]
) -> None:
    """Whoever comes from Authelia keeps their rules."""
    assert read(tmp_path, f"subject: {subject}") == read(tmp_path, *lines)


def test_users_and_groups_of_one_rule_are_both_needed(tmp_path: Path) -> None:
    """All criteria of a rule are needed: being in the group is not enough."""
    found = read(tmp_path, "users: [alice, bob]", "groups: [ops]")

    assert (found.matches(ALICE), found.matches(BOB)) == (True, False)


@pytest.mark.parametrize(
    ("subject", "is_alice", "is_bob"),
    [
        ('[["group:ops", "group:dev"]]', True, False),
        ('[["group:ops", "group:x"]]', False, False),
        ('[["user:alice", "group:x"], "user:bob"]', False, True),
        ('[["user:bob", "group:ops"]]', False, False),
    ],
)
def test_lists_inside_the_list_mean_all_at_once(
    tmp_path: Path, subject: str, is_alice: bool, is_bob: bool
) -> None:
    """Outer or, inner and, as Authelia reads it."""
    found = read(tmp_path, f"subject: {subject}")

    assert (found.matches(ALICE), found.matches(BOB)) == (is_alice, is_bob)


def test_without_any_the_rule_is_for_everybody(tmp_path: Path) -> None:
    """Only leaving all of them out says so."""
    assert read(tmp_path).is_for_everyone
