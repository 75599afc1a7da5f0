"""What most tests with real proxies need, and pytest's words for the contract's."""

import pytest

from tests.support.certificates import Certificates, create_certificates

pytest.register_assert_rewrite("tests.unit.sessions.contract")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a certificate for ``example.com`` and every host below it."""
    folder = tmp_path_factory.mktemp("certificates")
    return create_certificates(folder, "example.com", "*.example.com")
