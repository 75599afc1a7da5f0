"""What ``forwardauth doctor`` is lent: a password, and an authority to trust.

Law: nothing of what is in a file is ever told.
"""

import ssl
import sys
from pathlib import Path

import click

from forwardauth.doctor.sign_in import Person


def check_authority(authority: Path | None) -> None:
    """Return when certificates can be compared with those in the file.

    Raises:
        click.UsageError: There are none.
    """
    try:
        ssl.create_default_context(cafile=authority)
    except ssl.SSLError as exc:
        message = f"--ca {authority} holds no certificate in PEM"
        raise click.UsageError(message) from exc


def ask_person(user: str | None, password_file: Path | None) -> Person | None:
    """Return who signs in, by a password of that file or typed; nobody for ``None``.

    Raises:
        click.UsageError: There is no password, or it goes with nobody.
    """
    if user is None:
        if password_file is not None:
            raise click.UsageError("--password-file goes with --user")
        return None
    if password_file is not None:
        try:
            with password_file.open(encoding="utf-8") as file:
                password = file.readline().rstrip("\r\n")
        except UnicodeDecodeError as exc:
            raise click.UsageError("--password-file is not UTF-8") from exc
    elif sys.stdin.isatty():
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    else:
        # The prompt would open the terminal itself, or end in the middle of a line.
        message = "--user needs a terminal to type the password, or --password-file"
        raise click.UsageError(message)
    return Person(username=user, password=password)
