"""Access controls of applications of tinyauth, asked of the rules that are written."""

from pathlib import Path

import pytest

from forwardauth.access_control.decision import Outcome
from forwardauth.migration.report import Fate
from tests.support.access import ALICE, BOB, ask
from tests.support.migration import Written, import_tinyauth
from tests.support.users import BCRYPT

BASE = (
    "TINYAUTH_APPURL=https://auth.example.com\n"
    f"TINYAUTH_AUTH_USERS=alice:{BCRYPT},bob:{BCRYPT}\n"
)
ALLOW, SIGN_IN, FORBIDDEN = Outcome.ALLOW, Outcome.SIGN_IN, Outcome.FORBIDDEN


def write(folder: Path, *lines: str) -> Written:
    """Return what is written for an application called wiki."""
    said = "".join(f"TINYAUTH_APPS_WIKI_{line}\n" for line in lines)
    return import_tinyauth(folder, BASE + said)


USERS = {
    "a list": ("USERS_ALLOW=alice", True, False),
    "an expression": ("USERS_ALLOW=/^b.b$/", False, True),
    "found anywhere": ("USERS_ALLOW=/lic/", True, False),
    "nobody there is": ("USERS_ALLOW=/^x/", False, False),
    "blocked": ("USERS_BLOCK=alice", False, True),
}


@pytest.mark.parametrize(("line", "alice", "bob"), USERS.values(), ids=USERS)
def test_users_are_allowed_or_blocked(
    tmp_path: Path, line: str, alice: bool, bob: bool
) -> None:
    """Everywhere else everybody is let in who has signed in."""
    written = write(tmp_path, line)

    assert (written.outcome(ask("wiki.example.com"), ALICE) is ALLOW) is alice
    assert (written.outcome(ask("wiki.example.com"), BOB) is ALLOW) is bob
    assert written.outcome(ask("wiki.example.com")) is not ALLOW
    assert written.outcome(ask("git.example.com"), BOB) is ALLOW


def test_an_application_is_found_by_its_domain_and_by_its_name(tmp_path: Path) -> None:
    """Both ways are there, so both are limited."""
    written = write(tmp_path, "CONFIG_DOMAIN=docs.example.com", "USERS_ALLOW=alice")

    hosts = ("docs.example.com", "wiki.example.com", "wiki.a.example.com")
    assert {written.outcome(ask(host), BOB) for host in hosts} == {FORBIDDEN}
    assert {written.outcome(ask(host), ALICE) for host in hosts} == {ALLOW}


ADDRESSES = {
    "bypass": ("IP_BYPASS=10.0.0.0/8", {"10.1.1.1": ALLOW, "192.0.2.7": SIGN_IN}),
    "allow": ("IP_ALLOW=10.0.0.0/8", {"10.1.1.1": SIGN_IN, "192.0.2.7": FORBIDDEN}),
    "block": ("IP_BLOCK=10.0.0.0/8", {"10.1.1.1": FORBIDDEN, "192.0.2.7": SIGN_IN}),
}


@pytest.mark.parametrize(("line", "wanted"), ADDRESSES.values(), ids=ADDRESSES)
def test_addresses_are_asked_in_the_same_order(
    tmp_path: Path, line: str, wanted: dict[str, Outcome]
) -> None:
    """Before anybody is asked to sign in."""
    written = write(tmp_path, line)

    told = {
        client: written.outcome(ask("wiki.example.com", client=client))
        for client in wanted
    }
    assert told == wanted


def test_a_path_that_is_allowed_is_open(tmp_path: Path) -> None:
    """Though its address is blocked, as there."""
    written = write(tmp_path, "PATH_ALLOW=^/public", "IP_BLOCK=192.0.2.0/24")

    assert written.outcome(ask("wiki.example.com", "/public/x")) is ALLOW
    assert written.outcome(ask("wiki.example.com", "/private")) is FORBIDDEN


def test_a_path_that_the_query_could_fake_is_not_open(tmp_path: Path) -> None:
    """tinyauth looks for the expression in the query, too."""
    written = write(tmp_path, r"PATH_ALLOW=\.png$")

    assert written.outcome(ask("wiki.example.com", "/secret?x=.png")) is SIGN_IN
    assert written.texts(Fate.STRICTER, "TINYAUTH_APPS_WIKI_PATH_ALLOW")


def test_only_blocked_paths_are_protected(tmp_path: Path) -> None:
    """The rest of the application is open, as there."""
    written = write(tmp_path, "PATH_BLOCK=^/admin", "USERS_ALLOW=alice")

    assert written.outcome(ask("wiki.example.com", "/")) is ALLOW
    assert written.outcome(ask("wiki.example.com", "/admin/x")) is SIGN_IN
    assert written.outcome(ask("wiki.example.com", "/admin/x"), BOB) is FORBIDDEN


def test_a_blocked_path_that_cannot_be_bounded_protects_all(tmp_path: Path) -> None:
    """What is not anchored may be met by any query."""
    written = write(tmp_path, "PATH_BLOCK=admin")

    assert written.outcome(ask("wiki.example.com", "/x")) is SIGN_IN
