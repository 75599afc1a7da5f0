"""The users file of Authelia works as it is, and what does not is told at once."""

from pathlib import Path

import pytest

from forwardauth.migration.report import Fate
from forwardauth.users.reader import load_users
from tests.support.migration import AUTHELIA, import_authelia
from tests.support.users import ARGON2ID, BCRYPT, entry, write_users

KEY = "authentication_backend.file.path"
BACKEND = "authentication_backend: {file: {path: %s}}\n"


def test_the_file_is_named_and_read(tmp_path: Path) -> None:
    """Relative to the configuration that lies beside it."""
    users = write_users(tmp_path / "users_database.yml", entry("john"), entry("jane"))

    written = import_authelia(tmp_path, AUTHELIA + BACKEND % users)

    assert written.settings.users.file == users
    assert "file: users_database.yml" in written.text
    assert len(load_users(users).users) == 2
    assert written.texts(Fate.TAKEN, KEY) == ["users.file: 2 users, read as they are"]


def test_a_path_inside_a_container_is_looked_for_beside_the_file(
    tmp_path: Path,
) -> None:
    """Where the volume of the container lies."""
    users = write_users(tmp_path / "users.yml", entry("john"))

    written = import_authelia(tmp_path, AUTHELIA + BACKEND % "/config/users.yml")

    assert written.settings.users.file == users


HASHES = {
    "scrypt": "$scrypt$ln=16,r=8,p=1$c2FsdA$aGFzaA",
    "sha256-crypt": "$5$rounds=50000$salt$hash",
    "PBKDF2 with SHA-1": "$pbkdf2$310000$c2FsdA$aGFzaA",
}


@pytest.mark.parametrize("password_hash", HASHES.values(), ids=HASHES)
def test_hashes_that_are_not_read_are_told(tmp_path: Path, password_hash: str) -> None:
    """With line and remedy, and without the hash."""
    users = write_users(
        tmp_path / "users.yml",
        entry("john", ARGON2ID),
        entry("jane", BCRYPT),
        entry("jack", password_hash),
    )

    written = import_authelia(tmp_path, AUTHELIA + BACKEND % users)

    (text,) = written.texts(Fate.TO_DO, KEY)
    assert text.startswith(f"{users}:7: the password of user 'jack'")
    assert "forwardauth users hash" in text
    assert "c2FsdA" not in text


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The option that names it stands in the report."""
    written = import_authelia(tmp_path, AUTHELIA + BACKEND % "/nowhere/users.yml")

    (text,) = written.texts(Fate.TO_DO, KEY)
    assert "--users-file" in text


def test_another_file_may_be_named(tmp_path: Path) -> None:
    """Whatever the source says."""
    users = write_users(tmp_path / "people.yaml", entry("john"))

    written = import_authelia(
        tmp_path, AUTHELIA + BACKEND % "/nowhere/users.yml", users_file=users
    )

    assert written.settings.users.file == users


def test_a_directory_is_left_to_do(tmp_path: Path) -> None:
    """Its users have to be added by hand."""
    text = f"{AUTHELIA}authentication_backend: {{ldap: {{address: 'ldap://x'}}}}\n"

    written = import_authelia(tmp_path, text)

    assert written.settings.users.file == tmp_path / "users.yaml"
    assert written.texts(Fate.TO_DO, "authentication_backend.ldap")
