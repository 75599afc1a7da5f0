"""``forwardauth sessions``: who is signed in, and the end of it.

Law: what the store has not confirmed is an error with status 1, never a success.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from forwardauth.cli.administration import Result, Survey
from forwardauth.cli.config_file import config_option
from forwardauth.cli.context import load
from forwardauth.cli.epilog import examples
from forwardauth.cli.logins import group_logins
from forwardauth.cli.notices import count_missed, describe_sent
from forwardauth.cli.records import dump, json_option
from forwardauth.cli.session_table import count_logins, session_records, session_table
from forwardauth.cli.store import administer
from forwardauth.config.schema import Settings
from forwardauth.errors import ConfigError, StoreUnavailableError
from forwardauth.users.fields import check_username
from forwardauth.users.model import canonical_name
from forwardauth.users.problems import RefusedValueError, quote
from forwardauth.users.reader import load_users

MIN_PREFIX_CHARACTERS: Final = 6

_HANDLE_CHARACTERS: Final = 32
_HEX: Final = frozenset("0123456789abcdef")


@click.group()
def sessions() -> None:
    """List sessions, and end them.

    They are those in the store that session.store names. A running service refuses what
    is ended from its next request on.
    """


@sessions.command(
    "list",
    epilog=examples(
        "forwardauth sessions list", "forwardauth sessions list --user alice --json"
    ),
)
@click.option("--user", metavar="NAME", help="Of this user alone.")
@json_option
@config_option
def list_(user: str | None, is_json: bool, config_path: Path | None) -> None:
    """List the sessions that live, the last used first for each user.

    One that a login has on several cookie domains is one session.
    """
    settings = load(config_path)
    survey = _survey(settings, _select(settings, user))
    found = [live.session for live in survey.sessions]
    if is_json:
        click.echo(dump(session_records(found)))
    elif not found:
        click.echo("there are no sessions")
    else:
        click.echo("\n".join(session_table(found)))


@sessions.command(
    epilog=examples(
        "forwardauth sessions revoke --user alice",
        "forwardauth sessions revoke --id 3f9a61",
        "forwardauth sessions revoke --all --yes",
    )
)
@click.option("--user", metavar="NAME", help="Every session of this user.")
@click.option(
    "--id",
    "prefix",
    metavar="PREFIX",
    help="The session whose ID starts so, and those of the same login.",
)
@click.option("--all", "is_all", is_flag=True, help="Every session of every user.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@config_option
def revoke(  # noqa: PLR0917 - click passes them by name
    user: str | None,
    prefix: str | None,
    is_all: bool,
    yes: bool,
    is_json: bool,
    config_path: Path | None,
) -> None:
    """End the sessions of one user, a single one, or all.

    On a terminal, --user and --all ask first. Who signs in again afterwards is signed
    in: disable a user to prevent that. The applications of logout.notify are told; the
    command waits for them half a minute at most.
    """
    if [user is not None, prefix is not None, is_all].count(True) != 1:
        raise click.UsageError("say one of --user NAME, --id PREFIX and --all")
    settings = load(config_path)
    told: Counter[str] = Counter()
    try:
        if prefix is not None:
            result = _revoke_one(settings, _parse_prefix(prefix), told)
        else:
            wanted = _select(settings, user)
            result = _revoke_users(settings, wanted, told, is_asking=not yes)
    except StoreUnavailableError as exc:
        message = f"nothing was ended: the session store does not answer: {exc}"
        raise click.ClickException(message) from exc
    _tell(result, told, is_json=is_json)
    if not result.is_complete:
        raise click.ClickException(_what_is_left(settings, result))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Whose sessions are meant.

    A session keeps the spelling of its day. Whoever is gone from the users file, or is
    spelled in another way by now, can still have some.

    Attributes:
        name: As it was typed; ``None`` for everybody.
        spelled: The same as the users file spells it, if it does.
    """

    name: str | None
    spelled: frozenset[str] = frozenset()

    def matches(self, username: str) -> bool:
        """Whether the sessions of *username* are meant."""
        wanted = self.name
        return wanted is None or canonical_name(username) == canonical_name(wanted)


def _select(settings: Settings, name: str | None) -> _Wanted:
    if name is None:
        return _Wanted(name=None)
    try:
        check_username(name)
        found = load_users(settings.users.file).get(name)
    except RefusedValueError as exc:
        raise click.UsageError(str(exc)) from exc
    except ConfigError as exc:
        # A users file that is broken must keep nobody signed in.
        for problem in exc.problems:
            click.echo(f"Warning: {problem}", err=True)
        return _Wanted(name=name)
    spelled = frozenset() if found is None else frozenset({found.username})
    return _Wanted(name=name, spelled=spelled)


def _survey(settings: Settings, wanted: _Wanted) -> Survey:
    """Return the sessions that are *wanted*.

    Raises:
        click.ClickException: Of a user that nobody knows: it may be mistyped.
    """
    survey = administer(settings, lambda admin: admin.survey(wanted.matches))
    if wanted.name is not None and not survey.usernames and not wanted.spelled:
        raise click.ClickException(
            f"{settings.users.file} has no user {quote(wanted.name)}, and the store has"
            " no session of that name"
        )
    return survey


def _revoke_users(
    settings: Settings, wanted: _Wanted, told: Counter[str], *, is_asking: bool
) -> Result:
    survey = _survey(settings, wanted)
    found = survey.sessions
    known = [live.session for live in found]
    if is_asking and known and sys.stdin.isatty():
        whose = "all users" if wanted.name is None else quote(wanted.name)
        question = f"End {count_logins(known)} of {whose}?"
        click.confirm(question, abort=True, err=True)
    # The name as it is spelled now ends a session that has begun meanwhile, too.
    usernames = survey.usernames | wanted.spelled
    return administer(settings, lambda a: a.end_users(usernames, found), told=told)


def _revoke_one(settings: Settings, prefix: str, told: Counter[str]) -> Result:
    found = administer(settings, lambda admin: admin.survey()).sessions
    named = [each for each in found if each.session.handle.startswith(prefix)]
    if not named:
        raise click.ClickException(f"no session has an ID that starts with {prefix}")
    candidates = [each.session for each in named]
    logins = group_logins(candidates)
    if len(logins) > 1:
        for line in session_table(candidates, is_id_whole=True):
            click.echo(line, err=True)
        raise click.ClickException(
            f"{len(logins)} sessions have an ID that starts with {prefix}: nothing was"
            " ended"
        )
    return administer(settings, lambda admin: admin.end_one(named[0]), told=told)


def _parse_prefix(text: str) -> str:
    prefix = text.lower()
    if not _HEX.issuperset(prefix):
        raise click.UsageError(f"--id {quote(text)} is not made of hex digits")
    if not MIN_PREFIX_CHARACTERS <= len(prefix) <= _HANDLE_CHARACTERS:
        raise click.UsageError(
            f"--id has {len(prefix)} characters; it needs {MIN_PREFIX_CHARACTERS} to"
            f" {_HANDLE_CHARACTERS}"
        )
    return prefix


def _tell(result: Result, told: Counter[str], *, is_json: bool) -> None:
    """Write what has ended to standard output."""
    missed = count_missed(told)
    if is_json:
        content = {
            "ended": session_records(result.ended),
            "left": session_records(result.left),
            "complete": result.is_complete,
            "pending": result.is_journaled,
            "notices": {"sent": told["sent"], "missed": missed},
        }
        click.echo(dump(content))
        return
    if result.is_complete or result.ended:
        users = sorted({session.username for session in result.ended})
        whose = f" of {quote(users[0])}" if len(users) == 1 else ""
        whose = f" of {len(users)} users" if len(users) > 1 else whose
        ended = count_logins(result.ended)
        click.echo(f"{ended}{whose} ended{describe_sent(told)}")


def _what_is_left(settings: Settings, result: Result) -> str:
    trouble = "the session store stopped answering, and not everything has ended"
    if not result.is_journaled:
        return f"{trouble}: run the command again when it answers"
    left = count_logins(result.left)
    verb = "is" if left.startswith("1 ") else "are"
    return (
        f"{trouble}: {left} {verb} written down in {settings.session.journal}, for the"
        " service on this machine to refuse now, and to end when the store answers"
    )
