"""The options of ``forwardauth import``: what no source says, and where to write.

Law: what an option weakens is strict without it.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from forwardauth.access_control.decision import Policy
from forwardauth.migration.choices import Choices


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options that say where to write."""
    for option in (
        click.option(
            "--json", "is_json", is_flag=True, help="The report for programs."
        ),
        click.option("--force", is_flag=True, help="Overwrite what is there."),
        click.option(
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Write FILE; standard output by default.",
        ),
    ):
        command = option(command)
    return command


def site_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* its ``choices``, from options about what no source says."""

    @wraps(command)
    def run(**given: Any) -> None:
        output: Path | None = given["output"]
        choices = Choices(
            two_factor=Policy(given.pop("two_factor")),
            any_query=given.pop("any_query"),
            portal=given.pop("portal"),
            domain=given.pop("domain"),
            trusted_proxies=given.pop("trusted_proxies"),
            users_file=given.pop("users_file"),
            folder=Path.cwd() if output is None else output.absolute().parent,
        )
        command(choices=choices, **given)

    for option in (
        click.option(
            "--users-file",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="The users file that the configuration names.",
        ),
        click.option(
            "--trusted-proxy",
            "trusted_proxies",
            multiple=True,
            metavar="NETWORK",
            help="Where your proxies connect from. May be given several times.",
        ),
        click.option("--domain", metavar="NAME", help="The parent domain."),
        click.option("--portal", metavar="URL", help="Where people sign in."),
        click.option(
            "--any-query",
            is_flag=True,
            help="Let $ in an expression be the end of the path, whatever the query.",
        ),
        click.option(
            "--two-factor",
            type=click.Choice(["deny", "one_factor"]),
            default="deny",
            show_default=True,
            help="What becomes of what asks for a second factor.",
        ),
    ):
        run = option(run)
    return output_options(run)
