"""Which configuration a command reads: ``--config``, else the file that lies there.

Apart from reading it, for commands that need little of it and do not wait for the rest.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

CONFIG_FILE: Final = "config.yaml"
"""The file that is read when ``--config`` names none and it is there."""

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
