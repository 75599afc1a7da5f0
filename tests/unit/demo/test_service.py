"""The service's files in the demonstration."""

from pathlib import Path

from forwardauth.config.load import load_checked
from forwardauth.demo.addresses import Addresses
from forwardauth.demo.service import PASSWORD, USERNAME, write_service
from forwardauth.users.hashes import Hasher
from forwardauth.users.reader import load_users

ADDRESSES = Addresses(port=8080)


def test_configuration_is_accepted_without_a_warning(tmp_path: Path) -> None:
    """What the demonstration writes is what ``config check`` would pass."""
    config = write_service(tmp_path, addresses=ADDRESSES, port=9091)

    settings, warnings = load_checked(config, {})

    assert not warnings
    assert str(settings.domains.home.portal) == ADDRESSES.url("auth")


def test_everything_is_kept_in_the_folder(tmp_path: Path) -> None:
    """Store, journal and users go away with the folder."""
    config = write_service(tmp_path, addresses=ADDRESSES, port=9091)

    settings, _ = load_checked(config, {})

    kept = (settings.session.journal, settings.users.file)
    assert all(path.is_relative_to(tmp_path) for path in kept)
    assert str(tmp_path) in settings.session.store


def test_user_can_sign_in_with_the_password_that_is_told(tmp_path: Path) -> None:
    """The hash in the users file is of the password that the story shows."""
    write_service(tmp_path, addresses=ADDRESSES, port=9091)

    user = load_users(tmp_path / "users.yaml").get(USERNAME)

    assert user is not None
    assert Hasher().verify(user.password_hash, PASSWORD.encode())
