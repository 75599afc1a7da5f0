"""``forwardauth users``: the users file, without opening an editor.

Law: a password is typed unseen or read from standard input. It is never an argument,
where every user of the machine and the shell's history would see it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from forwardauth.cli.config_file import config_option
from forwardauth.cli.context import load
from forwardauth.cli.epilog import examples
from forwardauth.cli.records import dump, json_option
from forwardauth.cli.table import table_of
from forwardauth.users import editor, fields
from forwardauth.users.editor import EditError
from forwardauth.users.model import User
from forwardauth.users.passwords import Passwords
from forwardauth.users.problems import RefusedValueError, quote
from forwardauth.users.reader import load_users

MIN_PASSWORD_CHARACTERS: Final = 8
"""Source: NIST SP 800-63B-4 3.1.1.2, which asks for 15 where nothing else is asked."""

_ENDS_SESSIONS: Final = "running instances end the user's sessions within five seconds"
_HEADINGS: Final = ("NAME", "DISPLAY NAME", "EMAIL", "GROUPS", "STATUS")


@click.group()
def users() -> None:
    """Add, list, change and remove users.

    The file is the one that users.file names. A running service sees every change
    within five seconds.
    """


@users.command(
    epilog=examples(
        "forwardauth users add alice --display-name 'Alice Doe' --group admins",
        "pass show alice | forwardauth users add alice",
    )
)
@click.argument("name")
@click.option("--display-name", default="", help="For people, such as 'Alice Doe'.")
@click.option("--email", default="", help="What applications get as Remote-Email.")
@click.option("--group", "groups", multiple=True, help="May be given several times.")
@json_option
@config_option
def add(
    *,
    name: str,
    display_name: str,
    email: str,
    groups: tuple[str, ...],
    is_json: bool,
    config_path: Path | None,
) -> None:
    """Add the user NAME, and create the users file when there is none.

    Asks for the password on a terminal; else reads it from standard input, one line.
    """
    path = load(config_path).users.file
    with _telling_refusals():
        fields.check_username(name)
        if path.exists() and (taken := load_users(path).get(name)):
            raise EditError(f"user {quote(taken.username)} exists already")
        editor.add_user(
            path,
            username=name,
            password_hash=_ask_for_hash(),
            display_name=display_name,
            email=email,
            groups=groups,
        )
    _tell(path, name, "added", "can sign in", is_json=is_json)


@users.command(
    "list", epilog=examples("forwardauth users list", "forwardauth users list --json")
)
@json_option
@config_option
def list_(is_json: bool, config_path: Path | None) -> None:
    """List the users, without their password hashes."""
    found = load_users(load(config_path).users.file).users.values()
    if is_json:
        rows = [_record_of(user) for user in found]
        click.echo(dump(rows))
        return
    for line in table_of([_HEADINGS, *map(_cells_of, found)]):
        click.echo(line)


@users.command(epilog=examples("forwardauth users passwd alice"))
@click.argument("name")
@json_option
@config_option
def passwd(name: str, is_json: bool, config_path: Path | None) -> None:
    """Give NAME another password, and end the sessions of the old one.

    Asks for the password on a terminal; else reads it from standard input, one line.
    """
    path = load(config_path).users.file
    with _telling_refusals():
        if load_users(path).get(name) is None:
            raise EditError(f"there is no user {quote(name)}")
        editor.set_password(path, name, _ask_for_hash())
    told = f"has a new password; {_ENDS_SESSIONS}"
    _tell(path, name, "password changed", told, is_json=is_json)


@users.command(epilog=examples("forwardauth users disable alice"))
@click.argument("name")
@json_option
@config_option
def disable(name: str, is_json: bool, config_path: Path | None) -> None:
    """Keep NAME from signing in, and end the user's sessions."""
    path = load(config_path).users.file
    with _telling_refusals():
        editor.set_disabled(path, name, is_disabled=True)
    told = f"is disabled; {_ENDS_SESSIONS}"
    _tell(path, name, "disabled", told, is_json=is_json)


@users.command(epilog=examples("forwardauth users enable alice"))
@click.argument("name")
@json_option
@config_option
def enable(name: str, is_json: bool, config_path: Path | None) -> None:
    """Let NAME sign in again. Sessions from before stay ended."""
    path = load(config_path).users.file
    with _telling_refusals():
        editor.set_disabled(path, name, is_disabled=False)
    _tell(path, name, "enabled", "can sign in", is_json=is_json)


@users.command(epilog=examples("forwardauth users remove alice"))
@click.argument("name")
@json_option
@config_option
def remove(name: str, is_json: bool, config_path: Path | None) -> None:
    """Take NAME out of the users file, and end the user's sessions."""
    path = load(config_path).users.file
    with _telling_refusals():
        editor.remove_user(path, name)
    told = f"is removed; {_ENDS_SESSIONS}"
    _tell(path, name, "removed", told, is_json=is_json)


@users.command(
    "hash",
    epilog=examples(
        "forwardauth users hash", "pass show alice | forwardauth users hash"
    ),
)
@json_option
def hash_(is_json: bool) -> None:
    """Print the hash of a password, for the key password in the users file."""
    found = _ask_for_hash()
    click.echo(dump({"hash": found}) if is_json else found)


def _tell(path: Path, name: str, done: str, told: str, *, is_json: bool) -> None:
    """Say what has become of the user *name*."""
    record = {"user": name, "done": done, "file": str(path)}
    click.echo(dump(record) if is_json else f"{name} {told}")


def _ask_for_hash() -> str:
    """Return the hash of the password that is typed, or piped in."""
    password = _ask_for_password()
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise click.UsageError(
            f"the password has {len(password)} characters; it needs at least"
            f" {MIN_PASSWORD_CHARACTERS}, and is better with 15"
        )
    try:
        return Passwords().hash(password)
    except ValueError as exc:
        raise click.UsageError(str(exc)) from exc


def _ask_for_password() -> str:
    if sys.stdin.isatty():
        # An empty line asks again, so that nobody sets one by leaning on the keyboard.
        typed: str = click.prompt(
            "Password", hide_input=True, confirmation_prompt="Again", err=True
        )
        return typed
    line = sys.stdin.readline()
    if not line:
        raise click.UsageError("no password on standard input")
    return line.removesuffix("\n").removesuffix("\r")


@contextmanager
def _telling_refusals() -> Iterator[None]:
    """Turn what the editor refuses into a sentence, with 1 or 2 for the status."""
    try:
        yield
    except EditError as exc:
        raise click.ClickException(str(exc)) from exc
    except RefusedValueError as exc:
        raise click.UsageError(str(exc)) from exc


def _record_of(user: User) -> dict[str, object]:
    return {
        "username": user.username,
        "displayname": user.display_name,
        "email": user.email,
        "groups": user.groups,
        "disabled": user.disabled,
    }


def _cells_of(user: User) -> tuple[str, ...]:
    groups = ", ".join(user.groups)
    status = "disabled" if user.disabled else "enabled"
    return (user.username, user.display_name, user.email, groups, status)
