"""The files of an import: never over what is there, and secrets for the owner alone."""

from pathlib import Path

import click
import pytest

from forwardauth.cli.import_files import NewFile, write_files


@pytest.mark.parametrize(("has_secret", "mode"), [(True, 0o600), (False, 0o644)])
def test_secrets_are_for_the_owner_alone(
    tmp_path: Path, has_secret: bool, mode: int
) -> None:
    """Whatever the umask says."""
    path = tmp_path / "config.yaml"

    write_files(
        [NewFile(path=path, text="a: 1\n", has_secret=has_secret)], is_forced=False
    )

    assert path.read_text() == "a: 1\n"
    assert path.stat().st_mode & 0o777 == mode


def test_nothing_is_overwritten_and_then_nothing_written(tmp_path: Path) -> None:
    """One file that is there keeps the other one from being written."""
    old, new = tmp_path / "users.yaml", tmp_path / "config.yaml"
    old.write_text("mine")
    files = [NewFile(path=p, text="x", has_secret=False) for p in (new, old)]

    with pytest.raises(click.UsageError, match=r"users\.yaml exists already"):
        write_files(files, is_forced=False)

    assert old.read_text() == "mine"
    assert not new.exists()


def test_what_is_there_is_replaced_on_demand(tmp_path: Path) -> None:
    """With the rights that the new content needs."""
    path = tmp_path / "config.yaml"
    path.write_text("old")
    path.chmod(0o666)

    write_files([NewFile(path=path, text="new", has_secret=True)], is_forced=True)

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_that_leads_nowhere_is_there(tmp_path: Path) -> None:
    """Written through, it would make a file in another place."""
    path = tmp_path / "config.yaml"
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(click.UsageError):
        write_files([NewFile(path=path, text="x", has_secret=False)], is_forced=False)

    assert not (tmp_path / "elsewhere").exists()


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    """No half file under another name."""
    path = tmp_path / "folder"
    path.mkdir()

    with pytest.raises(OSError, match="folder"):
        write_files([NewFile(path=path, text="x", has_secret=False)], is_forced=True)

    assert list(tmp_path.iterdir()) == [path]
