"""Edits of the users file on disk."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.errors import ConfigError
from forwardauth.users import editor, writer
from forwardauth.users.editor import EditError
from forwardauth.users.problems import RefusedValueError
from forwardauth.users.reader import load_users
from tests.support.users import ARGON2ID, BCRYPT, CHEAP, entry, write_users

ADD_TEN = """
import sys
from pathlib import Path
from forwardauth.users import editor
path, prefix, text = sys.argv[1:]
sys.stdin.readline()
for number in range(10):
    editor.add_user(Path(path), username=f"{prefix}{number}", password_hash=text)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A users file with two users and a comment."""
    path = write_users(
        tmp_path / "users.yaml", "  # the boss\n", entry("alice"), entry("Bob", BCRYPT)
    )
    path.chmod(0o640)
    return path


def test_user_is_added_behind_the_others(path: Path) -> None:
    """Everything that was given is in the file, and the comment still is."""
    editor.add_user(
        path,
        username="carol",
        password_hash=BCRYPT,
        display_name="Carol C.",
        email="carol@example.com",
        groups=["dev", "ops"],
    )

    carol = load_users(path).users["carol"]
    assert list(load_users(path).users) == ["alice", "Bob", "carol"]
    assert carol.display_name == "Carol C."
    assert carol.email == "carol@example.com"
    assert carol.groups == ("dev", "ops")
    assert not carol.disabled
    assert "  # the boss\n" in path.read_text()


def test_first_user_creates_the_file(tmp_path: Path) -> None:
    """It is readable by its owner only, and says what it is."""
    path = tmp_path / "users.yaml"

    editor.add_user(path, username="alice", password_hash="{CRYPT}" + ARGON2ID)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith("# Who may sign in.")
    assert load_users(path).users["alice"].password_hash == ARGON2ID


@pytest.mark.parametrize("name", ["alice", "ALICE", "bob", " bob "])
def test_taken_name_is_refused(path: Path, name: str) -> None:
    """No second spelling of a user comes into the file."""
    before = path.read_text()

    with pytest.raises((EditError, RefusedValueError)):
        editor.add_user(path, username=name, password_hash=ARGON2ID)

    assert path.read_text() == before


@pytest.mark.parametrize(
    "values",
    [
        {"username": "a,b"},
        {"username": "carol", "display_name": "a\nb"},
        {"username": "carol", "email": "a\0"},
        {"username": "carol", "groups": ["a,b"]},
        {"username": "carol", "password_hash": "hunter2"},
    ],
    ids=["name", "display name", "email", "groups", "plain text"],
)
def test_value_that_the_file_may_not_hold_is_refused(
    path: Path, values: dict[str, str]
) -> None:
    """The editor never writes a file that the reader would refuse."""
    arguments = {"password_hash": ARGON2ID, **values}

    with pytest.raises(RefusedValueError):
        editor.add_user(path, **arguments)

    assert len(load_users(path).users) == 2


@pytest.mark.parametrize("name", ["alice", "Alice"])
def test_password_is_replaced(path: Path, name: str) -> None:
    """One line of the file changes."""
    before = path.read_text()

    editor.set_password(path, name, BCRYPT)

    assert path.read_text() == before.replace(ARGON2ID, BCRYPT)


def test_plain_text_is_no_password_hash(path: Path) -> None:
    """A caller that forgot to hash is stopped."""
    with pytest.raises(RefusedValueError):
        editor.set_password(path, "alice", "hunter2")


def test_user_is_disabled_and_enabled(path: Path) -> None:
    """Twice is no error, and once is undone by once."""
    for is_disabled in (True, True, False, False):
        editor.set_disabled(path, "bob", is_disabled=is_disabled)

        assert load_users(path).users["Bob"].disabled is is_disabled


def test_nothing_is_written_when_nothing_changes(path: Path) -> None:
    """A user who is enabled is not enabled again on disk."""
    before = path.stat()

    editor.set_disabled(path, "bob", is_disabled=False)

    assert path.stat() == before


def test_users_are_removed_to_the_last(path: Path) -> None:
    """A file without users is a good file, and can be added to."""
    editor.remove_user(path, "BOB")
    assert list(load_users(path).users) == ["alice"]
    editor.remove_user(path, "alice")
    assert load_users(path).users == {}

    editor.add_user(path, username="carol", password_hash=ARGON2ID)

    assert list(load_users(path).users) == ["carol"]
    assert "# the boss" in path.read_text()


@pytest.mark.parametrize(
    "edit",
    [
        lambda path: editor.set_password(path, "eve", ARGON2ID),
        lambda path: editor.set_disabled(path, "eve", is_disabled=True),
        lambda path: editor.remove_user(path, "eve"),
    ],
    ids=["password", "disable", "remove"],
)
def test_unknown_user_is_an_error(path: Path, edit: Callable[[Path], None]) -> None:
    """Nobody believes to have disabled a user whose name was mistyped."""
    with pytest.raises(EditError, match="there is no user 'eve'"):
        edit(path)


@pytest.mark.parametrize("text", ["users:\n  a: [\n", "users:\n  a: {}\n"])
def test_broken_file_is_not_edited(path: Path, text: str) -> None:
    """Whoever is in the middle of an edit keeps it."""
    path.write_text(text)

    with pytest.raises(ConfigError):
        editor.add_user(path, username="carol", password_hash=ARGON2ID)

    assert path.read_text() == text


def test_missing_file_is_created_by_add_alone(tmp_path: Path) -> None:
    """A wrong path does not become a new file by a change of password."""
    with pytest.raises(ConfigError, match="users file is missing"):
        editor.set_password(tmp_path / "users.yaml", "alice", ARGON2ID)
    with pytest.raises(EditError, match="there is no folder"):
        editor.add_user(
            tmp_path / "none" / "users.yaml", username="a", password_hash=ARGON2ID
        )


def test_hash_is_replaced_only_while_it_is_the_old_one(path: Path) -> None:
    """A rehash does not undo a password that was changed meanwhile."""
    new = CHEAP.hash(b"U*U")

    assert editor.replace_hash(path, "Bob", old=BCRYPT, new=new)
    assert not editor.replace_hash(path, "Bob", old=BCRYPT, new=ARGON2ID)
    assert not editor.replace_hash(path, "eve", old=BCRYPT, new=ARGON2ID)

    assert load_users(path).users["Bob"].password_hash == new


def test_link_is_followed(path: Path, tmp_path: Path) -> None:
    """Where config management links the file, the link stays one."""
    (tmp_path / "etc").mkdir()
    link = tmp_path / "etc" / "users.yaml"
    link.symlink_to("../users.yaml")

    editor.remove_user(link, "bob")

    assert link.is_symlink()
    assert list(load_users(path).users) == ["alice"]
    assert list(link.parent.iterdir()) == [link]


def test_file_that_shares_a_password_by_alias_is_left_alone(path: Path) -> None:
    """An edit that would change another user too is found out before it is written."""
    text = (
        f"users:\n  a:\n    password: &p '{BCRYPT}'\n  b:\n    password: *p\n"
        "  c:\n    password: *p\n"
    )
    path.write_text(text)

    with pytest.raises(EditError, match="written in an unusual way"):
        editor.set_password(path, "b", ARGON2ID)

    assert path.read_text() == text


def test_edit_starts_again_when_an_editor_was_faster(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was saved by hand in the last moment is in the file, and the edit too."""
    write = writer.write
    by_hand = [path.read_text() + entry("hand")]

    def save_first(*args: object, **more: object) -> None:
        if by_hand:
            path.write_text(by_hand.pop())
        write(*args, **more)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(editor, "write", save_first)

    editor.remove_user(path, "bob")

    assert list(load_users(path).users) == ["alice", "hand"]


def test_edit_gives_up_when_the_file_never_stands_still(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three attempts, then a sentence."""
    attempts: list[Path] = []

    def never(target: Path, *_: object, **__: object) -> None:
        attempts.append(target)
        raise writer.ChangedMeanwhileError

    monkeypatch.setattr(editor, "write", never)

    with pytest.raises(EditError, match="somebody else keeps writing"):
        editor.remove_user(path, "bob")

    assert len(attempts) == 3


def test_two_processes_lose_no_edit(path: Path) -> None:
    """Both add ten users at once, and all twenty are there."""
    command = [sys.executable, "-c", ADD_TEN, str(path)]
    writers = [
        subprocess.Popen(  # noqa: S603 - our own interpreter
            [*command, prefix, ARGON2ID], stdin=subprocess.PIPE
        )
        for prefix in ("x", "y")
    ]
    for process in writers:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()

    for process in writers:
        process.communicate(timeout=30)
        assert process.returncode == 0

    added = {f"{prefix}{number}" for prefix in "xy" for number in range(10)}
    assert load_users(path).users.keys() == {"alice", "Bob", *added}
