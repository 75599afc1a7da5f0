"""Builds what a process of the service answers by, before anything listens.

Law: nothing is opened here that another process or another start would have to wait
for, so what is only built to see whether it can be is dropped again.
"""

from forwardauth.app import (
    Applications,
    create_applications,
    create_beside,
    create_live,
)
from forwardauth.cli import garbage
from forwardauth.cli.configuration import Configuration
from forwardauth.web.instance import Instance
from forwardauth.web.metrics import Metrics


def check(configuration: Configuration) -> None:
    """Return when the service can be built from *configuration*.

    Raises:
        ConfigError: The users file, the journal or the key file cannot be used.
        SelfTestError: A request would pass that must not.
    """
    create_applications(configuration.settings, users_table=configuration.users)


def create(
    configuration: Configuration, *, metrics: Metrics, instance: Instance
) -> Applications:
    """Return what serves *configuration* in this process.

    Args:
        configuration: As it was read.
        metrics: Where this process counts.
        instance: What it is a part of.

    Raises:
        ConfigError: As ``check``.
        SelfTestError: Likewise.
    """
    settings = configuration.settings
    with garbage.growing():
        live = create_live(settings, metrics=metrics, instance=instance)
        return create_beside(live, settings, users_table=configuration.users)
