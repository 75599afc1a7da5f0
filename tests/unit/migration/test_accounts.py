"""Users of other programs become users of ours, or are refused by name."""

from pathlib import Path

import pytest

from forwardauth.migration.accounts import Account, read_accounts, write_accounts
from forwardauth.migration.report import Fate, Report
from forwardauth.users.reader import parse_users
from tests.support.users import ARGON2ID, BCRYPT

SOURCE = Path("htpasswd")


def account(name: str, password_hash: str = BCRYPT, line: int = 1) -> Account:
    """Return a user of the source."""
    return Account(name=name, password_hash=password_hash, key=name, line=line)


def test_what_is_written_is_a_users_file() -> None:
    """With the hashes as they are; whoever is disabled stays so."""
    disabled = Account(
        name="bob", password_hash=ARGON2ID, key="bob", line=2, is_disabled=True
    )

    text = write_accounts([account("alice"), disabled], heading="Written.")

    users = parse_users(text, place="users.yaml")
    assert [user.password_hash for user in users.users.values()] == [BCRYPT, ARGON2ID]
    assert [user.disabled for user in users.users.values()] == [False, True]


def test_nobody_is_a_users_file_too() -> None:
    """The next user is added to it."""
    assert not parse_users(write_accounts([], heading="x"), place="u").users


REFUSED = {
    "apr1": ("$apr1$salt$hash", "MD5 (apr1)"),
    "SHA-1": ("{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "SHA-1"),
    "salted": ("{SSHA}AAAA", "salted SHA-1"),
    "MD5": ("$1$salt$hash", "MD5"),
    "crypt": ("rqXexS6ZhobKA", "crypt or plain text"),
    "plain": ("hunter2", "crypt or plain text"),
    "SHA-256": ("$5$salt$hash", "SHA-256 crypt"),
    "unknown": ("$7$salt$hash", "$7$, which is not read"),
    "bcrypt with a mistake": ("$2y$05$short", "bcrypt, with a mistake"),
}


@pytest.mark.parametrize(("password_hash", "word"), REFUSED.values(), ids=REFUSED)
def test_a_hash_that_is_not_read_is_refused(password_hash: str, word: str) -> None:
    """By user, line and family, with the remedy, and without the hash."""
    report = Report(source="htpasswd")

    kept, (problem,) = read_accounts(
        [account("alice", password_hash, line=7)], source=SOURCE, report=report
    )

    assert kept == ()
    assert str(problem).startswith("htpasswd:7: the password of user alice ")
    assert word in str(problem)
    assert "htpasswd -B" in problem.remedy
    assert password_hash not in str(problem)


def test_refused_users_are_left_out_on_demand() -> None:
    """The report says who, and what to do."""
    report = Report(source="htpasswd")

    kept, problems = read_accounts(
        [account("alice", "hunter2", line=3), account("bob")],
        source=SOURCE,
        report=report,
        skips=True,
    )

    assert [each.name for each in kept] == ["bob"]
    assert problems == []
    (found,) = report.of(Fate.TO_DO)
    assert (found.key, found.line) == ("alice", 3)
    assert "is left out" in found.text


@pytest.mark.parametrize("name", ["", "a,b", "Alice", " x"])
def test_a_name_that_nobody_can_have_is_refused(name: str) -> None:
    """And one that differs from another by upper case alone."""
    report = Report(source="htpasswd")

    _, problems = read_accounts(
        [account("alice"), account(name)], source=SOURCE, report=report
    )

    assert len(problems) == 1
