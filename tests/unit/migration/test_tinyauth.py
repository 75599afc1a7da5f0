"""The environment of tinyauth: both spellings, its users, its lifetimes."""

from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.access_control.decision import Outcome, Policy
from forwardauth.errors import ConfigError
from forwardauth.migration.report import Fate
from forwardauth.users.reader import parse_users
from tests.support.access import BOB, ask
from tests.support.migration import import_tinyauth
from tests.support.users import BCRYPT

OLD = f"""\
APP_URL=https://auth.example.com
USERS=alice:{BCRYPT.replace("$", "$$")},bob:{BCRYPT}
SESSION_EXPIRY=7200
PORT=3001
ADDRESS=10.0.0.5
TRUSTED_PROXIES=172.20.0.0/24
APP_TITLE=Our applications
SECRET=hunter2hunter2hunter2hunter2hunt
"""
NEW = f"""\
TINYAUTH_APPURL="https://auth.example.com"
TINYAUTH_AUTH_USERS="alice:{BCRYPT},bob:{BCRYPT}"
TINYAUTH_AUTH_SESSIONEXPIRY="7200"
TINYAUTH_SERVER_PORT="3001"
TINYAUTH_SERVER_ADDRESS="10.0.0.5"
TINYAUTH_SERVER_TRUSTEDPROXIES="172.20.0.0/24"
TINYAUTH_UI_TITLE="Our applications"
"""


@pytest.mark.parametrize("text", [OLD, NEW], ids=["4", "5"])
def test_both_spellings_mean_the_same(tmp_path: Path, text: str) -> None:
    """Versions 3 and 4, and 5."""
    written = import_tinyauth(tmp_path, text)

    settings = written.settings
    assert str(settings.cookies[0].domain.portal) == "https://auth.example.com"
    assert settings.cookies[0].domain.name == "example.com"
    assert str(settings.server.listen[0]) == "10.0.0.5:3001"
    assert settings.session.absolute_timeout == timedelta(hours=2)
    assert settings.session.idle_timeout == timedelta(hours=2)
    assert settings.session.remember_me is None
    assert settings.portal.title == "Our applications"
    users = parse_users(written.users or "", place="users.yaml").users
    assert {name: user.password_hash for name, user in users.items()} == {
        "alice": BCRYPT,
        "bob": BCRYPT,
    }


def test_everybody_has_to_sign_in_everywhere(tmp_path: Path) -> None:
    """On the parent domain and below it."""
    written = import_tinyauth(tmp_path, NEW)

    for host in ("example.com", "a.example.com", "a.b.example.com"):
        assert written.outcome(ask(host)) is Outcome.SIGN_IN
        assert written.outcome(ask(host), BOB) is Outcome.ALLOW


def test_without_a_lifetime_the_default_of_the_source_counts(tmp_path: Path) -> None:
    """A day; the shorter of two where both are given."""
    text = "\n".join(line for line in NEW.splitlines() if "EXPIRY" not in line)
    shorter = f"{NEW}TINYAUTH_AUTH_SESSIONMAXLIFETIME=3600\n"

    default = import_tinyauth(tmp_path, text).settings.session
    limited = import_tinyauth(tmp_path, shorter).settings.session

    assert default.absolute_timeout == timedelta(days=1)
    assert limited.absolute_timeout == timedelta(hours=1)


def test_networks_count_for_all_applications(tmp_path: Path) -> None:
    """The blocked one before the allowed one."""
    text = (
        f"{NEW}TINYAUTH_AUTH_IP_BLOCK=10.1.0.0/16\nTINYAUTH_AUTH_IP_ALLOW=10.0.0.0/8\n"
    )

    written = import_tinyauth(tmp_path, text)

    outcomes = [
        written.outcome(ask("a.example.com", client=client), BOB)
        for client in ("10.2.0.1", "10.1.0.1", "192.0.2.7")
    ]
    assert outcomes == [Outcome.ALLOW, Outcome.FORBIDDEN, Outcome.FORBIDDEN]


def test_a_user_with_a_second_factor_is_disabled(tmp_path: Path) -> None:
    """The password alone would be weaker; a flag says otherwise."""
    text = f"APP_URL=https://auth.example.com\nUSERS=alice:{BCRYPT}:JBSWY3DPEHPK3PXP\n"

    strict = import_tinyauth(tmp_path, text)
    lenient = import_tinyauth(tmp_path, text, two_factor=Policy.ONE_FACTOR)

    (alice,) = parse_users(strict.users or "", place="u").users.values()
    assert alice.disabled
    assert "JBSWY3DPEHPK3PXP" not in "".join([*strict.report.lines(), strict.text])
    (alice,) = parse_users(lenient.users or "", place="u").users.values()
    assert not alice.disabled
    assert "weaker" in lenient.texts(Fate.TO_DO, "USERS")[0]


def test_users_of_a_file_are_read(tmp_path: Path) -> None:
    """It lies beside the environment where its path is one of a container."""
    (tmp_path / "users").write_text(f"carol:{BCRYPT}\n")
    text = "APP_URL=https://auth.example.com\nUSERS_FILE=/data/users\n"

    written = import_tinyauth(tmp_path, text)

    assert list(parse_users(written.users or "", place="u").users) == ["carol"]


def test_without_users_somebody_has_to_add_them(tmp_path: Path) -> None:
    """Who signed in by a provider has no password here."""
    text = "APP_URL=https://auth.example.com\nGITHUB_CLIENT_SECRET=hunter2\n"

    written = import_tinyauth(tmp_path, text)

    assert written.users is None
    assert written.texts(Fate.TO_DO, "USERS")
    assert written.texts(Fate.LEFT, "GITHUB_CLIENT_SECRET")
    assert "hunter2" not in "".join(written.report.lines())


def test_labels_are_not_forgotten(tmp_path: Path) -> None:
    """They are not in the file, and may keep somebody out."""
    (text,) = import_tinyauth(tmp_path, NEW).texts(Fate.TO_DO, "labels")

    assert "tinyauth.apps.*" in text


def test_an_unknown_variable_is_listed(tmp_path: Path) -> None:
    """With its line."""
    written = import_tinyauth(tmp_path, f"{NEW}TINYAUTH_FOO=1\n")

    (found,) = [e for e in written.report.findings if e.key == "TINYAUTH_FOO"]
    assert (found.fate, found.line) == (Fate.LEFT, 8)


MISTAKES = {
    "no URL": ("USERS=\n", "APP_URL"),
    "one label": ("APP_URL=https://localhost\n", "APP_URL"),
    "hash": (f"{NEW}USERS=eve:hunter2\n", ":8: the password of user eve"),
    "network": (f"{NEW}TINYAUTH_AUTH_IP_BLOCK=lan\n", ":8: 'lan' is not a network"),
    "network of an application": (
        f"{NEW}TINYAUTH_APPS_A_IP_ALLOW=10.0.0.1/8\n",
        ":8: '10.0.0.1/8' is not a network",
    ),
    "expression": (f"{NEW}TINYAUTH_APPS_A_PATH_ALLOW=(\n", ":8: holds an expression"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    """And nothing is written."""
    with pytest.raises(ConfigError) as caught:
        import_tinyauth(tmp_path, text)

    assert any(message in str(problem) for problem in caught.value.problems)
