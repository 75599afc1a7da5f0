"""``session`` of Authelia: lifetimes are written out, and none is longer than there."""

from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.config.schema import SameSite
from forwardauth.errors import ConfigError
from forwardauth.migration.report import Fate
from tests.support.migration import AUTHELIA, import_authelia

SECRET = "0123456789abcdef0123456789abcdef"


def test_the_defaults_of_the_source_are_written(tmp_path: Path) -> None:
    """Ours are longer, so that leaving them out would keep people signed in."""
    session = import_authelia(tmp_path, AUTHELIA).settings.session

    assert session.absolute_timeout == timedelta(hours=1)
    assert session.idle_timeout == timedelta(minutes=5)
    assert session.remember_me == timedelta(days=30)


LIFETIMES = {
    "new spelling": ("remember_me: 2 weeks", timedelta(days=14)),
    "old spelling": ("remember_me_duration: 1w", timedelta(days=7)),
    "switched off": ("remember_me: -1", None),
    "too long": ("remember_me: 2y", timedelta(days=400)),
}


@pytest.mark.parametrize(("line", "wanted"), LIFETIMES.values(), ids=LIFETIMES)
def test_remember_me(tmp_path: Path, line: str, wanted: timedelta | None) -> None:
    """Of 4.37 and of 4.38; browsers keep no cookie for longer than 400 days."""
    session = import_authelia(tmp_path, f"{AUTHELIA}  {line}\n").settings.session

    assert session.remember_me == wanted


def test_an_inactivity_that_never_counts_is_cut(tmp_path: Path) -> None:
    """The session has ended before."""
    text = f"{AUTHELIA}  expiration: 30m\n  inactivity: 1h\n"

    session = import_authelia(tmp_path, text).settings.session

    assert session.idle_timeout == session.absolute_timeout == timedelta(minutes=30)


def test_the_shortest_of_several_cookies_counts(tmp_path: Path) -> None:
    """Here lifetimes are the same for all domains."""
    text = (
        f"{AUTHELIA}      expiration: 2h\n"
        "    - domain: example.net\n"
        "      authelia_url: https://auth.example.net\n"
        "      expiration: 20m\n"
    )

    written = import_authelia(tmp_path, text)

    assert written.settings.session.absolute_timeout == timedelta(minutes=20)
    assert written.texts(Fate.STRICTER, "session.expiration")


@pytest.mark.parametrize(
    ("value", "wanted"), [("strict", "strict"), ("lax", "lax"), ("none", "lax")]
)
def test_same_site(tmp_path: Path, value: str, wanted: str) -> None:
    """None would send sessions along from every other site."""
    written = import_authelia(tmp_path, f"{AUTHELIA}  same_site: {value}\n")

    assert written.settings.session.same_site is SameSite(wanted)
    assert bool(written.texts(Fate.STRICTER, "session.same_site")) is (value == "none")


def test_a_secret_is_taken_over_and_not_told(tmp_path: Path) -> None:
    """The report may be pasted anywhere."""
    written = import_authelia(tmp_path, f"{AUTHELIA}  secret: {SECRET}\n")

    assert written.settings.session.secret == SECRET
    assert SECRET not in "".join(written.report.lines())
    assert SECRET not in str(written.report.records())


@pytest.mark.parametrize("secret", ["too-short", "'{{ secret \"/run/s\" }}'"])
def test_a_secret_that_cannot_be_used_is_left_to_do(
    tmp_path: Path, secret: str
) -> None:
    """One is made at the first start."""
    written = import_authelia(tmp_path, f"{AUTHELIA}  secret: {secret}\n")

    assert written.settings.session.secret is None
    assert written.texts(Fate.TO_DO, "session.secret")
    assert "too-short" not in "".join(written.report.lines())


def test_the_cookie_keeps_our_name(tmp_path: Path) -> None:
    """Both programs can run side by side on one domain."""
    written = import_authelia(tmp_path, f"{AUTHELIA}  name: authelia_session\n")

    assert written.settings.session.cookie_name == "forwardauth_session"
    assert written.texts(Fate.LEFT, "session.name")


def test_a_mistake_has_its_line(tmp_path: Path) -> None:
    """As every mistake of the source."""
    with pytest.raises(ConfigError) as caught:
        import_authelia(tmp_path, f"{AUTHELIA}  expiration: soon\n")

    (problem,) = caught.value.problems
    assert str(problem).startswith(
        f"{tmp_path}/configuration.yml:5: session.expiration"
    )
