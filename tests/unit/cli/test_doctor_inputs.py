"""What the doctor is lent: refused in a sentence where it is something else."""

from pathlib import Path

import click
import pytest

from forwardauth.cli.doctor_inputs import ask_person, check_authority
from tests.support.certificates import create_certificates


def write(folder: Path, content: bytes) -> Path:
    """Return a file with *content*."""
    file = folder / "lent"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\nnot this\n"])
def test_password_is_the_first_line(tmp_path: Path, ending: bytes) -> None:
    """However the file ends."""
    person = ask_person("alice", write(tmp_path, "hunter2 é".encode() + ending))

    assert person is not None
    assert (person.username, person.password) == ("alice", "hunter2 é")
    assert "hunter2" not in repr(person)


def test_nobody_signs_in_unless_somebody_is_named(tmp_path: Path) -> None:
    """A password alone is a mistake."""
    assert ask_person(None, None) is None
    with pytest.raises(click.UsageError, match="goes with --user"):
        ask_person(None, write(tmp_path, b"hunter2"))


def test_password_is_not_asked_for_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is nobody to type one, and a file to name."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)

    with pytest.raises(click.UsageError, match="--password-file"):
        ask_person("alice", None)


def test_password_that_is_no_text_is_not_told(tmp_path: Path) -> None:
    """Nor does it end in a traceback."""
    with pytest.raises(click.UsageError, match="is not UTF-8") as caught:
        ask_person("alice", write(tmp_path, b"hunter2\xff\n"))

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no certificate", b"\xff\xfe\x00"])
def test_authority_without_a_certificate_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    """Every certificate would seem to be wrong."""
    with pytest.raises(click.UsageError, match="holds no certificate in PEM"):
        check_authority(write(tmp_path, content))


def test_authority_of_ones_own_is_taken(tmp_path: Path) -> None:
    """And so is none, which leaves those of the system."""
    check_authority(create_certificates(tmp_path, "example.com").authority)
    check_authority(None)
