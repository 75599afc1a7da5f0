"""What is built before anything listens."""

from pathlib import Path

import pytest

from forwardauth.cli.configuration import Configuration, ConfigurationSource
from forwardauth.cli.creation import check, create
from forwardauth.errors import ConfigError
from forwardauth.web import keys
from forwardauth.web.instance import Instance
from forwardauth.web.metrics import Metrics
from tests.support.configuration import write_config
from tests.support.portal import CONFIG, USERS


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """One that can be served, with its users."""
    users = tmp_path / "users.yaml"
    users.write_text(USERS)
    users.chmod(0o600)
    found = ConfigurationSource(write_config(tmp_path, CONFIG), {}).read()
    return Configuration(settings=found.settings, users=found.users)


def test_process_counts_where_it_is_told_to(configuration: Configuration) -> None:
    """All workers of an instance are asked for one sum, so each has its place."""
    metrics, instance = Metrics(), Instance()

    created = create(configuration, metrics=metrics, instance=instance)

    assert created.main[keys.METRICS] is metrics
    assert created.main[keys.USERS].table is configuration.users


def test_check_and_creation_refuse_the_same(configuration: Configuration) -> None:
    """A journal that cannot be kept, say."""
    journal = configuration.settings.session.journal
    journal.parent.mkdir(exist_ok=True)
    journal.unlink(missing_ok=True)
    journal.mkdir()

    with pytest.raises(ConfigError, match=journal.name):
        check(configuration)
    with pytest.raises(ConfigError, match=journal.name):
        create(configuration, metrics=Metrics(), instance=Instance())
