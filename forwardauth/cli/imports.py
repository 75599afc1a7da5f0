"""``forwardauth import``: the configuration of another program, written as ours.

Laws: the configuration goes where it was asked for, the report to the other stream, so
that neither has to be taken apart. A report holds no secret. Nothing is written that
``config check`` would refuse.
"""

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from forwardauth.access_control.decision import Policy
from forwardauth.cli.context import tell_warnings
from forwardauth.cli.epilog import examples
from forwardauth.cli.import_files import NewFile, write_files
from forwardauth.migration.acceptance import check_config
from forwardauth.migration.choices import Choices
from forwardauth.migration.outcome import Outcome
from forwardauth.migration.yaml_text import write_document

_USERS: Final = "users.yaml"
_CONFIG: Final = "config.yaml"
_FILE: Final = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group("import")
def imports() -> None:
    """Write a configuration from that of another program.

    What is written is never weaker than the source; the report lists what is stricter,
    and what has no counterpart. Try it with the source unchanged: nothing else is read
    or written.
    """


def _output_options(command: Callable[..., Any]) -> Callable[..., Any]:
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


def _site_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options about what a source does not say."""

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
    return _output_options(run)


@imports.command(
    epilog=examples(
        "forwardauth import authelia configuration.yml",
        "forwardauth import authelia configuration.yml --output config.yaml"
        " --trusted-proxy 172.20.0.0/24",
    )
)
@_FILE
@_site_options
def authelia(
    *, file: Path, choices: Choices, output: Path | None, force: bool, is_json: bool
) -> None:
    """Write a configuration from FILE, Authelia's configuration.yml (4.37 to 4.39).

    Its users file works as it is, and is named as it is.
    """
    from forwardauth.migration.authelia.settings import (  # noqa: PLC0415 - when asked for
        read_authelia,
    )

    outcome = read_authelia(file, choices)
    _hand_over(outcome, choices, file, output=output, force=force, is_json=is_json)


def _hand_over(
    outcome: Outcome,
    choices: Choices,
    source: Path,
    *,
    output: Path | None,
    force: bool,
    is_json: bool,
) -> None:
    """Write what has been read, and the report."""
    heading = (
        f"Written by forwardauth import from {source.name}.",
        "docs/configuration.md has every key, docs/migrating.md the next steps.",
    )
    text = write_document(outcome.config, heading=heading)
    name = str(output or _CONFIG)
    _, warnings = check_config(text, source=name, folder=choices.folder)
    if output is None:
        click.echo(text, nl=False)
    else:
        files = [NewFile(path=output, text=text, has_secret=outcome.has_secret)]
        if outcome.users is not None:
            path = output.absolute().parent / (choices.users_file or _USERS)
            files.append(NewFile(path=path, text=outcome.users, has_secret=True))
        write_files(files, is_forced=force)
    tell_warnings(warnings)
    _tell(outcome, is_json=is_json, is_on_stderr=output is None)


def _tell(outcome: Outcome, *, is_json: bool, is_on_stderr: bool) -> None:
    """Write the report to the stream that does not carry the configuration."""
    lines = outcome.report.lines()
    if is_json:
        records = outcome.report.records()
        lines = [json.dumps(records, indent=2, ensure_ascii=False)]
    for line in lines:
        click.echo(line, err=is_on_stderr)
