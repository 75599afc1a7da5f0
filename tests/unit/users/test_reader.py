"""The users file as text: what is read, and every mistake with its line."""

from pathlib import Path

import pytest

from forwardauth.errors import ConfigError
from forwardauth.users.model import User
from forwardauth.users.reader import load_users, parse_users
from forwardauth.users.stamps import stamp_of
from tests.support.users import ARGON2ID, BCRYPT, entry, write_users

AUTHELIA = f"""\
# yamllint disable rule:line-length
---
users:
  john:
    disabled: false
    displayname: "John Doe"
    password: "{{CRYPT}}{ARGON2ID}"
    email: john.doe@example.com
    groups:
      - admins
      - dev
  harry:
    displayname: 'Doe, Harry'
    password: {BCRYPT}
    disabled: yes
    groups: []
    given_name: Harry
    address:
      country: AU
    extra:
      example: 1
...
"""


def problems_of(text: str) -> list[str]:
    """Return the mistakes in *text*, as they are printed."""
    with pytest.raises(ConfigError) as caught:
        parse_users(text, place="users.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_file_of_authelia_is_read_as_it_is() -> None:
    """Shape, old marker, quoting and newer keys are those that people bring along."""
    table = parse_users(AUTHELIA, place="users.yaml")

    assert dict(table.users) == {
        "john": User(
            username="john",
            display_name="John Doe",
            email="john.doe@example.com",
            groups=("admins", "dev"),
            password_hash=ARGON2ID,
            disabled=False,
            stamp=stamp_of(ARGON2ID),
        ),
        "harry": User(
            username="harry",
            display_name="Doe, Harry",
            email="",
            groups=(),
            password_hash=BCRYPT,
            disabled=True,
            stamp=stamp_of(BCRYPT),
        ),
    }


def test_scalars_are_text() -> None:
    """A user called no, and a display name of digits, are what they look like."""
    text = "users:\n" + entry("no", ARGON2ID, "displayname: 0123", "groups: [1, off]")
    user = parse_users(text, place="users.yaml").users["no"]

    assert user.display_name == "0123"
    assert user.groups == ("1", "off")


@pytest.mark.parametrize("text", ["users: {}\n", "users:\n", "users: ~\n"])
def test_no_users_is_a_good_file(text: str) -> None:
    """A new installation starts before its first user exists."""
    assert parse_users(text, place="users.yaml").users == {}


def test_null_is_no_value() -> None:
    """Keys that were left open count as left out."""
    text = "users:\n" + entry("a", ARGON2ID, "displayname:", "email: ~", "groups:")
    user = parse_users(text, place="users.yaml").users["a"]

    assert (user.display_name, user.email, user.groups) == ("", "", ())


def test_groups_can_be_shared_by_an_alias() -> None:
    """Anchors are plain YAML, and Authelia reads them."""
    first = entry("a", ARGON2ID, "groups: &staff [x, y]")
    second = entry("b", ARGON2ID, "groups: *staff")

    table = parse_users("users:\n" + first + second, place="users.yaml")

    assert table.users["b"].groups == ("x", "y")


GOOD = f"{{password: '{ARGON2ID}'}}"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "the users file holds no mapping"),
        ("- a\n", 1, "the users file holds no mapping"),
        ("{}\n", 1, "there is no key users"),
        ("user:\n  a: 1\n", 1, "unknown key 'user'; did you mean users?"),
        ("users: {}\nusers: {}\n", 2, "users stands here twice"),
        ("users: [a]\n", 1, "users is no mapping of names"),
        ("users: a\n", 1, "users is no mapping of names"),
        ("users:\n  a: b\n", 2, "user 'a' is no mapping"),
        ("users:\n  a:\n", 2, "user 'a' has no password"),
        ("users:\n  a: {}\n", 2, "user 'a' has no password"),
        ("users:\n  a:\n    password:\n", 3, "user 'a' has no password"),
        (
            "users:\n  a:\n    password: hunter2\n",
            3,
            "the password of user 'a' looks like plain text",
        ),
        (
            "users:\n  a:\n    password: $scrypt$ln=16$x$y\n",
            3,
            "the password of user 'a' has the form $scrypt$, which is not read",
        ),
        (
            "users:\n  a:\n    password: [x]\n",
            3,
            "password of user 'a' is a list or a mapping",
        ),
        (f"users:\n  a: {GOOD}\n  a: {GOOD}\n", 3, "user 'a' stands here twice"),
        (
            f"users:\n  anna: {GOOD}\n  Anna: {GOOD}\n",
            3,
            "user 'Anna' is the same name as 'anna'",
        ),
        (
            f"users:\n  é: {GOOD}\n  É: {GOOD}\n",
            3,
            "user 'É' is the same name as 'é'",
        ),
        (f"users:\n  'e\u0301': {GOOD}\n", 2, "is not in its composed form (NFC)"),
        (f"users:\n  a,b: {GOOD}\n", 2, "the user name 'a,b' holds a comma"),
        (f'users:\n  "a:b": {GOOD}\n', 2, "the user name 'a:b' holds a comma"),
        (f'users:\n  "a\\0": {GOOD}\n', 2, r"the user name 'a\x00' holds a line break"),
        (f"users:\n  ~: {GOOD}\n", 2, "the user name is empty"),
        (f"users:\n  [a]: {GOOD}\n", 2, "the user name is a list or a mapping"),
        (f"users:\n  {'x' * 256}: {GOOD}\n", 2, "is 256 bytes long, more than 255"),
        (
            "users:\n" + entry("a", ARGON2ID, "pasword: x"),
            4,
            "unknown key 'pasword'; did you mean password?",
        ),
        (
            "users:\n" + entry("a", ARGON2ID, "email: a@b", "email: c@d"),
            5,
            "email stands here twice",
        ),
        (
            "users:\n" + entry("a", ARGON2ID, "disabled: maybe"),
            4,
            "disabled of user 'a' is 'maybe', not yes or no",
        ),
        (
            "users:\n" + entry("a", ARGON2ID, "groups: admins"),
            4,
            "groups of user 'a' is no list",
        ),
        (
            "users:\n" + entry("a", ARGON2ID, "groups: ['a,b']"),
            4,
            "the group 'a,b' is empty or holds a comma",
        ),
        (
            "users:\n" + entry("a", ARGON2ID, "groups: [[b]]"),
            4,
            "a group in groups of user 'a' is a list or a mapping",
        ),
        (
            "users:\n" + entry("a", ARGON2ID, 'displayname: "x\\r\\nRemote-User: b"'),
            4,
            "displayname of user 'a' holds a line break",
        ),
        (
            "users:\n" + entry("a", ARGON2ID, 'email: "x\\0"'),
            4,
            "email of user 'a' holds a line break",
        ),
        (
            "users:\n" + entry("a", ARGON2ID, f"displayname: {'x' * 513}"),
            4,
            "displayname of user 'a' is 513 bytes long, more than 512",
        ),
        ("users:\n  a: [\n", 3, "this is not YAML"),
    ],
)
def test_mistake_is_told_with_its_line(text: str, line: int, reason: str) -> None:
    """V-27: each mistake names place and reason, and the file is refused."""
    first = problems_of(text)[0]

    assert first.startswith(f"users.yaml:{line}: ")
    assert reason in first
    assert "; " in first.removeprefix(f"users.yaml:{line}: ")


@pytest.mark.parametrize("text", ["users:\n  a: b\n", "users:\n  a: []\n"])
def test_an_entry_of_another_shape_is_one_mistake(text: str) -> None:
    """That it has no password either follows from it."""
    (problem,) = problems_of(text)

    assert "is no mapping" in problem


def test_all_mistakes_are_told_at_once_in_order() -> None:
    """Nobody mends a file one run at a time."""
    text = (
        "extra: 1\nusers:\n  a,b: 1\n  bob:\n    disabled: x\n    groups: y\n"
        "  carol:\n    password: hunter2\n    phone: 1\n"
    )

    lines = [int(problem.split(":")[1]) for problem in problems_of(text)]

    assert lines == [1, 3, 5, 5, 6, 8, 9]


def test_no_mistake_repeats_a_password() -> None:
    """The log of a broken edit does not hold what was typed in place of a hash."""
    text = "users:\n  a:\n    password: hunter2\n  b:\n    password: $2b$hunter2\n"

    assert "hunter2" not in "\n".join(problems_of(text))


def test_file_is_loaded_with_its_name_in_the_place(tmp_path: Path) -> None:
    """The place is the path as it is configured, and the line."""
    path = write_users(tmp_path / "users.yaml", entry("alice"), entry("bob", "x"))

    with pytest.raises(ConfigError) as caught:
        load_users(path)

    assert str(caught.value).startswith(f"{path}:5: the password of user 'bob' ")


def test_good_file_is_loaded(tmp_path: Path) -> None:
    """What is on disk is what is found."""
    path = write_users(tmp_path / "users.yaml", entry("alice"))

    assert list(load_users(path).users) == ["alice"]
