"""What the subcommands share: which configuration they read, and how.

@click.command()
@config_option
def list_(config_path: Path | None) -> None:
settings = load(config_path)
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from forwardauth.cli.config_file import find_config
from forwardauth.config.inspection import Inspection, inspect
from forwardauth.config.load import load_checked
from forwardauth.config.problems import Problem
from forwardauth.config.schema import Settings
from forwardauth.web.log_formats import TEXT_FORMAT
from forwardauth.web.signing import check_key

LOG_FORMAT: Final = TEXT_FORMAT
"""How every other command than ``serve`` writes its log lines."""


def load(path: Path | None) -> Settings:
    """Return the settings, with the warnings written to standard error.

    Args:
        path: What ``--config`` says.

    Raises:
        ConfigError: For the ``forwardauth`` command itself to tell, with status 2.
    """
    settings, warnings = load_checked(find_config(path), os.environ)
    tell_warnings(warnings)
    return settings


def load_inspected(
    path: Path | None,
    *,
    may_store_come_later: bool = False,
    tell: Callable[[tuple[Problem, ...]], None] | None = None,
) -> Inspection:
    """Return the settings when the service would start with them; see ``inspect``.

    Args:
        path: What ``--config`` says.
        may_store_come_later: As ``inspect`` takes it.
        tell: Takes the warnings; they go to standard error when it is not given.

    Raises:
        ConfigError: As from ``load``, and for the users file and every folder.
    """
    inspection = inspect(
        find_config(path),
        os.environ,
        check_key=check_key,
        may_store_come_later=may_store_come_later,
    )
    (tell or tell_warnings)(inspection.warnings)
    return inspection


def tell_warnings(warnings: tuple[Problem, ...]) -> None:
    """Write *warnings* to standard error, one on each line."""
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
