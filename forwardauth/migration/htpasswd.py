"""Password files of Apache and nginx: ``name:hash``, one user a line.

Source: https://httpd.apache.org/docs/2.4/misc/password_encryptions.html
"""

from pathlib import Path

from forwardauth.config.problems import Problem
from forwardauth.errors import ConfigError
from forwardauth.migration.accounts import Account, read_accounts, write_accounts
from forwardauth.migration.lines import load_lines, refusal
from forwardauth.migration.outcome import Outcome
from forwardauth.migration.report import Report


def read_htpasswd(path: Path, *, skips: bool = False) -> Outcome:
    """Return the users file that the password file at *path* means.

    Args:
        path: The password file.
        skips: Whether users whose hash is not read are left out, and told of.

    Raises:
        ConfigError: The file cannot be read, or holds what is no user, or, unless
            *skips*, a hash that is not read; carries every one of them.
    """
    report = Report(source=str(path))
    accounts: list[Account] = []
    problems: list[Problem] = []
    for line in load_lines(path):
        name, colon, rest = line.text.partition(":")
        if not colon or not name:
            error = refusal(path, line.number, "is no user", "write NAME:HASH")
            problems += [each for each in error.problems if isinstance(each, Problem)]
            continue
        # What follows the hash is a comment of old files.
        password_hash = rest.partition(":")[0]
        accounts.append(
            Account(name=name, password_hash=password_hash, key=name, line=line.number)
        )
    kept, refused = read_accounts(accounts, source=path, report=report, skips=skips)
    if problems or refused:
        raise ConfigError([*problems, *refused])
    heading = f"Written by forwardauth import from {path.name}."
    return Outcome(users=write_accounts(kept, heading=heading), report=report)
