"""The users file as the running service sees it."""

import asyncio
import gc
import logging
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from forwardauth.errors import ConfigError, StoreUnavailableError
from forwardauth.users import editor
from forwardauth.users.edits import EditError
from forwardauth.users.file import LookupUser, UserChange, UserChangeKind, UsersFile
from forwardauth.users.hashes import Hasher
from forwardauth.users.model import User
from forwardauth.users.reader import load_users
from forwardauth.users.stamps import stamp_of, successor_salt
from forwardauth.users.table import UsersTable
from forwardauth.users.version import Version, read_version
from tests.support.users import ARGON2ID, BCRYPT, CHEAP, entry, write_users

NOBODY = 65534
REHASHED = CHEAP.hash(b"U*U", salt=successor_salt(stamp_of(BCRYPT)))


class Listener:
    """Remembers what it was told; fails as long as it is told to."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.has_failed = asyncio.Event()
        self.was_told = asyncio.Event()

    async def __call__(self, changes: tuple[UserChange, ...], _: LookupUser) -> None:
        if self.error is not None:
            self.has_failed.set()
            raise self.error
        self.told += [(change.username, change.kind.value) for change in changes]
        self.was_told.set()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A users file with alice and bob."""
    return write_users(tmp_path / "users.yaml", entry("alice"), entry("bob", BCRYPT))


@pytest.fixture
def listener() -> Listener:
    """Who is told what ends sessions."""
    return Listener()


@pytest.fixture
def users(path: Path, listener: Listener) -> UsersFile:
    """The file as the service has read it."""
    return UsersFile(path, on_change=listener)


async def settle(users: UsersFile) -> None:
    """Look twice, as two seconds of watching do."""
    await users.poll_once()
    await users.poll_once()


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages of errors and warnings."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]


async def test_half_of_a_file_ends_nobodys_session(
    users: UsersFile,
    path: Path,
    listener: Listener,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was cut off in the middle of a line keeps the users, however valid it is."""
    whole = path.read_text()
    path.write_text(whole[: whole.index("bob")].rstrip())
    await settle(users)
    kept = users.get("bob")
    path.write_text(whole)
    await settle(users)

    assert kept is not None
    assert listener.told == []
    (line,) = errors_in(caplog)
    assert "let it end with a line break" in line


@pytest.mark.parametrize("end", ["", "\n"], ids=["never-had-one", "still-has-one"])
async def test_user_who_is_removed_on_purpose_is_gone(
    path: Path, listener: Listener, end: str
) -> None:
    """A file that never ended with a line break needs none, and a whole one counts."""
    whole = path.read_text()
    path.write_text(whole.rstrip() + end)
    users = UsersFile(path, on_change=listener)
    path.write_text(whole[: whole.index("bob")].rstrip() + end)
    await settle(users)

    assert users.get("bob") is None
    assert listener.told == [("bob", "removed")]


def test_users_are_there_from_the_start(users: UsersFile) -> None:
    """The service begins with what the file holds."""
    assert list(users.table.users) == ["alice", "bob"]
    assert users.get("ALICE") is users.table.users["alice"]
    assert users.get("eve") is None


def test_broken_file_stops_the_start(path: Path, listener: Listener) -> None:
    """There are no older users to keep."""
    path.write_text("users: [\n")

    with pytest.raises(ConfigError):
        UsersFile(path, on_change=listener)


def test_version_that_was_read_before_is_not_read_again(
    path: Path, listener: Listener
) -> None:
    """The start checks the file before it uses it, and parses it once for both."""
    table = load_users(path)

    users = UsersFile(path, on_change=listener, table=table)

    assert users.table is table


def test_table_of_another_version_does_not_count(
    path: Path, listener: Listener
) -> None:
    """A worker that starts later begins with the file as it is by then."""
    table = load_users(path)
    write_users(path, entry("carol"))

    users = UsersFile(path, on_change=listener, table=table)

    assert list(users.table.users) == ["carol"]


def test_table_of_a_file_that_is_gone_does_not_count(
    path: Path, listener: Listener
) -> None:
    """Users without a file are no users."""
    table = load_users(path)
    path.unlink()

    with pytest.raises(ConfigError):
        UsersFile(path, on_change=listener, table=table)


def test_table_of_no_file_does_not_count(path: Path, listener: Listener) -> None:
    """Only what says which version it is of can stand for one."""
    path.unlink()

    with pytest.raises(ConfigError):
        UsersFile(path, on_change=listener, table=UsersTable(users={}))


async def test_untouched_file_is_not_read(
    users: UsersFile, path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Watching costs a question for the file's status."""
    reads: list[Path] = []

    def read(path: Path) -> Version:
        reads.append(path)
        return read_version(path)

    monkeypatch.setattr("forwardauth.users.file.read_version", read)

    await settle(users)
    assert reads == []
    path.touch()
    await settle(users)
    await settle(users)

    assert reads == [path]
    assert listener.told == []


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([entry("alice")], [("bob", "removed")]),
        (
            [entry("alice", ARGON2ID, "disabled: true"), entry("bob", BCRYPT)],
            [("alice", "disabled")],
        ),
        (
            [entry("alice", BCRYPT), entry("bob", BCRYPT)],
            [("alice", "password_changed")],
        ),
        ([entry("alice"), entry("bob", REHASHED)], []),
        ([entry("alice", ARGON2ID, "groups: [x]"), entry("bob", BCRYPT)], []),
        ([entry("alice"), entry("bob", BCRYPT), entry("carol")], []),
    ],
    ids=["removed", "disabled", "password", "rehashed", "groups", "added"],
)
async def test_edit_takes_effect_and_ends_sessions(
    users: UsersFile,
    path: Path,
    listener: Listener,
    entries: list[str],
    told: list[tuple[str, str]],
) -> None:
    """V-7, L-12: two looks after an edit it counts, and is told once."""
    write_users(path, *entries)

    await settle(users)
    await settle(users)

    assert list(users.table.users) == [text.split(":")[0].strip() for text in entries]
    assert listener.told == told


async def test_new_groups_and_names_take_effect(users: UsersFile, path: Path) -> None:
    """V-7: an edit that ends no session counts from the next request on."""
    write_users(path, entry("alice", ARGON2ID, "groups: [x]", "displayname: A"))

    await settle(users)

    alice = users.get("alice")
    assert alice is not None
    assert (alice.groups, alice.display_name) == (("x",), "A")


async def test_listener_finds_the_new_table(path: Path) -> None:
    """When sessions are ended, nobody can sign in with the old entry any more."""
    seen: list[bool] = []

    async def listen(_: tuple[UserChange, ...], __: LookupUser) -> None:
        bob = watched.get("bob")
        seen.append(bob is not None and bob.disabled)

    watched = UsersFile(path, on_change=listen)
    editor.set_disabled(path, "bob", is_disabled=True)

    await settle(watched)

    assert seen == [True]


def replace_file(path: Path, text: str) -> None:
    """Save as most editors do: write beside it, then rename."""
    beside = path.with_name("users.yaml~")
    beside.write_text(text)
    beside.replace(path)


def write_in_place(path: Path, text: str) -> None:
    """Save as a mounted file must be saved."""
    path.write_text(text)


def write_with_old_time(path: Path, text: str) -> None:
    """Save as an archive does, which restores the time of the original."""
    path.write_text(text)
    os.utime(path, ns=(0, 0))


def delete_and_create(path: Path, text: str) -> None:
    """Save as some tools do."""
    path.unlink()
    path.write_text(text)


@pytest.mark.parametrize(
    "save", [replace_file, write_in_place, write_with_old_time, delete_and_create]
)
async def test_every_way_of_saving_is_seen(
    users: UsersFile, path: Path, save: Callable[[Path, str], None]
) -> None:
    """An edit counts, however it came to the disk."""
    await settle(users)

    save(path, "users:\n" + entry("carol"))
    await settle(users)
    save(path, "users:\n" + entry("david"))
    await settle(users)

    assert list(users.table.users) == ["david"]


async def test_half_a_file_does_not_remove_the_other_half(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """A file that still grows is not read, though its first half is good YAML."""
    whole = path.read_text() + entry("carol")
    path.write_text(whole[: whole.index("  bob:")])
    await users.poll_once()
    path.write_text(whole[: whole.index("  carol:")])
    await users.poll_once()
    path.write_text(whole)

    await settle(users)

    assert list(users.table.users) == ["alice", "bob", "carol"]
    assert listener.told == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ":1: the users file holds no mapping; "),
        ("users:\n  alice: [\n", ":3: this is not YAML: "),
        (
            "users:\n  alice: {password: x}\n",
            ":2: the password of user 'alice' looks like plain text; ",
        ),
    ],
    ids=["truncated", "half written", "plain text"],
)
async def test_broken_edit_keeps_the_users_and_is_logged_once(
    users: UsersFile,
    path: Path,
    caplog: pytest.LogCaptureFixture,
    text: str,
    problem: str,
) -> None:
    """V-47: one line names place and reason; the next good version counts again."""
    path.write_text(text)
    for _ in range(5):
        await users.poll_once()

    (message,) = errors_in(caplog)
    assert message.startswith(f"users stay as they were: {path}{problem}")
    assert list(users.table.users) == ["alice", "bob"]

    write_users(path, entry("alice"))
    await settle(users)

    assert list(users.table.users) == ["alice"]
    assert len(errors_in(caplog)) == 1


async def test_each_broken_version_is_logged(
    users: UsersFile, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever tries again and fails again is told again, of all mistakes how many."""
    path.write_text("users:\n  a: {}\n")
    await settle(users)
    path.write_text("users:\n  a: {}\n  b: {}\n")
    await settle(users)

    first, second = errors_in(caplog)
    assert "more)" not in first
    assert second.endswith("(and 1 more)")


async def test_deleted_file_keeps_the_users_until_it_is_back(
    users: UsersFile,
    path: Path,
    listener: Listener,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A file that is gone removes nobody: a mount may have failed."""
    path.unlink()
    for _ in range(5):
        await users.poll_once()

    (message,) = errors_in(caplog)
    assert "the users file is missing" in message
    assert list(users.table.users) == ["alice", "bob"]

    write_users(path, entry("alice"))
    await settle(users)

    assert listener.told == [("bob", "removed")]


async def test_file_that_was_refused_for_its_mode_is_read_after_a_chmod(
    users: UsersFile, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The remedy that the log names is seen, though the content is the same."""
    write_users(path, entry("carol"))
    path.chmod(0o666)
    await settle(users)
    assert "others can write the users file" in errors_in(caplog)[0]

    path.chmod(0o600)
    await settle(users)

    assert list(users.table.users) == ["carol"]


async def test_what_ends_sessions_is_told_until_it_is_heard(
    users: UsersFile,
    path: Path,
    listener: Listener,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """L-12: a store outage does not let a disabled user's session live on."""
    listener.error = StoreUnavailableError("no answer")
    editor.set_disabled(path, "bob", is_disabled=True)
    for _ in range(5):
        await users.poll_once()
    editor.remove_user(path, "alice")
    await settle(users)
    assert listener.told == []
    assert len(errors_in(caplog)) == 1

    listener.error = None
    await users.poll_once()
    await users.poll_once()

    assert sorted(listener.told) == [("alice", "removed"), ("bob", "disabled")]


async def test_later_end_is_told_after_an_outage_with_its_latest_cause(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """A user who was disabled and then removed during an outage is told once."""
    listener.error = StoreUnavailableError("no answer")
    editor.set_disabled(path, "bob", is_disabled=True)
    await settle(users)
    editor.remove_user(path, "bob")
    await settle(users)
    write_users(path, entry("alice"), entry("bob", BCRYPT))
    await settle(users)

    listener.error = None
    await users.poll_once()

    assert listener.told == [("bob", "removed")]


async def test_change_during_the_telling_is_not_lost(path: Path) -> None:
    """What is found while the listener is busy waits for the next turn."""
    told: list[tuple[UserChange, ...]] = []

    async def listen(changes: tuple[UserChange, ...], __: LookupUser) -> None:
        told.append(changes)
        if len(told) == 1:
            editor.remove_user(path, "bob")
            await watched.reload()

    watched = UsersFile(path, on_change=listen)
    editor.set_disabled(path, "bob", is_disabled=True)

    await settle(watched)
    await settle(watched)

    kinds = [change.kind for changes in told for change in changes]
    assert kinds == [UserChangeKind.DISABLED, UserChangeKind.REMOVED]


async def test_user_who_is_disabled_at_the_start_has_no_session_left(
    path: Path, listener: Listener
) -> None:
    """L-12: disabled while the service was down, enabled later: sign in again."""
    editor.set_disabled(path, "bob", is_disabled=True)
    users = UsersFile(path, on_change=listener)

    await settle(users)

    assert listener.told == [("bob", "disabled")]


async def test_reload_reads_at_once(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """SIGHUP does not wait for a second look."""
    write_users(path, entry("alice"))

    await users.reload()

    assert list(users.table.users) == ["alice"]
    assert listener.told == [("bob", "removed")]


async def test_broken_reload_keeps_the_users(
    users: UsersFile, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """V-47: it is logged, again when it is asked for again, and raises nothing."""
    path.write_text("users: [\n")

    await users.reload()
    await users.reload()

    assert list(users.table.users) == ["alice", "bob"]
    assert len(errors_in(caplog)) == 2


async def test_rehash_is_saved_and_ends_no_session(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """The login that replaces an old hash leaves the user's other sessions alone."""
    before = path.read_text()

    await users.save_hash("bob", BCRYPT, REHASHED)
    await settle(users)

    assert path.read_text() == before.replace(BCRYPT, REHASHED)
    bob = users.get("bob")
    assert bob is not None
    assert bob.password_hash == REHASHED
    assert listener.told == []


async def test_rehash_does_not_undo_a_change_of_password(
    users: UsersFile, path: Path
) -> None:
    """Who changes the password during a login has the last word."""
    editor.set_password(path, "bob", ARGON2ID)
    before = path.read_text()

    await users.save_hash("bob", BCRYPT, REHASHED)

    assert path.read_text() == before


NEW = CHEAP.hash(b"new")


def bob_of(users: UsersFile) -> User:
    """Return bob as the service knows him."""
    bob = users.get("bob")
    assert bob is not None
    return bob


async def test_change_of_password_counts_at_once_and_is_told(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """One value in the file is another, and the old sessions have been told of."""
    path.write_text("# ours\n" + path.read_text() + "# end\n")
    await settle(users)
    before = path.read_text()

    is_written = await users.change_password(bob_of(users), NEW)

    assert is_written
    assert path.read_text() == before.replace(BCRYPT, NEW)
    assert bob_of(users).password_hash == NEW
    assert listener.told == [("bob", "password_changed")]


async def test_edit_by_hand_that_is_not_read_yet_is_kept(
    users: UsersFile, path: Path
) -> None:
    """What an operator has just saved elsewhere in the file stays, and counts."""
    path.write_text(path.read_text().replace("alice", "eve") + "# by hand\n")

    is_written = await users.change_password(bob_of(users), NEW)

    assert is_written
    assert path.read_text().endswith("# by hand\n")
    assert list(users.table.users) == ["eve", "bob"]


async def test_rehash_that_is_not_read_yet_is_no_obstacle(
    users: UsersFile, path: Path
) -> None:
    """Who has just signed in, and so has a stronger hash, can change the password."""
    bob = bob_of(users)
    await users.save_hash("bob", BCRYPT, REHASHED)

    is_written = await users.change_password(bob, NEW)

    assert is_written
    assert NEW in path.read_text()


@pytest.mark.parametrize("edit", ["changed", "gone"])
async def test_edit_of_the_same_user_by_hand_has_the_last_word(
    users: UsersFile, path: Path, edit: str
) -> None:
    """A hash that somebody else has set meanwhile is not overwritten, but read."""
    if edit == "changed":
        editor.set_password(path, "bob", ARGON2ID)
    else:
        editor.remove_user(path, "bob")
    before = path.read_text()

    is_written = await users.change_password(bob_of(users), NEW)

    assert not is_written
    assert path.read_text() == before
    bob = users.get("bob")
    assert bob is None if edit == "gone" else bob and bob.password_hash == ARGON2ID


async def test_broken_file_is_not_written(users: UsersFile, path: Path) -> None:
    """An edit by hand that is half done is not built upon; the users stay."""
    path.write_text(path.read_text() + "  carol: [\n")
    before = path.read_text()

    with pytest.raises(ConfigError):
        await users.change_password(bob_of(users), NEW)

    assert path.read_text() == before
    assert bob_of(users).password_hash == BCRYPT


async def test_read_only_file_stays_as_it_is(listener: Listener) -> None:
    """Nobody changes a password by a form that is not shown, though a rename could."""
    # Not in the folder of the tests, which others may not enter.
    with TemporaryDirectory() as name:
        path = write_users(Path(name) / "users.yaml", entry("bob", BCRYPT))
        Path(name).chmod(0o777)
        path.chmod(0o444)
        users = UsersFile(path, on_change=listener)

        with without_privileges(), pytest.raises(EditError):
            await users.change_password(bob_of(users), NEW)

        assert NEW not in path.read_text()


@contextmanager
def without_privileges() -> Iterator[None]:
    """Have the system ask for permissions: to root everything is writable."""
    if os.getuid() != 0:
        yield
        return
    os.setreuid(NOBODY, -1)
    try:
        yield
    finally:
        os.setreuid(0, -1)


async def test_file_knows_whether_it_can_be_written(
    users: UsersFile, path: Path
) -> None:
    """The page that shows a form goes by the last look, and touches no file."""
    was_writable = users.looks_writable
    path.unlink()
    await users.poll_once()

    assert was_writable
    assert not users.looks_writable


async def test_file_that_cannot_be_written_is_logged_once(
    users: UsersFile,
    path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A read-only users file is no error for a login."""
    path.with_name(".users.yaml.lock").mkdir()

    await users.save_hash("bob", BCRYPT, REHASHED)
    await users.save_hash("bob", BCRYPT, REHASHED)

    (message,) = errors_in(caplog)
    assert "old password hashes stay in the users file: " in message
    assert BCRYPT in path.read_text()


async def test_a_successor_ends_what_the_edit_ends(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """What is different in the file that takes over is told by that, once."""
    editor.set_disabled(path, "bob", is_disabled=True)
    successor = UsersFile(path, on_change=listener)

    users.hand_over(successor)
    await successor.poll_once()
    await successor.poll_once()

    assert listener.told == [("bob", "disabled")]


async def test_a_successor_ends_what_could_not_be_ended_yet(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """A store that was down through the change does not save a session."""
    editor.set_disabled(path, "bob", is_disabled=True)
    listener.error = StoreUnavailableError("down")
    await users.reload()
    successor = UsersFile(path, on_change=listener)

    users.hand_over(successor)
    listener.error = None
    await successor.poll_once()

    assert listener.told == [("bob", "disabled")]


async def test_an_edit_that_was_taken_is_not_taken_back(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """A successor that was read before it goes on with what is on the disk."""
    successor = UsersFile(path, on_change=listener)
    editor.set_disabled(path, "bob", is_disabled=True)
    await users.reload()

    users.hand_over(successor)

    bob = successor.get("bob")
    assert bob is not None
    assert bob.disabled


@pytest.mark.parametrize(
    "write_more",
    [
        pytest.param(lambda text: text + "\n", id="more"),
        pytest.param(lambda _: "users: [", id="rubbish"),
        pytest.param(None, id="nothing"),
    ],
)
async def test_an_edit_that_was_taken_is_not_taken_back_by_a_later_write(
    users: UsersFile,
    path: Path,
    listener: Listener,
    write_more: Callable[[str], str] | None,
) -> None:
    """Whatever the file is by then, what was read later counts (L-12)."""
    successor = UsersFile(path, on_change=listener)
    editor.set_disabled(path, "bob", is_disabled=True)
    await users.reload()
    if write_more is None:
        path.unlink()
    else:
        path.write_text(write_more(path.read_text("utf-8")), "utf-8")

    users.hand_over(successor)
    await successor.poll_once()

    bob = successor.get("bob")
    assert bob is not None
    assert bob.disabled
    assert listener.told == [("bob", "disabled")]


async def test_what_was_read_later_than_the_edit_counts(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """A successor that has read a newer edit does not go back to the one before it."""
    editor.set_disabled(path, "bob", is_disabled=True)
    await users.reload()
    editor.set_disabled(path, "bob", is_disabled=False)
    successor = UsersFile(path, on_change=listener)

    users.hand_over(successor)

    bob = successor.get("bob")
    assert bob is not None
    assert not bob.disabled


async def test_another_file_takes_no_users_of_the_one_before(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """However late those were read: they are those of the old path."""
    other = path.with_name("other.yaml")
    write_users(other, entry("dora"))
    successor = UsersFile(other, on_change=listener)
    editor.set_disabled(path, "bob", is_disabled=True)
    await users.reload()

    users.hand_over(successor)

    assert successor.get("bob") is None


async def test_change_that_nested_telling_could_not_tell_is_kept(
    path: Path, listener: Listener
) -> None:
    """The one that was told is not taken for the one that came meanwhile."""
    told = listener.told

    async def change_meanwhile(changes: tuple[UserChange, ...], _: LookupUser) -> None:
        told.extend((each.username, each.kind.value) for each in changes)
        watched._on_change = fail  # noqa: SLF001 - the store goes down just now
        editor.remove_user(path, "bob")
        await watched.reload()
        watched._on_change = listener  # noqa: SLF001

    async def fail(_: tuple[UserChange, ...], __: LookupUser) -> None:
        raise StoreUnavailableError("down")

    watched = UsersFile(path, on_change=change_meanwhile)
    editor.set_disabled(path, "bob", is_disabled=True)

    await watched.reload()
    await watched.poll_once()

    assert told == [("bob", "disabled"), ("bob", "removed")]


async def test_table_that_is_current_counts_whatever_the_file_is(
    path: Path, listener: Listener
) -> None:
    """What was read for all workers is not read again by one; the watch finds out."""
    table = load_users(path)
    editor.set_disabled(path, "bob", is_disabled=True)

    users = UsersFile(path, on_change=listener, table=table, is_current=True)
    at_first = users.get("bob")
    for _ in range(2):
        await users.poll_once()
    later = users.get("bob")

    assert at_first is not None
    assert later is not None
    assert (at_first.disabled, later.disabled) == (False, True)


async def test_a_successor_tells_nothing_of_those_disabled_before(
    path: Path, listener: Listener
) -> None:
    """They have been told of by the file before it."""
    editor.set_disabled(path, "bob", is_disabled=True)
    users = UsersFile(path, on_change=listener)
    await users.poll_once()
    successor = UsersFile(path, on_change=listener)

    users.hand_over(successor)
    await successor.poll_once()

    assert listener.told == [("bob", "disabled")]


async def test_a_password_changed_meanwhile_counts_at_once_afterwards(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """Whoever began with the file before is not signed out by what it wrote."""
    bob = users.get("bob")
    assert bob is not None
    successor = UsersFile(path, on_change=listener)
    users.hand_over(successor)

    assert await users.change_password(bob, REHASHED)

    changed = successor.get("bob")
    assert changed is not None
    assert changed.password_hash == REHASHED


async def test_what_the_first_of_three_wrote_counts_with_the_last(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """However many files came meanwhile, the one that counts by now hears of it."""
    bob = users.get("bob")
    assert bob is not None
    second = UsersFile(path, on_change=listener)
    users.hand_over(second)
    third = UsersFile(path, on_change=listener)
    second.hand_over(third)

    assert await users.change_password(bob, REHASHED)

    changed = third.get("bob")
    assert changed is not None
    assert changed.password_hash == REHASHED


def test_a_file_between_two_others_is_not_kept_by_them(
    users: UsersFile, path: Path, listener: Listener
) -> None:
    """A reload a day for years keeps two tables, not one for each of them."""
    second = UsersFile(path, on_change=listener)
    users.hand_over(second)
    third = UsersFile(path, on_change=listener)
    second.hand_over(third)
    kept = weakref.ref(second)

    del second
    gc.collect()

    assert kept() is None


def test_rehash_of_the_default_is_known_as_the_successor() -> None:
    """The hash that a login writes and the one that the watch compares are the same."""
    new = Hasher(time_cost=1, memory_kib=8, parallelism=1).successor(BCRYPT, b"U*U")

    assert new == REHASHED
