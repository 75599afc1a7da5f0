"""Edits of the text: what was meant changes, every other byte stays."""

from collections.abc import Callable
from difflib import unified_diff

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forwardauth.users.edits import (
    EditError,
    with_disabled,
    with_password_hash,
    with_user,
    without_user,
)
from forwardauth.users.fields import check_username, check_value
from forwardauth.users.model import User
from forwardauth.users.problems import RefusedValueError
from forwardauth.users.reader import parse_users
from forwardauth.users.stamps import stamp_of
from tests.support.users import ARGON2ID, BCRYPT, make_user

TEXT = f"""\
# yamllint disable rule:line-length
---
###############################################
#                Users Database               #
###############################################

users:
    # the boss
    authelia:
      displayname: "Test User"
      password: "{BCRYPT}"  # 'U*U'
      email: authelia@example.com
      disabled: no   # not yet
      groups:
      - admins

    # somebody else
    bob: {{password: {BCRYPT}, groups: [dev]}}  # in braces
    carol:
      groups: [ dev,
                ops ]
      password: |-
        {BCRYPT}

# the end
...
"""


def changed_lines(before: str, after: str) -> list[str]:
    """Return the lines that an edit took away and added."""
    diff = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in diff if line[:3] not in {"---", "+++"} and line[0] != "@"]


@pytest.mark.parametrize(
    ("edit", "diff"),
    [
        (
            lambda text: with_password_hash(text, "authelia", ARGON2ID),
            [
                f"-      password: \"{BCRYPT}\"  # 'U*U'",
                f"+      password: \"{ARGON2ID}\"  # 'U*U'",
            ],
        ),
        (
            lambda text: with_password_hash(text, "bob", ARGON2ID),
            [
                f"-    bob: {{password: {BCRYPT}, groups: [dev]}}  # in braces",
                f'+    bob: {{password: "{ARGON2ID}", groups: [dev]}}  # in braces',
            ],
        ),
        (
            lambda text: with_password_hash(text, "carol", ARGON2ID),
            [
                "-      password: |-",
                f"-        {BCRYPT}",
                f'+      password: "{ARGON2ID}"',
            ],
        ),
        (
            lambda text: with_disabled(text, "authelia", is_disabled=True),
            ["-      disabled: no   # not yet", "+      disabled: true   # not yet"],
        ),
        (
            lambda text: with_disabled(text, "bob", is_disabled=True),
            [
                f"-    bob: {{password: {BCRYPT}, groups: [dev]}}  # in braces",
                (
                    f"+    bob: {{disabled: true, password: {BCRYPT}, groups: [dev]}}"
                    "  # in braces"
                ),
            ],
        ),
        (
            lambda text: with_disabled(text, "carol", is_disabled=False),
            ["+      disabled: false"],
        ),
        (
            lambda text: without_user(text, "authelia"),
            [
                "-    authelia:",
                '-      displayname: "Test User"',
                f"-      password: \"{BCRYPT}\"  # 'U*U'",
                "-      email: authelia@example.com",
                "-      disabled: no   # not yet",
                "-      groups:",
                "-      - admins",
            ],
        ),
        (
            lambda text: without_user(text, "bob"),
            [f"-    bob: {{password: {BCRYPT}, groups: [dev]}}  # in braces"],
        ),
        (
            lambda text: without_user(text, "carol"),
            [
                "-    carol:",
                "-      groups: [ dev,",
                "-                ops ]",
                "-      password: |-",
                f"-        {BCRYPT}",
            ],
        ),
        (
            lambda text: with_user(text, make_user("dora", groups=("dev", "a b"))),
            [
                "+    dora:",
                '+      displayname: ""',
                f'+      password: "{ARGON2ID}"',
                '+      email: ""',
                "+      groups:",
                "+        - dev",
                '+        - "a b"',
            ],
        ),
    ],
    ids=[
        "password in quotes",
        "password in braces",
        "password in a block",
        "flag is there",
        "flag in braces",
        "flag is new",
        "remove the first",
        "remove in braces",
        "remove the last",
        "add",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_edit_changes_these_lines_alone(
    edit: Callable[[str], str], diff: list[str], newline: str
) -> None:
    """Comments, quotes, order, indentation and line ends are the author's."""
    text = TEXT.replace("\n", newline)

    edited = edit(text)

    assert changed_lines(text, edited) == diff
    assert edited.count("\n") - edited.count("\r\n") in {0, edited.count("\n")}
    parse_users(edited, place="users.yaml")


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("", "users:\n  a:"),
        ("# none yet", "# none yet\nusers:\n  a:"),
        ("users: {}", "users:\n  a:"),
        ("users: {}  # none\n# end\n", "users:  # none\n  a:"),
        ("users:\n", "users:\n  a:"),
        ("users: ~\n", "users:\n  a:"),
        ("---\nusers: {\n}\n...\n", "---\nusers:\n  a:"),
    ],
)
def test_first_user_is_added_to_any_empty_file(text: str, head: str) -> None:
    """Braces give way to a block, comments stay."""
    added = with_user(text, make_user("a"))

    assert added.startswith(head + "\n    displayname:")
    assert parse_users(added, place="users.yaml").users == {"a": make_user("a")}


def test_user_is_added_without_a_line_end_before() -> None:
    """A last line that was not ended is ended."""
    added = with_user(TEXT.rstrip().removesuffix("..."), make_user("dora"))
    text = f"users:\n  a:\n    password: {BCRYPT}"

    assert list(parse_users(added, place="users.yaml").users)[-1] == "dora"
    assert with_user(text, make_user("dora")).startswith(text + "\n  dora:\n")


@settings(max_examples=80)
@given(
    name=st.text(min_size=1, max_size=20),
    display_name=st.text(max_size=20),
    disabled=st.booleans(),
)
def test_added_user_reads_back(name: str, display_name: str, disabled: bool) -> None:
    """Whatever the fields may hold, YAML gives it back: no, null, quotes, hashes."""
    try:
        check_username(name)
        check_value(display_name, what="displayname")
    except RefusedValueError:
        return
    user = User(
        username=name,
        display_name=display_name,
        email="'\": #",
        groups=("null", "yes", "- a", "{b}", "*c", "é"),
        password_hash=ARGON2ID,
        disabled=disabled,
        stamp=stamp_of(ARGON2ID),
    )

    text = with_user("users: {}\n", user)

    assert parse_users(text, place="users.yaml").users == {name: user}


@pytest.mark.parametrize("name", ["no", "Null", "y", "on", "1e3", "~", "a b", "#x"])
def test_name_that_yaml_takes_for_something_else_is_quoted(name: str) -> None:
    """Other programs that read the file see the same name."""
    assert f'\n  "{name}":\n' in with_user("users:\n", make_user(name))


def test_users_in_braces_get_no_neighbour() -> None:
    """What cannot be done without rewriting the file is refused with advice."""
    text = f"users: {{a: {{password: '{BCRYPT}'}}}}\n"

    with pytest.raises(EditError, match="add this one by hand"):
        with_user(text, make_user("b"))
    with pytest.raises(EditError, match="edit it by hand"):
        without_user(text, "a")


def test_unknown_user_is_no_crash() -> None:
    """The file may have changed between the question and the edit."""
    with pytest.raises(EditError, match="there is no user 'eve'"):
        with_disabled(TEXT, "eve", is_disabled=True)


def test_user_without_a_password_is_left_alone() -> None:
    """The reader refuses such a file; here it is no crash either."""
    with pytest.raises(EditError, match="has no password"):
        with_password_hash("users:\n  a: {email: b}\n", "a", ARGON2ID)
