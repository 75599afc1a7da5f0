"""``forwardauth import``: the configuration of another program, written as ours.

Laws: the configuration goes where it was asked for, the report to the other stream, so
that neither has to be taken apart. A report holds no secret. Nothing is written that
``config check`` would refuse.
"""

from pathlib import Path
from typing import Final

import click

from forwardauth.cli.context import tell_warnings
from forwardauth.cli.epilog import examples
from forwardauth.cli.import_files import NewFile, write_files
from forwardauth.cli.import_options import output_options, site_options
from forwardauth.cli.records import dump
from forwardauth.migration.acceptance import check_config
from forwardauth.migration.choices import Choices
from forwardauth.migration.outcome import Outcome
from forwardauth.migration.report import Fate
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


@imports.command(
    epilog=examples(
        "forwardauth import authelia configuration.yml",
        "forwardauth import authelia configuration.yml --output config.yaml"
        " --trusted-proxy 172.20.0.0/24",
    )
)
@_FILE
@site_options
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


@imports.command(
    epilog=examples(
        "forwardauth import tinyauth .env --output config.yaml",
        "forwardauth import tinyauth .env --two-factor one_factor",
    )
)
@_FILE
@site_options
def tinyauth(
    *, file: Path, choices: Choices, output: Path | None, force: bool, is_json: bool
) -> None:
    """Write a configuration from FILE, the environment of tinyauth (3 to 5).

    With --output its users go to users.yaml beside the configuration. Labels of
    containers are not read.
    """
    from forwardauth.migration.tinyauth import (  # noqa: PLC0415 - when asked for
        read_tinyauth,
    )

    outcome = read_tinyauth(file, choices)
    _hand_over(outcome, choices, file, output=output, force=force, is_json=is_json)


@imports.command(
    "traefik-forward-auth",
    epilog=examples(
        "forwardauth import traefik-forward-auth traefik-forward-auth.ini",
        "forwardauth import traefik-forward-auth .env --output config.yaml",
    ),
)
@_FILE
@site_options
def traefik_forward_auth(
    *, file: Path, choices: Choices, output: Path | None, force: bool, is_json: bool
) -> None:
    """Write a configuration from FILE, of traefik-forward-auth 2.

    FILE is its environment, its INI file, or its flags, one on each line.
    """
    from forwardauth.migration.traefik_forward_auth import (  # noqa: PLC0415 - as above
        read_traefik_forward_auth,
    )

    outcome = read_traefik_forward_auth(file, choices)
    _hand_over(outcome, choices, file, output=output, force=force, is_json=is_json)


@imports.command(
    epilog=examples(
        "forwardauth import htpasswd .htpasswd --output users.yaml",
        "forwardauth import htpasswd .htpasswd --skip-refused",
    )
)
@_FILE
@click.option(
    "--skip-refused", is_flag=True, help="Leave out users whose hash is not read."
)
@output_options
def htpasswd(
    *,
    file: Path,
    skip_refused: bool,
    output: Path | None,
    force: bool,
    is_json: bool,
) -> None:
    """Write a users file from FILE, a password file of Apache or nginx.

    Hashes of bcrypt (htpasswd -B) are read; MD5, SHA-1, crypt and plain text are not.
    """
    from forwardauth.migration.htpasswd import (  # noqa: PLC0415 - when asked for
        read_htpasswd,
    )

    outcome = read_htpasswd(file, skips=skip_refused)
    text = outcome.users or ""
    if output is None:
        click.echo(text, nl=False)
    else:
        files = [NewFile(path=output, text=text, has_secret=True)]
        write_files(files, is_forced=force)
    _tell(outcome, is_json=is_json, is_on_stderr=output is None)


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
        if outcome.users is not None:
            hint = "the users are written with --output alone, beside the configuration"
            outcome.report.tell(Fate.TO_DO, _USERS, None, hint)
    else:
        files = [NewFile(path=output, text=text, has_secret=outcome.has_secret)]
        if outcome.users is not None:
            path = output.absolute().parent / _USERS
            files.append(NewFile(path=path, text=outcome.users, has_secret=True))
        write_files(files, is_forced=force)
    tell_warnings(warnings)
    _tell(outcome, is_json=is_json, is_on_stderr=output is None)


def _tell(outcome: Outcome, *, is_json: bool, is_on_stderr: bool) -> None:
    """Write the report to the stream that does not carry the configuration."""
    lines = outcome.report.lines()
    if is_json:
        records = outcome.report.records()
        lines = [dump(records)]
    for line in lines:
        click.echo(line, err=is_on_stderr)
