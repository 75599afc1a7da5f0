"""The watch over whichever users file counts."""

import asyncio
import logging
from pathlib import Path

import pytest

from forwardauth.users import editor, watch
from forwardauth.users.file import LookupUser, UserChange, UsersFile
from forwardauth.users.watch import UsersWatch
from tests.support.users import BCRYPT, entry, write_users


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


async def run_until_told(watching: UsersWatch, listener: Listener) -> None:
    """Watch until *listener* has been told of something."""
    running = asyncio.create_task(watching.run())
    async with asyncio.timeout(10):
        await listener.was_told.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_watch_outlives_a_listener_that_breaks(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of ours in one turn is logged, and the next turn goes on."""
    monkeypatch.setattr(watch, "POLL_SECONDS", 0)
    listener, watching = Listener(), UsersWatch()
    listener.error = RuntimeError("a fault")
    watching.take(UsersFile(path, on_change=listener))
    editor.set_disabled(path, "bob", is_disabled=True)
    running = asyncio.create_task(run_until_told(watching, listener))
    async with asyncio.timeout(10):
        await listener.has_failed.wait()
    listener.error = None
    await running

    faults = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert listener.told == [("bob", "disabled")]
    assert set(faults) == {"the users file could not be watched"}


async def test_watch_goes_on_with_the_next_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit after the change is seen in the file that counts by then."""
    monkeypatch.setattr(watch, "POLL_SECONDS", 0)
    before, after, watching = Listener(), Listener(), UsersWatch()
    other = write_users(path.with_name("others.yaml"), entry("alice"), entry("bob"))
    watching.take(UsersFile(path, on_change=before))
    watching.take(UsersFile(other, on_change=after))
    editor.set_disabled(other, "alice", is_disabled=True)

    await run_until_told(watching, after)

    assert before.told == []
    assert {name for name, _ in after.told} <= {"alice", "bob"}


def test_watch_of_nothing_knows_no_decoy(path: Path) -> None:
    """The hash for unknown users is that of the file that counts."""
    watching = UsersWatch()
    before = watching.lookup_decoy()
    file = UsersFile(path, on_change=Listener())

    watching.take(file)

    assert before is None
    assert watching.lookup_decoy() == file.table.decoy is not None
