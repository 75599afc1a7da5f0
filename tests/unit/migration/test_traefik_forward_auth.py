"""traefik-forward-auth: environment, INI file and flags, and what is beside rules."""

from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import ConfigError
from forwardauth.migration.report import Fate
from tests.support.migration import import_traefik

SPELLED = {
    "INI": (
        "cookie-domain = example.com\nauth-host = auth.example.com\nlifetime = 3600\n"
        "url-path = _sso\nlogout-redirect = https://www.example.com/\nport = 4182\n"
        "secret = hunter2\nproviders.google.client-secret = hunter2\n"
    ),
    "environment": (
        "COOKIE_DOMAIN=example.com\nAUTH_HOST=auth.example.com\nLIFETIME=3600\n"
        "URL_PATH=/_sso\nLOGOUT_REDIRECT=https://www.example.com/\nPORT=4182\n"
        "SECRET=hunter2\nPROVIDERS_GOOGLE_CLIENT_SECRET=hunter2\n"
    ),
    "flags": (
        "--cookie-domain=example.com\n--auth-host=auth.example.com\n--lifetime=3600\n"
        '--url-path="_sso"\n--logout-redirect=https://www.example.com/\n--port=4182\n'
        "--secret=hunter2\n--providers.google.client-secret=hunter2\n"
    ),
    "old": (
        "cookie-domains example.com\nauth-host auth.example.com\nlifetime 3600\n"
        "url-path _sso\nlogout-redirect https://www.example.com/\nport 4182\n"
        "cookie-secret hunter2\nclient-secret hunter2\n"
    ),
}


@pytest.mark.parametrize("text", SPELLED.values(), ids=SPELLED)
def test_every_spelling_means_the_same(tmp_path: Path, text: str) -> None:
    """And no secret of it is written or told."""
    written = import_traefik(tmp_path, text)

    settings = written.settings
    assert str(settings.cookies[0].domain.portal) == "https://auth.example.com"
    assert settings.session.absolute_timeout == timedelta(hours=1)
    assert settings.session.remember_me is None
    assert settings.logout.paths == ("/_sso/logout",)
    assert settings.logout.default_target == "https://www.example.com/"
    assert str(settings.server.listen[0]) == "127.0.0.1:4182"
    assert len(written.report.of(Fate.LEFT)) == 2
    assert "hunter2" not in "".join([written.text, *written.report.lines()])


def test_the_defaults_of_the_source_are_written(tmp_path: Path) -> None:
    """Twelve hours, and the logout path that applications link to."""
    text = "COOKIE_DOMAIN=example.com\nAUTH_HOST=auth.example.com\n"

    settings = import_traefik(tmp_path, text).settings

    assert settings.session.absolute_timeout == timedelta(hours=12)
    assert settings.logout.paths == ("/_oauth/logout",)


def test_each_domain_has_a_portal_of_its_own(tmp_path: Path) -> None:
    """The one that is made up has to be routed."""
    text = "COOKIE_DOMAIN=example.com,example.net\nAUTH_HOST=auth.example.com\n"

    written = import_traefik(tmp_path, text)

    assert [str(each.domain.portal) for each in written.settings.cookies] == [
        "https://auth.example.com",
        "https://auth.example.net",
    ]
    (told,) = written.texts(Fate.TO_DO, "cookie-domain")
    assert "https://auth.example.net" in told


def test_people_are_told_of_whom_to_add(tmp_path: Path) -> None:
    """Once each."""
    text = (
        "COOKIE_DOMAIN=example.com\nAUTH_HOST=auth.example.com\n"
        "WHITELIST=jane@example.org\n"
        "rule.1.rule=Path(`/a`)\n"
    )

    written = import_traefik(tmp_path, text)

    assert written.texts(Fate.TO_DO, "whitelist") == [
        "add the user jane@example.org: forwardauth users add jane@example.org"
    ]


ODD = {
    "target elsewhere": ("LOGOUT_REDIRECT=https://other.net/", "logout-redirect"),
    "path": ("URL_PATH=/a b", "url-path"),
}


@pytest.mark.parametrize(("line", "key"), ODD.values(), ids=ODD)
def test_what_cannot_be_written_is_left_to_do(
    tmp_path: Path, line: str, key: str
) -> None:
    """And the rest is written."""
    text = f"COOKIE_DOMAIN=example.com\nAUTH_HOST=auth.example.com\n{line}\n"

    written = import_traefik(tmp_path, text)

    assert written.texts(Fate.TO_DO, key)
    assert written.settings.logout.default_target is None


def test_an_unknown_option_is_listed(tmp_path: Path) -> None:
    """A criterion of a rule that nobody knows, too."""
    text = "COOKIE_DOMAIN=example.com\nAUTH_HOST=auth.example.com\nFOO=1\n"

    written = import_traefik(tmp_path, text)

    (found,) = [each for each in written.report.findings if each.key == "FOO"]
    assert (found.fate, found.line) == (Fate.LEFT, 3)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("AUTH_HOST=auth.example.com", "--domain"),
        ("COOKIE_DOMAIN=a.example", "--portal"),
    ],
)
def test_what_is_missing_is_told_with_its_option(
    tmp_path: Path, text: str, option: str
) -> None:
    """Overlay mode needs neither, and a portal needs both."""
    with pytest.raises(ConfigError) as caught:
        import_traefik(tmp_path, text)

    assert option in str(caught.value.problems[0])


def test_what_is_missing_can_be_given(tmp_path: Path) -> None:
    """By options."""
    written = import_traefik(
        tmp_path,
        "SECRET=x\n",
        domain="example.com",
        portal="https://login.example.com",
    )

    assert written.settings.cookies[0].domain.name == "example.com"
