"""Putting a new users file in the place of the old one."""

import errno
import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from forwardauth.users.edits import EditError
from forwardauth.users.version import lookup_signature
from forwardauth.users.writer import ChangedMeanwhileError, is_writable, locked, write


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A users file that a group may read."""
    path = tmp_path / "users.yaml"
    path.write_text("old, and longer than what follows\n")
    path.chmod(0o640)
    return path


def mode_of(path: Path) -> int:
    """Return the permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_content_is_replaced_and_mode_is_kept(target: Path) -> None:
    """Who may read the file stays who may read it."""
    write(target, "new\n", before=lookup_signature(target))

    assert target.read_text() == "new\n"
    assert mode_of(target) == 0o640
    assert list(target.parent.iterdir()) == [target]


def test_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Password hashes are nobody else's business, whatever the umask says."""
    target = tmp_path / "users.yaml"
    before = os.umask(0)
    try:
        write(target, "new\n", before=None)
    finally:
        os.umask(before)

    assert mode_of(target) == 0o600


def test_reader_of_the_old_file_keeps_it_whole(target: Path) -> None:
    """The file is replaced, not written into."""
    with target.open() as reader:
        write(target, "new\n", before=lookup_signature(target))

        assert reader.read() == "old, and longer than what follows\n"


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the new file seem to be somebody else's, as it is when root edits."""
    fstat = os.fstat

    def fstat_of_a_stranger(descriptor: int) -> os.stat_result:
        fields = list(fstat(descriptor))
        fields[stat.ST_UID] += 1
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", fstat_of_a_stranger)


@pytest.mark.usefixtures("stranger")
def test_owner_is_kept(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root edits a service's file without taking it from the service."""
    owners: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fchown", lambda _, uid, gid: owners.append((uid, gid)))

    write(target, "new\n", before=lookup_signature(target))

    assert target.read_text() == "new\n"
    assert owners == [(target.stat().st_uid, target.stat().st_gid)]


@pytest.mark.usefixtures("stranger")
def test_owner_who_cannot_be_kept_keeps_the_file(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member of the file's group writes into it, since it may not give files away."""

    def refuse(*_: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchown", refuse)
    inode = target.stat().st_ino

    write(target, "new\n", before=lookup_signature(target))

    assert target.read_text() == "new\n"
    assert target.stat().st_ino == inode
    assert list(target.parent.iterdir()) == [target]


def test_edit_by_somebody_else_is_not_undone(target: Path) -> None:
    """An editor does not use our lock; what it wrote meanwhile stays."""
    before = lookup_signature(target)
    target.write_text("by hand\n")

    with pytest.raises(ChangedMeanwhileError):
        write(target, "new\n", before=before)

    assert target.read_text() == "by hand\n"
    assert list(target.parent.iterdir()) == [target]


def test_file_that_was_created_meanwhile_is_not_undone(target: Path) -> None:
    """A new file does not replace one that was not there before."""
    with pytest.raises(ChangedMeanwhileError):
        write(target, "new\n", before=None)


@pytest.mark.parametrize("code", [errno.EBUSY, errno.EXDEV])
def test_mounted_file_is_written_in_place(
    target: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A file that is a mount of its own, as in containers, cannot be replaced."""

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "rename", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    inode = target.stat().st_ino

    write(target, "new\n", before=lookup_signature(target))

    assert target.read_text() == "new\n"
    assert target.stat().st_ino == inode
    assert list(target.parent.iterdir()) == [target]


def test_full_disk_leaves_the_old_file(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is replaced before everything is on disk."""

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(EditError, match="No space left on device"):
        write(target, "new\n", before=lookup_signature(target))

    assert target.read_text() == "old, and longer than what follows\n"
    assert list(target.parent.iterdir()) == [target]


def test_folder_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    """The system's reason is told."""
    with pytest.raises(EditError, match="No such file or directory"):
        write(tmp_path / "none" / "users.yaml", "new\n", before=None)
    with (
        pytest.raises(EditError, match="mount the folder, not the file"),
        locked(tmp_path / "none" / "users.yaml"),
    ):
        pass


def test_second_writer_waits_and_then_gives_up(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two open files make two lock owners, in one process as in two."""
    pauses: list[float] = []
    monkeypatch.setattr("forwardauth.users.writer.time.sleep", pauses.append)

    with (
        locked(target),
        pytest.raises(EditError, match="another process is writing"),
        locked(target),
    ):
        pass

    assert sum(pauses) == pytest.approx(5)


def test_lock_is_free_afterwards_and_shared_like_the_file(target: Path) -> None:
    """The lock stays behind, for whoever may write the file."""
    with locked(target):
        pass
    with locked(target):
        pass

    assert mode_of(target.with_name(".users.yaml.lock")) == 0o640


def test_lock_does_not_follow_a_link(target: Path) -> None:
    """A link in the lock's place cannot make us create a file elsewhere."""
    elsewhere = target.with_name("elsewhere")
    target.with_name(".users.yaml.lock").symlink_to(elsewhere)

    with pytest.raises(EditError, match="cannot create"), locked(target):
        pass

    assert not elsewhere.exists()


NOBODY = 65534


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "expected"),
    [
        pytest.param(0o666, 0o777, True, id="both"),
        pytest.param(0o444, 0o777, False, id="read-only file"),
        pytest.param(0o666, 0o555, False, id="read-only folder"),
    ],
)
def test_file_and_folder_have_to_be_writable(
    file_mode: int, folder_mode: int, *, expected: bool
) -> None:
    """A rename could replace a read-only file, and is not what its owner wants."""
    # Not in the folder of the tests, which others may not enter.
    with TemporaryDirectory() as name:
        folder = Path(name)
        target = folder / "users.yaml"
        target.write_text("users: {}\n")
        link = folder / "link.yaml"
        link.symlink_to(target)
        target.chmod(file_mode)
        folder.chmod(folder_mode)

        found = [_asked_by_nobody(path) for path in (target, link)]

        folder.chmod(0o700)
    assert found == [expected, expected]


def _asked_by_nobody(path: Path) -> bool:
    """Whether somebody without privileges finds *path* writable: root always does."""
    if os.getuid() != 0:
        return is_writable(path)
    os.setreuid(NOBODY, -1)
    try:
        return is_writable(path)
    finally:
        os.setreuid(0, -1)


def test_missing_file_is_not_writable(tmp_path: Path) -> None:
    """What is gone cannot be changed."""
    assert not is_writable(tmp_path / "users.yaml")
