"""The whole of a file of Authelia: portals, and what a file has to say at least."""

from pathlib import Path

import pytest

from forwardauth.errors import ConfigError
from forwardauth.migration.report import Fate
from tests.support.migration import AUTHELIA, import_authelia


def test_portals_of_several_domains(tmp_path: Path) -> None:
    """In their order: the first one is the home."""
    text = (
        f"{AUTHELIA}      default_redirection_url: https://home.example.com/\n"
        "    - {domain: example.net, authelia_url: 'https://auth.example.net'}\n"
    )

    cookies = import_authelia(tmp_path, text).settings.cookies

    assert [str(each.domain.portal) for each in cookies] == [
        "https://auth.example.com",
        "https://auth.example.net",
    ]
    assert [each.default_target for each in cookies] == [
        "https://home.example.com/",
        None,
    ]


OLD = """\
default_redirection_url: https://home.example.com/
session: {domain: example.com}
"""


def test_the_old_spelling_needs_a_portal(tmp_path: Path) -> None:
    """Before 4.38 the proxy's configuration said where people sign in."""
    with pytest.raises(ConfigError) as caught:
        import_authelia(tmp_path, OLD)

    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{tmp_path}/configuration.yml:2: session.domain")
    assert "--portal" in str(problem)


def test_the_old_spelling_with_a_portal(tmp_path: Path) -> None:
    """4.37: one domain, and one place where logins end."""
    written = import_authelia(tmp_path, OLD, portal="https://login.example.com")

    (cookie,) = written.settings.cookies
    assert str(cookie.domain.portal) == "https://login.example.com"
    assert cookie.default_target == "https://home.example.com/"


def test_a_target_that_is_not_allowed_is_left_out(tmp_path: Path) -> None:
    """A login never leads beyond the cookie domains by itself."""
    text = f"{AUTHELIA}default_redirection_url: https://elsewhere.net/\n"

    written = import_authelia(tmp_path, text)

    assert written.settings.cookies[0].default_target is None
    assert written.texts(Fate.STRICTER, "default_redirection_url")


MISTAKES = {
    "no session": ("theme: dark\n", 1, "has neither session.cookies"),
    "no domain": ("session: {cookies: [{authelia_url: 'https://a.b'}]}\n", 1, "domain"),
    "a word": ("session: {cookies: [example.com]}\n", 1, "must hold keys"),
    "no YAML": ("session: [\n", 2, "is not YAML"),
    "twice": (f"{AUTHELIA}session: {{}}\n", 5, "given twice"),
}


@pytest.mark.parametrize(("text", "line", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_a_file_that_cannot_be_read_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    """Nothing is written from half of a file."""
    with pytest.raises(ConfigError) as caught:
        import_authelia(tmp_path, text)

    told = [str(problem) for problem in caught.value.problems]
    place = f"{tmp_path}/configuration.yml:{line}"
    assert any(each.startswith(place) and reason in each for each in told), told


def test_what_our_own_check_refuses_is_not_written(tmp_path: Path) -> None:
    """A domain that strangers share cannot have sessions here."""
    text = AUTHELIA.replace("example.com", "co.uk")

    with pytest.raises(ConfigError) as caught:
        import_authelia(tmp_path, text)

    assert "public suffix" in str(caught.value)
