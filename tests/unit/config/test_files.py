"""Files and folders: what has to be there before the service starts."""

from pathlib import Path

import pytest

from forwardauth.config.files import check_files
from forwardauth.errors import ConfigError
from tests.support.configuration import load_text


def keys_of(folder: Path, text: str) -> list[str]:
    """Return the keys whose files cannot be used, in order."""
    try:
        check_files(load_text(folder, text))
    except ConfigError as exc:
        return [str(problem).split(": ")[1] for problem in exc.problems]
    return []


def test_the_defaults_need_nothing_but_their_folder(tmp_path: Path) -> None:
    """Store and journal are made at the first start."""
    assert keys_of(tmp_path, "") == []
    assert list(tmp_path.iterdir()) == [tmp_path / "config.yaml"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("session: {journal: none/j}", "session.journal"),
        ("session: {store: 'sqlite:none/s'}", "session.store"),
        ("server: {listen: 'unix:none/a.sock'}", "server.listen"),
        ("server: {management: 'unix:none/a.sock'}", "server.management"),
        ("portal: {templates: none}", "portal.templates"),
        ("portal: {templates: config.yaml}", "portal.templates"),
        ("session: {journal: config.yaml/j}", "session.journal"),
        ("session: {journal: .}", "session.journal"),
    ],
)
def test_what_is_missing_is_told_with_its_key(
    tmp_path: Path, text: str, key: str
) -> None:
    """Nothing is created in its place."""
    assert keys_of(tmp_path, text) == [key]


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    """One start shows all that is missing."""
    text = "session: {journal: a/j, store: 'sqlite:b/s'}\nportal: {templates: c}\n"

    assert keys_of(tmp_path, text) == [
        "session.journal",
        "session.store",
        "portal.templates",
    ]


def test_a_store_elsewhere_needs_no_folder(tmp_path: Path) -> None:
    """Only SQLite keeps a file."""
    assert keys_of(tmp_path, "session: {store: memory}") == []


def test_existing_files_are_used(tmp_path: Path) -> None:
    """A second start finds what the first one made."""
    (tmp_path / "sessions.db").touch()
    (tmp_path / "revocations.journal").touch()
    (tmp_path / "templates").mkdir()

    assert keys_of(tmp_path, "portal: {templates: templates}") == []
