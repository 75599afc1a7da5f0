"""The users file on disk: what is read, and what is refused before it is read."""

import os
from pathlib import Path

import pytest

from forwardauth.errors import ConfigError
from forwardauth.users.version import MAX_FILE_BYTES, lookup_signature, read_version


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A readable users file."""
    path = tmp_path / "users.yaml"
    path.write_text("users: {}\n")
    return path


def problem_with(path: Path) -> str:
    """Return why the file at *path* is refused, without its folder."""
    with pytest.raises(ConfigError) as caught:
        read_version(path)
    (problem,) = caught.value.problems
    return str(problem).replace(f"{path.parent}/", "")


def test_version_is_text_and_signature(path: Path) -> None:
    """The signature is the one that a poll will see again."""
    version = read_version(path)

    assert version.text == "users: {}\n"
    assert version.signature == lookup_signature(path)


def test_byte_order_mark_is_dropped(path: Path) -> None:
    """Files that Windows wrote can be read."""
    path.write_bytes(b"\xef\xbb\xbfusers: {}\r\n")

    assert read_version(path).text == "users: {}\r\n"


def test_missing_file_says_how_to_begin(path: Path) -> None:
    """The remedy is the command that creates it."""
    path.unlink()

    assert problem_with(path) == (
        "users.yaml: the users file is missing; "
        "run forwardauth users add NAME, which creates it"
    )
    assert lookup_signature(path) is None


def test_file_that_others_can_write_is_refused(path: Path) -> None:
    """Whoever can write it can sign in as anybody."""
    path.chmod(0o646)

    assert problem_with(path) == (
        f"users.yaml: others can write the users file; chmod o-w {path.name}"
    )


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o660, 0o664])
def test_usual_modes_are_accepted(path: Path, mode: int) -> None:
    """A group that administers the service may write it."""
    path.chmod(mode)

    assert read_version(path).text


def test_file_in_another_encoding_is_refused_with_its_line(path: Path) -> None:
    """The line with the first byte that is not UTF-8 is named."""
    path.write_bytes("users:\n  zoë: {}\n".encode("latin-1"))

    assert problem_with(path) == (
        "users.yaml:2: this is not UTF-8; save the file as UTF-8"
    )


def test_pipe_is_refused(tmp_path: Path) -> None:
    """A named pipe in the file's place does not hold the service up."""
    path = tmp_path / "users.yaml"
    os.mkfifo(path)

    assert problem_with(path) == (
        "users.yaml: this is no file; name a file in users.file"
    )


def test_folder_is_refused(tmp_path: Path) -> None:
    """A container engine makes a folder where the file to mount is missing."""
    path = tmp_path / "users.yaml"
    path.mkdir()

    assert problem_with(path) == (
        "users.yaml: the users file cannot be read: Is a directory; "
        "let this process read it"
    )


def test_huge_file_is_refused(path: Path) -> None:
    """A log in the file's place is not read into memory."""
    os.truncate(path, MAX_FILE_BYTES + 1)

    assert problem_with(path) == (
        "users.yaml: the users file is longer than 8 MiB; remove users that are gone"
    )


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    """Whatever the system says stands in the reason."""
    path = tmp_path / "users.yaml"
    path.symlink_to(path)

    assert "the users file cannot be read: " in problem_with(path)


def test_every_kind_of_change_changes_the_signature(path: Path) -> None:
    """Content, size, replacement, mode: a poll sees each of them."""
    seen = {lookup_signature(path)}

    path.write_text("users: { }\n")
    seen.add(lookup_signature(path))
    os.utime(path, ns=(0, 0))
    seen.add(lookup_signature(path))
    path.chmod(0o600)
    seen.add(lookup_signature(path))
    new = path.with_suffix(".new")
    new.write_text("users: {}\n")
    new.replace(path)
    seen.add(lookup_signature(path))

    assert len(seen) == 5
