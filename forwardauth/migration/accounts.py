"""Users of other programs, one ``name:hash`` each, as our users file.

Law: a hash that is not read is refused with its line and the remedy. Its user is never
left out in silence, and never given another password.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from forwardauth.config.problems import Place, Problem
from forwardauth.migration.report import Fate, Report
from forwardauth.migration.yaml_text import Entry, write_document
from forwardauth.users.fields import check_username
from forwardauth.users.hashes import check_hash
from forwardauth.users.model import canonical_name
from forwardauth.users.problems import RefusedValueError
from forwardauth.users.reader import parse_users

_FAMILIES = {
    "$apr1$": "is MD5 (apr1)",
    "{SHA}": "is SHA-1",
    "{SSHA}": "is salted SHA-1",
    "$1$": "is MD5",
    "$5$": "is SHA-256 crypt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the source.

    Attributes:
        name: As it is spelled there.
        password_hash: As it is written there.
        key: What stands for its place in the report.
        line: Where it stands.
        is_disabled: Whether nobody may sign in so until somebody has looked at it.
    """

    name: str
    password_hash: str = field(repr=False)
    key: str
    line: int
    is_disabled: bool = False


def read_accounts(
    accounts: Iterable[Account], *, source: Path, report: Report, skips: bool = False
) -> tuple[tuple[Account, ...], list[Problem]]:
    """Return the accounts that can be kept, and a problem for each other one.

    Args:
        accounts: In the order of the source.
        source: Their file, for messages.
        report: Where it is told what has become of each.
        skips: Whether the others are left out, which the report tells, instead.
    """
    kept: dict[str, Account] = {}
    problems: list[Problem] = []
    for account in accounts:
        try:
            _check(account, kept)
        except RefusedValueError as exc:
            place = Place(source=str(source), line=account.line)
            problem = Problem(place=place, reason=exc.reason, remedy=exc.remedy)
            if skips:
                text = f"{exc.reason} and is left out; {exc.remedy}"
                report.tell(Fate.TO_DO, account.key, account.line, text)
            else:
                problems.append(problem)
            continue
        kept[canonical_name(account.name)] = account
        report.tell(Fate.TAKEN, account.key, account.line, f"user {account.name}")
    return tuple(kept.values()), problems


def write_accounts(accounts: Iterable[Account], *, heading: str) -> str:
    """Return *accounts* as a users file."""
    users = tuple(
        Entry(name=account.name, value=_entries_of(account)) for account in accounts
    )
    text = write_document((Entry(name="users", value=users),), heading=(heading,))
    parse_users(text, place="users.yaml")
    return text


def _entries_of(account: Account) -> tuple[Entry, ...]:
    password = Entry(name="password", value=account.password_hash)
    if account.is_disabled:
        return (password, Entry(name="disabled", value="true"))
    return (password,)


def _check(account: Account, kept: dict[str, Account]) -> None:
    name = check_username(account.name)
    if canonical_name(name) in kept:
        raise RefusedValueError(
            f"user {name} stands here twice; upper and lower case do not count",
            "remove one of the two",
        )
    try:
        check_hash(account.password_hash)
    except ValueError as exc:
        raise RefusedValueError(
            f"the password of user {name} {_explain(account.password_hash, str(exc))}",
            f"set it anew by htpasswd -B, or run forwardauth users add {name}",
        ) from exc


def _explain(password_hash: str, reason: str) -> str:
    """Return what is wrong with a hash, which is never part of it."""
    for prefix, family in _FAMILIES.items():
        if password_hash.startswith(prefix):
            return f"{family}, which is broken too easily to be read"
    if password_hash.startswith("$"):
        return reason
    return "is crypt or plain text, neither of which is read"
