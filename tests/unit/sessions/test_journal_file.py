"""Lines that processes write and read along, whatever happens to the file."""

import fcntl
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from forwardauth.errors import UnreadableJournalError
from forwardauth.sessions.journal_file import (
    RESERVED_BYTES,
    JournalFile,
    Line,
    Origin,
    Reading,
)
from tests.support.disk import full_disk

DESCRIPTORS = Path("/proc/self/fd")
WRITER = """
import os, sys
from pathlib import Path
from forwardauth.sessions.journal_file import JournalFile

file = JournalFile(Path(sys.argv[1]))
number = 0
while True:
    with file.locked() as descriptor:
        file.append(descriptor, [{"number": number, "padding": "x" * 4096}])
    os.write(1, b"%d\\n" % number)
    number += 1
"""
"""Appends for ever, and says after each line that it is on the disk."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "journal"


@pytest.fixture
def file(path: Path) -> JournalFile:
    """The file, as this process sees it."""
    return JournalFile(path)


@pytest.fixture
def other(path: Path) -> JournalFile:
    """The same file, as another process sees it."""
    return JournalFile(path)


def append(file: JournalFile, *lines: Line) -> None:
    """Write *lines* under the lock."""
    with file.locked() as descriptor:
        file.append(descriptor, lines)


def replace(file: JournalFile, *lines: Line) -> None:
    """Leave *lines* alone in the file."""
    with file.locked():
        file.replace(lines)


def read(file: JournalFile) -> Reading:
    """Return what is new; something must be."""
    reading = file.read()
    assert reading is not None
    return reading


@contextmanager
def temporary_in(folder: Path) -> Iterator[Path]:
    """Yield a folder inside of *folder*, removed afterwards."""
    path = folder / f"forwardauth-test-{os.getpid()}"
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path)


def test_missing_file_says_nothing(file: JournalFile, path: Path) -> None:
    """To look at it does not make it."""
    assert file.read() is None
    assert not path.exists()


def test_lines_are_read_once_in_order(file: JournalFile, other: JournalFile) -> None:
    """Who looks again sees what was added since, from whichever process."""
    append(file, {"n": 1}, {"n": 2})
    first = read(file)
    append(other, {"n": 3})
    second = read(file)

    assert first.lines == ({"n": 1}, {"n": 2})
    assert second == Reading(origin=Origin.APPENDED, lines=({"n": 3},))
    assert file.read() is None


def test_file_is_for_its_owner_alone(file: JournalFile, path: Path) -> None:
    """Nobody else reads whom we have signed out, new or replaced."""
    append(file, {"n": 1})
    new = stat.S_IMODE(path.stat().st_mode)
    replace(file, {"n": 1})

    assert {new, stat.S_IMODE(path.stat().st_mode)} == {0o600}


def test_replaced_file_says_that_it_is_complete(
    file: JournalFile, other: JournalFile
) -> None:
    """What is not in it any more is over, for every process."""
    append(file, {"n": 1}, {"n": 2})
    read(other)
    replace(file, {"n": 2})
    reading = read(other)

    assert reading.origin is Origin.REPLACED
    assert {"n": 2} in reading.lines
    assert {"n": 1} not in reading.lines


def test_replacement_that_was_appended_to_is_still_one(
    file: JournalFile, other: JournalFile
) -> None:
    """A process that looks late sees the new file as a whole."""
    append(file, {"n": 1})
    read(other)
    replace(file)
    append(file, {"n": 3})

    reading = read(other)

    assert reading.origin is Origin.REPLACED
    assert reading.lines[1:] == ({"n": 3},)


def test_deleted_file_is_lost(file: JournalFile, path: Path) -> None:
    """That it is gone is told once."""
    append(file, {"n": 1})
    read(file)
    path.unlink()

    assert read(file) == Reading(origin=Origin.LOST, lines=())
    assert file.read() is None


def test_file_made_anew_is_no_replacement(
    file: JournalFile, other: JournalFile, path: Path
) -> None:
    """Deleted and written again between two looks, it contradicts nothing."""
    append(file, {"n": 1})
    read(other)
    path.unlink()
    append(file, {"n": 2})

    assert read(other) == Reading(origin=Origin.LOST, lines=({"n": 2},))


def test_emptied_file_is_lost(file: JournalFile, path: Path) -> None:
    """Cut short by hand it is no longer the one that was read."""
    append(file, {"n": 1})
    read(file)
    os.truncate(path, 0)
    gone = read(file)
    append(file, {"n": 2})

    assert gone == Reading(origin=Origin.LOST, lines=())
    assert read(file).lines == ({"n": 2},)


def test_changes_within_one_tick_are_seen(tmp_path: Path) -> None:
    """A file of the same length as before is not taken for the one before.

    In memory a file is made, emptied and filled within one tick of its time stamps.
    """
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    folder = memory if os.access(memory, os.W_OK) else tmp_path
    with temporary_in(folder) as place:
        writer, reader = JournalFile(place / "j"), JournalFile(place / "j")
        for number in range(1_000, 1_200):
            replace(writer, {"n": number})

            assert {"n": number} in read(reader).lines


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b'{"n": 9', id="torn"),
        pytest.param(b"\0" * 4_096, id="zeros after a crash"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(b"null\n[1]\n5\n", id="no objects"),
        pytest.param(b"[" * 100_000, id="deeply nested"),
        pytest.param(b"\r\n\r\n", id="foreign line ends"),
        pytest.param(b"9" * 10_000, id="long number"),
    ],
)
def test_junk_harms_neither_what_is_before_nor_what_follows(
    file: JournalFile, path: Path, junk: bytes
) -> None:
    """A line that a crash has torn is closed by the next one."""
    append(file, {"n": 1})
    with path.open("ab") as raw:
        raw.write(junk)
    before = read(file).lines
    append(file, {"n": 2})

    assert before == ({"n": 1},)
    assert read(file).lines == ({"n": 2},)


def test_line_in_the_making_waits_for_its_end(file: JournalFile, path: Path) -> None:
    """A reader that comes while a line is written sees it whole, the next time."""
    with path.open("ab", buffering=0) as raw:
        raw.write(b'\n{"n"')
        early = read(file).lines
        raw.write(b": 1}\n")

    assert early == ()
    assert read(file).lines == ({"n": 1},)


def test_full_disk_is_an_error_and_tears_no_other_line(
    file: JournalFile, path: Path
) -> None:
    """What the disk did not take is reported, and nothing that it had taken is lost."""
    append(file, {"n": 1})
    with full_disk(path.stat().st_size + 5), pytest.raises(OSError, match="large"):
        append(file, {"n": 2})
    append(file, {"n": 3})

    assert read(file).lines == ({"n": 1}, {"n": 3})


def test_room_is_kept_behind_the_end(file: JournalFile, path: Path) -> None:
    """A disk that has become full still takes promises: no byte of it is in use."""
    for n in range(3):
        append(file, {"n": n})
    appended = path.stat()
    replace(file, {"n": 2})
    replaced = path.stat()

    for status in (appended, replaced):
        assert status.st_size < 100
        assert status.st_blocks * 512 > RESERVED_BYTES // 2


def test_full_disk_leaves_the_old_file(file: JournalFile, path: Path) -> None:
    """A replacement that cannot be written replaces nothing, and takes no room."""
    append(file, {"n": 1})
    with full_disk(3), pytest.raises(OSError, match="large"):
        replace(file, {"n": 1})

    assert read(file).lines == ({"n": 1},)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_a_crash_left_of_a_replacement_is_in_nobodys_way(
    file: JournalFile, path: Path
) -> None:
    """A half-written new file is written over."""
    append(file, {"n": 1})
    path.with_name("journal.new").write_bytes(b"x" * 10_000)

    replace(file, {"n": 1})

    assert read(file).lines[1:] == ({"n": 1},)


def test_writer_that_waited_for_a_replacement_writes_to_the_new_file(
    file: JournalFile, other: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line never goes into the file that has just been put away."""
    append(file, {"n": 1})
    flock = fcntl.flock
    calls: list[int] = []

    def replaced_meanwhile(descriptor: int, how: int) -> None:
        calls.append(descriptor)
        if len(calls) == 1:
            replace(other, {"n": 1})
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", replaced_meanwhile)
    append(file, {"n": 2})

    assert len(calls) == 3
    assert read(file).lines[1:] == ({"n": 1}, {"n": 2})


def test_writer_that_waited_while_the_file_was_deleted_makes_it_again(
    file: JournalFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line never goes into a file without a name."""
    flock = fcntl.flock
    calls: list[int] = []

    def deleted_meanwhile(descriptor: int, how: int) -> None:
        calls.append(descriptor)
        if len(calls) == 1:
            path.unlink()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", deleted_meanwhile)
    append(file, {"n": 1})

    assert read(JournalFile(path)).lines == ({"n": 1},)


def test_file_replaced_between_look_and_open_is_read_whole(
    file: JournalFile, other: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader between two files loses no line of the new one."""
    append(other, {"n": 1})
    open_now = os.open

    def replaced_meanwhile(path: Path, flags: int) -> int:
        monkeypatch.undo()
        replace(other, {"n": 2}, {"n": 3})
        return open_now(path, flags)

    monkeypatch.setattr(os, "open", replaced_meanwhile)
    lines = [*read(file).lines, *read(file).lines]

    assert {"n": 2} in lines
    assert {"n": 3} in lines


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    """Nothing is silently not written."""
    file = JournalFile(tmp_path / "missing" / "journal")

    with pytest.raises(FileNotFoundError):
        append(file, {"n": 1})


def test_folder_in_its_place_is_an_error(file: JournalFile, path: Path) -> None:
    """What is there and cannot be read never counts as empty (V-2)."""
    path.mkdir()

    with pytest.raises(IsADirectoryError):
        append(file, {"n": 1})
    for _ in range(2):
        with pytest.raises(UnreadableJournalError, match="directory"):
            file.read()


def test_descriptor_is_given_back(path: Path) -> None:
    """A file that nobody uses any more is closed."""
    before = len(list(DESCRIPTORS.iterdir()))
    for number in range(20):
        file = JournalFile(path)
        append(file, {"n": number})
        read(file)
        replace(file)
        read(file)
        del file

    assert len(list(DESCRIPTORS.iterdir())) == before


def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    """A process that is killed while it appends loses nothing it has spoken for (L-15).

    It is killed in the middle of its work, at a place that nobody has chosen.
    """
    for acknowledged in (1, 7, 30):
        path.unlink(missing_ok=True)
        with subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            for _ in range(acknowledged):
                writer.stdout.readline()
            writer.kill()
            spoken_for = acknowledged + len(writer.stdout.read().splitlines())
        survivor = JournalFile(path)
        append(survivor, {"number": -1})

        numbers = [line["number"] for line in read(survivor).lines]

        assert numbers[:spoken_for] == list(range(spoken_for))
        assert numbers[-1] == -1
        assert len(numbers) <= spoken_for + 2
