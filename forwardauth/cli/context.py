"""What the subcommands share: which configuration they read, and how.

@click.command()
@config_option
def list_(config_path: Path | None) -> None:
settings = load(config_path)
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from forwardauth.config.inspection import Inspection, inspect
from forwardauth.config.load import load_checked
from forwardauth.config.problems import Problem
from forwardauth.config.schema import Settings
from forwardauth.web.log_formats import TEXT_FORMAT
from forwardauth.web.signing import check_key

CONFIG_FILE: Final = "config.yaml"
"""The file that is read when ``--config`` names none and it is there."""

LOG_FORMAT: Final = TEXT_FORMAT
"""How every other command than ``serve`` writes its log lines."""

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """Give *command* the option ``--config``, as its argument ``config_path``."""
    return click.option(
        "--config",
        "config_path",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help=f"The configuration; {CONFIG_FILE} in the current folder where it exists.",
    )(command)


def find_config(path: Path | None) -> Path | None:
    """Return the file to read; ``None`` leaves everything to the environment.

    Args:
        path: What ``--config`` says. It is not looked for: a file that is named and
            missing is a problem, never a reason to go on without.
    """
    if path is not None:
        return path
    default = Path(CONFIG_FILE)
    return default if default.exists() else None


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
