"""``forwardauth users``: the users file from the command line."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from forwardauth.users.hashes import Hasher
from forwardauth.users.reader import load_users
from tests.support.configuration import COMPLETE
from tests.support.users import BCRYPT, CHEAP, entry, write_users

ENDS_SESSIONS = "running instances end the user's sessions within five seconds"
SECRET = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write argon2id that takes no time; ``test_hashes`` has the real parameters."""
    monkeypatch.setattr("forwardauth.users.passwords.Hasher", lambda: CHEAP)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The users file of a configuration in the current folder; it does not exist."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(COMPLETE)
    return tmp_path / "users.yaml"


def run(*arguments: str, typed: str = "") -> Result:
    """Run ``forwardauth users`` with *typed* on standard input."""
    return CliRunner().invoke(main, ["users", *arguments], input=typed)


def verifies(path: Path, username: str, password: str) -> bool:
    """Whether *password* is that of *username* in the file."""
    stored = load_users(path).users[username].password_hash
    return CHEAP.verify(stored, password.encode())


def test_first_user_is_added(path: Path) -> None:
    """It works before there is a users file, which then is its owner's alone."""
    result = run(
        *("add", "alice", "--display-name", "Alice Doe", "--email", "a@example.com"),
        *("--group", "admins", "--group", "dev"),
        typed=SECRET + "\n",
    )

    assert result.exit_code == 0
    assert result.output == "alice can sign in\n"
    alice = load_users(path).users["alice"]
    assert (alice.display_name, alice.email) == ("Alice Doe", "a@example.com")
    assert alice.groups == ("admins", "dev")
    assert verifies(path, "alice", SECRET)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["alice", "ALICE"])
def test_name_that_is_taken_changes_nothing(path: Path, name: str) -> None:
    """The status is 1, and nobody is asked for a password first."""
    before = write_users(path, entry("alice")).read_bytes()

    result = run("add", name)

    assert result.exit_code == 1
    assert result.stderr == "Error: user 'alice' exists already\n"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "a,b"), "the user name 'a,b' holds a comma or a colon"),
        (("add", "bob", "--group", "a,b"), "the group 'a,b' is empty or holds a comma"),
        (("add", "bob", "--email", "a\nb"), "the email address holds a line break"),
        (("add",), "Missing argument 'NAME'"),
        (("rename", "a"), "No such command 'rename'"),
    ],
)
def test_bad_call_is_status_2(
    path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    """What the file may not hold is a mistake in the call, and no file is made."""
    result = run(*arguments, typed=SECRET + "\n")

    assert result.exit_code == 2
    assert reason in result.stderr
    assert not path.exists()


@pytest.mark.parametrize("command", ["add", "passwd", "hash"])
@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "no password on standard input"),
        ("\n", "the password has 0 characters; it needs at least 8"),
        ("seven77\n", "the password has 7 characters; it needs at least 8"),
        ("x" * 1025 + "\n", "the password is longer than 1024 bytes"),
    ],
    ids=["nothing", "empty", "short", "long"],
)
def test_password_that_is_no_good_is_refused(
    path: Path, command: str, typed: str, reason: str
) -> None:
    """A sentence and status 2, and the file stays as it was."""
    before = write_users(path, entry("alice")).read_bytes()
    names = {"add": ["bob"], "passwd": ["alice"], "hash": []}[command]

    result = run(command, *names, typed=typed)

    assert result.exit_code == 2
    assert reason in result.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("typed", "password"),
    [
        ("eight888\n", "eight888"),
        ("eight888", "eight888"),
        ("eight888\r\n", "eight888"),
        ("eight888\nand more\n", "eight888"),
        ("  spaces  \n", "  spaces  "),
        ("päßwörter\n", "päßwörter"),
    ],
    ids=["line", "no line end", "Windows", "two lines", "spaces", "letters"],
)
def test_password_is_one_line_of_standard_input(
    path: Path, typed: str, password: str
) -> None:
    """Scripts pipe it in; only the line end is taken off."""
    write_users(path, entry("alice"))

    result = run("passwd", "Alice", typed=typed)

    assert result.exit_code == 0
    assert result.output == f"Alice has a new password; {ENDS_SESSIONS}\n"
    assert verifies(path, "alice", password)


def test_password_is_no_argument(path: Path) -> None:
    """Other users of the machine would see it."""
    result = run("add", "alice", SECRET)

    assert result.exit_code == 2
    assert not path.exists()


@pytest.mark.parametrize(
    ("command", "output", "is_disabled"),
    [
        ("disable", f"alice is disabled; {ENDS_SESSIONS}\n", True),
        ("enable", "alice can sign in\n", False),
    ],
)
def test_user_is_disabled_and_enabled(
    path: Path, command: str, output: str, is_disabled: bool
) -> None:
    """It says what happens to sessions, and saying it twice is no error."""
    write_users(
        path, entry("alice", BCRYPT, f"disabled: {str(not is_disabled).lower()}")
    )

    results = [run(command, "alice") for _ in range(2)]

    assert [result.exit_code for result in results] == [0, 0]
    assert {result.output for result in results} == {output}
    assert load_users(path).users["alice"].disabled is is_disabled


def test_user_is_removed(path: Path) -> None:
    """It says what happens to sessions."""
    write_users(path, entry("alice"), entry("bob"))

    result = run("remove", "alice")

    assert result.exit_code == 0
    assert result.output == f"alice is removed; {ENDS_SESSIONS}\n"
    assert list(load_users(path).users) == ["bob"]


@pytest.mark.parametrize("command", ["passwd", "disable", "enable", "remove"])
def test_unknown_user_is_status_1(path: Path, command: str) -> None:
    """Nobody believes to have disabled a user whose name was mistyped."""
    write_users(path, entry("alice"))

    result = run(command, "alcie")

    assert result.exit_code == 1
    assert result.stderr == "Error: there is no user 'alcie'\n"


def test_users_are_listed_in_columns(path: Path) -> None:
    """Each column is as wide as its widest cell, and no hash is shown."""
    write_users(
        path,
        entry("alice", BCRYPT, "displayname: Alice Doe", "groups: [admins, dev]"),
        entry("bob", BCRYPT, "email: bob@example.com", "disabled: true"),
    )

    result = run("list")

    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "NAME   DISPLAY NAME  EMAIL            GROUPS       STATUS",
        "alice  Alice Doe                      admins, dev  enabled",
        "bob                  bob@example.com               disabled",
    ]


def test_users_are_listed_for_programs(path: Path) -> None:
    """The keys are those of the file, but for the hash."""
    write_users(path, entry("zoë", BCRYPT, "groups: [dev]", "email: z@example.com"))

    result = run("list", "--json")

    assert json.loads(result.output) == [
        {
            "username": "zoë",
            "displayname": "",
            "email": "z@example.com",
            "groups": ["dev"],
            "disabled": False,
        }
    ]


def test_missing_file_is_status_2_with_the_way_to_begin(path: Path) -> None:
    """Only ``add`` creates the file."""
    result = run("list")

    assert result.exit_code == 2
    assert "run forwardauth users add NAME, which creates it" in result.stderr
    assert not path.exists()


def test_mistakes_in_the_file_are_told_with_their_lines(path: Path) -> None:
    """A broken file is told as ``config check`` tells it, and not edited."""
    write_users(path, entry("alice", "plain"), entry("bob", "plain"))

    result = run("disable", "alice")

    assert result.exit_code == 2
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == [
        f"{path}:3",
        f"{path}:5",
    ]


def test_users_file_is_the_one_of_the_configuration(path: Path) -> None:
    """``--config`` chooses the file, relative to the configuration."""
    folder = path.parent / "etc"
    folder.mkdir()
    (folder / "other.yaml").write_text(COMPLETE)

    result = run("add", "--config", "etc/other.yaml", "alice", typed=SECRET)

    assert result.exit_code == 0
    assert not path.exists()
    assert verifies(folder / "users.yaml", "alice", SECRET)


def test_hash_is_printed_alone(path: Path) -> None:
    """Its output goes into the file as it is, and nothing is written."""
    result = run("hash", typed=SECRET + "\n")

    assert result.exit_code == 0
    assert CHEAP.verify(result.output.removesuffix("\n"), SECRET.encode())
    assert not path.exists()


@pytest.mark.parametrize(
    "command", ["add", "list", "passwd", "disable", "enable", "remove", "hash"]
)
def test_help_has_an_example(command: str) -> None:
    """Each command shows how it is called."""
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"forwardauth users {command}" in result.output.partition("Examples:")[2]


def test_terminal_is_asked_twice_and_shows_nothing() -> None:
    """On a terminal the password is typed unseen, and again to be sure."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "forwardauth", "users", "hash"]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
        text=True,
    ) as process:
        os.close(terminal)
        shown = ""
        for prompt in ("Password: ", "Again: "):
            while not shown.endswith(prompt):
                shown += os.read(controller, 1024).decode()
            os.write(controller, SECRET.encode() + b"\n")
        output, _ = process.communicate(timeout=30)
    os.close(controller)

    assert process.returncode == 0
    assert SECRET not in shown
    assert Hasher().verify(output.strip(), SECRET.encode())


@pytest.mark.parametrize(
    ("arguments", "done"),
    [
        (("add", "bob"), "added"),
        (("passwd", "alice"), "password changed"),
        (("disable", "alice"), "disabled"),
        (("enable", "alice"), "enabled"),
        (("remove", "alice"), "removed"),
    ],
)
def test_programs_are_told_what_was_done(
    path: Path, arguments: tuple[str, ...], done: str
) -> None:
    """One object: who, what, and in which file."""
    write_users(path, entry("alice"))

    result = run(*arguments, "--json", typed=SECRET + "\n")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "user": arguments[1],
        "done": done,
        "file": str(path.absolute()),
    }


def test_hash_is_told_to_programs(path: Path) -> None:
    """As JSON, with nothing of the password."""
    result = run("hash", "--json", typed=SECRET + "\n")

    assert json.loads(result.stdout)["hash"].startswith("$argon2id$")
    assert SECRET not in result.output
    assert not path.exists()
