"""The sections together: what one asks of another, and all problems at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.configuration import (
    COOKIES,
    USERS,
    Mistake,
    load_text,
    problems_in,
    write_config,
)

MISTAKES = {
    "no-users": Mistake(
        base=COOKIES, text="# nothing", key="users.file", line=-2, keyword="is missing"
    ),
    "users-without-file": Mistake(
        base=COOKIES, text="users:", key="users.file", line=1, keyword="is missing"
    ),
    "users-null": Mistake(
        base=COOKIES,
        text="users:\n  file: null",
        key="users.file",
        line=2,
        keyword="is empty",
    ),
    "users-unknown-key": Mistake(
        base=COOKIES,
        text="users:\n  file: a\n  path: b",
        key="users.path",
        line=3,
        keyword="is not a key",
    ),
    "no-cookies": Mistake(
        base=USERS, text="# nothing", key="cookies", line=-1, keyword="is missing"
    ),
    "unknown-section": Mistake(
        text="sessions:\n  store: memory",
        key="sessions",
        line=1,
        keyword="is not a key",
    ),
    "section-is-a-list": Mistake(
        text="session: [store]", key="session", line=1, keyword="must hold keys"
    ),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """One problem, with key, line and reason."""
    check_mistake(wrong)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """A mistake in every section, and a second in some, in the order of the lines."""
    text = """\
sever: {}
server:
  listen: here
  workers: none
cookies:
  - domain: co.uk
    portal: https://auth.co.uk
  - domain: example.com
    portal: http://auth.example.com
session:
  idle_timeout: 1
  store: mysql://db
  store: memory
logout:
  paths: [logout]
  default_target: https://me@example.com/
access_control:
  rules:
    - domain: a_b
      policy: allow
      methods: [get]
portal:
  title: ""
"""
    environ = {"FORWARDAUTH_SESSION__SAMESITE": "lax", "FORWARDAUTH_LOGOUT__SCOPE": "x"}

    found = problems_in(write_config(tmp_path, text), environ)

    assert [(p.place.line, p.place.key) for p in found] == [
        (1, "sever"),
        (1, "users.file"),
        (3, "server.listen"),
        (4, "server.workers"),
        (6, "cookies.0.domain"),
        (9, "cookies.1.portal"),
        (11, "session.idle_timeout"),
        (12, "session.store"),
        (13, "session.store"),
        (15, "logout.paths.0"),
        (16, "logout.default_target"),
        (19, "access_control.rules.0.domain"),
        (20, "access_control.rules.0.policy"),
        (21, "access_control.rules.0.methods.0"),
        (23, "portal.title"),
        (None, ""),
        (None, "logout.scope"),
    ]


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes the working folder later finds the same files."""
    monkeypatch.chdir(tmp_path.parent)
    text = "portal: {templates: t}\n"

    settings = load_text(Path(tmp_path.name), text)

    assert settings.users.file == tmp_path / "users.yaml"
    assert settings.portal.templates == tmp_path / "t"
    assert settings.session.journal == tmp_path / "revocations.journal"
