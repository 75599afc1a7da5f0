"""Files and folders: what has to be there before the service starts."""

from pathlib import Path

import pytest

from forwardauth.config.files import check_files, find_files
from forwardauth.config.load import read_draft
from forwardauth.web.signing import check_key
from tests.support.configuration import COMPLETE, write_config


def keys_of(folder: Path, text: str) -> list[str]:
    """Return the keys whose files cannot be used, in order."""
    draft = read_draft(write_config(folder, COMPLETE + text), {})
    files = find_files(draft.settings, draft.root, draft.findings)
    check_files(files, draft.findings, check_key)
    return [problem.place.key for problem in draft.findings.problems_in_order()]


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
        ("portal: {logo: none/logo.png}", "portal.logo"),
        ("portal: {logo: none.png}", "portal.logo"),
        ("portal: {logo: config.yaml}", "portal.logo"),
        ("session: {journal: config.yaml/j}", "session.journal"),
        ("logging: {audit: none/audit.log}", "logging.audit"),
        ("logging: {audit: .}", "logging.audit"),
        ("session: {journal: .}", "session.journal"),
    ],
)
def test_what_is_missing_is_told_with_its_key(
    tmp_path: Path, text: str, key: str
) -> None:
    """Nothing is created in its place."""
    assert keys_of(tmp_path, text) == [key]


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    """One start shows all that is missing, in the order of the lines."""
    text = "session:\n  store: sqlite:b/s\n  journal: a/j\nportal: {templates: c}\n"

    assert keys_of(tmp_path, text) == [
        "session.store",
        "session.journal",
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
    (tmp_path / "logo.svg").write_text("<svg/>")

    assert keys_of(tmp_path, "portal: {templates: templates, logo: logo.svg}") == []
