"""Default targets: checked against the lists as far as the lists hold."""

from pathlib import Path

import pytest

from forwardauth.config.problems import Problem
from tests.support.configuration import COMPLETE, USERS, problems_in, write_config


def keys_of(problems: tuple[Problem, ...]) -> list[str]:
    """Return which keys have a problem."""
    return [problem.place.key for problem in problems]


@pytest.mark.parametrize("key", ["cookies.0.default_target", "logout.default_target"])
def test_a_default_target_may_be_on_the_allow_list(tmp_path: Path, key: str) -> None:
    """What any redirect may lead to, a default may lead to."""
    variable = "FORWARDAUTH_" + key.upper().replace(".", "__")
    text = COMPLETE + "logout: {allowed_targets: [https://example.net/shop]}\n"
    path = write_config(tmp_path, text)

    assert not problems_in(path, {variable: "https://example.net/shop/1"})
    assert keys_of(problems_in(path, {variable: "https://example.net/"})) == [key]


def test_a_broken_list_entry_is_not_blamed_on_the_target(tmp_path: Path) -> None:
    """The entry that would admit the target is told alone."""
    text = """\
logout:
  default_target: https://example.net/
  allowed_targets: ["https://example.net/?"]
"""

    problems = problems_in(write_config(tmp_path, COMPLETE + text))

    assert keys_of(problems) == ["logout.allowed_targets.0"]


def test_a_broken_domain_is_not_blamed_on_the_target(tmp_path: Path) -> None:
    """The domain that would admit the target is told alone."""
    text = """\
cookies:
  - domain: example.com.
    portal: https://auth.example.com
    default_target: https://www.example.com/
logout:
  default_target: https://www.example.com/
"""

    problems = problems_in(write_config(tmp_path, USERS + text))

    assert keys_of(problems) == ["cookies.0.domain"]


def test_a_target_that_no_list_would_admit_is_told_all_the_same(tmp_path: Path) -> None:
    """A broken list hides no mistake that has nothing to do with it."""
    text = """\
logout:
  default_target: https://me@example.net/
  allowed_targets: ["https://example.net/?"]
"""

    problems = problems_in(write_config(tmp_path, COMPLETE + text))

    assert keys_of(problems) == ["logout.default_target", "logout.allowed_targets.0"]
