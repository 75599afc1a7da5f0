"""Access controls of applications of tinyauth, asked of the rules that are written."""

from pathlib import Path

import pytest

from forwardauth.access_control.decision import Outcome
from forwardauth.errors import ConfigError
from forwardauth.migration.report import Fate
from forwardauth.request import Subject
from tests.support.access import ALICE, BOB, ask
from tests.support.migration import Written, import_tinyauth
from tests.support.users import BCRYPT

BASE = (
    "TINYAUTH_APPURL=https://auth.example.com\n"
    f"TINYAUTH_AUTH_USERS=alice:{BCRYPT},bob:{BCRYPT}\n"
)
JANE = Subject(username="jane@example.org", groups=frozenset({"staff"}), level=1)
JOE = Subject(username="joe@example.org", level=1)
WIKI = "wiki.example.com"
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


VOUCHED = {
    "addresses": (("OAUTH_WHITELIST=jane@example.org",), {"alice", "bob", "jane"}),
    "a group": (("OAUTH_GROUPS=staff",), {"alice", "bob", "jane"}),
    "a group of the directory": (("LDAP_GROUPS=staff",), {"alice", "bob", "jane"}),
    "another group": (("OAUTH_GROUPS=admins",), {"alice", "bob"}),
    "both": (
        ("OAUTH_WHITELIST=joe@example.org", "OAUTH_GROUPS=staff"),
        {"alice", "bob"},
    ),
    "any address": (
        ("OAUTH_WHITELIST=/.*/", "OAUTH_GROUPS=staff"),
        {"alice", "bob", "jane"},
    ),
    "an expression": (("OAUTH_WHITELIST=/@example.org$/",), {"alice", "bob"}),
    "an expression of groups": (("OAUTH_GROUPS=/^st/",), {"alice", "bob"}),
    "beside users": (
        ("OAUTH_WHITELIST=jane@example.org", "USERS_ALLOW=alice"),
        {"alice", "jane"},
    ),
    "beside blocked users": (
        ("OAUTH_WHITELIST=jane@example.org", "USERS_BLOCK=/^b/"),
        {"alice", "jane"},
    ),
    "a directory beside users": (
        ("LDAP_GROUPS=staff", "USERS_ALLOW=alice,jane@example.org,joe@example.org"),
        {"alice", "jane"},
    ),
}


@pytest.mark.parametrize(("lines", "wanted"), VOUCHED.values(), ids=VOUCHED)
def test_whom_a_provider_has_to_vouch_for_is_not_everybody(
    tmp_path: Path, lines: tuple[str, ...], wanted: set[str]
) -> None:
    """An address is a user here and a group a group; who has neither stays out."""
    written = write(tmp_path, *lines)

    people = {"alice": ALICE, "bob": BOB, "jane": JANE, "joe": JOE}
    told = {n for n, p in people.items() if written.outcome(ask(WIKI), p) is ALLOW}
    assert told == wanted
    assert written.outcome(ask(WIKI)) is not ALLOW


def test_who_is_blocked_by_an_expression_is_so_later_as_well(tmp_path: Path) -> None:
    """Nobody can tell now which users there will be: those there are may, alone."""
    written = write(tmp_path, "USERS_BLOCK=/^b|^svc-/")

    assert written.outcome(ask(WIKI), ALICE) is ALLOW
    for name in ("bob", "svc-backup"):
        assert written.outcome(ask(WIKI), Subject(username=name, level=1)) is FORBIDDEN


@pytest.mark.parametrize(
    "name", ["TINYAUTH_APPS_wiki_USERS_ALLOW", "tinyauth_apps_wiki_users_allow"]
)
def test_names_are_read_in_any_case(tmp_path: Path, name: str) -> None:
    """As tinyauth reads them: what keeps somebody out is not passed over."""
    written = import_tinyauth(tmp_path, f"{BASE}{name}=alice\n")

    assert written.outcome(ask(WIKI), ALICE) is ALLOW
    assert written.outcome(ask(WIKI), BOB) is FORBIDDEN


@pytest.mark.parametrize("name", ["MY_APP_USERS_ALLOW", "WIKI_USERS_ALLOWED", "WIKI"])
def test_what_is_said_of_an_application_is_understood_or_refused(
    tmp_path: Path, name: str
) -> None:
    """It may be what keeps somebody out."""
    with pytest.raises(ConfigError) as caught:
        import_tinyauth(tmp_path, f"{BASE}TINYAUTH_APPS_{name}=alice\n")

    assert [str(each).partition(": ")[0] for each in caught.value.problems] == [
        f"{tmp_path}/tinyauth.env:3"
    ]


DENIED = {
    "nothing is said": ((), set[str]()),
    "users": (("USERS_ALLOW=alice",), {"alice"}),
    "an address": (("OAUTH_WHITELIST=jane@example.org",), {"jane"}),
    "any address": (("OAUTH_WHITELIST=/.*/",), set()),
    "any address of a group": (
        ("OAUTH_WHITELIST=/.*/", "OAUTH_GROUPS=staff"),
        {"jane"},
    ),
    "a group alone": (("OAUTH_GROUPS=staff",), set()),
    "a directory alone": (("LDAP_GROUPS=staff",), set()),
    "something else": (("CONFIG_DOMAIN=wiki.example.com",), set()),
}


@pytest.mark.parametrize(("lines", "wanted"), DENIED.values(), ids=DENIED)
def test_denied_unless_allowed(
    tmp_path: Path, lines: tuple[str, ...], wanted: set[str]
) -> None:
    """Where tinyauth lets nobody in who is not allowed, nor is anybody here."""
    said = "".join(f"TINYAUTH_APPS_WIKI_{line}\n" for line in lines)
    written = import_tinyauth(tmp_path, f"{BASE}TINYAUTH_AUTH_ACLS_POLICY=deny\n{said}")

    people = {"alice": ALICE, "bob": BOB, "jane": JANE, "joe": JOE}
    told = {n for n, p in people.items() if written.outcome(ask(WIKI), p) is ALLOW}
    assert told == wanted
    assert written.outcome(ask("git.example.com"), ALICE) is FORBIDDEN
