"""``session``: lifetimes that fit, a cookie that works, a store that can be shared."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.config.problems import RefusedValueError
from forwardauth.config.schema import SameSite
from forwardauth.config.session import parse_cookie_name, parse_store
from tests.support.configuration import USERS, Mistake, load_text, warnings_in

HTTP = (
    USERS
    + "cookies:\n  - domain: example.localhost\n    portal: http://example.localhost\n"
)


def mistake(text: str, name: str, line: int, keyword: str) -> Mistake:
    """Return a mistake in ``session``, whose first key stands on line 2."""
    return Mistake(
        text=f"session:\n{text}", key=f"session.{name}", line=line, keyword=keyword
    )


MISTAKES = {
    "store-unknown": mistake("  store: mysql://db", "store", 2, "a store is memory:"),
    "store-without-path": mistake('  store: "sqlite:"', "store", 2, "path of a file"),
    "store-valkey": mistake("  store: valkey://db", "store", 2, "write redis://"),
    "store-memory-for-several": Mistake(
        text="server:\n  workers: 2\nsession:\n  store: memory",
        key="session.store",
        line=4,
        keyword="cannot be shared by the 2 processes",
    ),
    "cookie-name-with-space": mistake(
        "  cookie_name: my session", "cookie_name", 2, "not a cookie name"
    ),
    "cookie-name-of-one-host": mistake(
        "  cookie_name: __Host-session", "cookie_name", 2, "reaches one host"
    ),
    "cookie-name-of-one-host-in-lower-case": mistake(
        "  cookie_name: __host-session", "cookie_name", 2, "reaches one host"
    ),
    "cookie-name-secure-over-http": Mistake(
        base=HTTP,
        text="session:\n  cookie_name: __Secure-session",
        key="session.cookie_name",
        line=2,
        keyword="browsers drop __Secure-session",
    ),
    "same-site-none": mistake("  same_site: none", "same_site", 2, "every other site"),
    "same-site-unknown": mistake(
        "  same_site: loose", "same_site", 2, "SameSite value"
    ),
    "absolute-without-unit": mistake(
        "  absolute_timeout: 3600", "absolute_timeout", 2, "not a duration"
    ),
    "absolute-zero": mistake(
        "  absolute_timeout: 0h", "absolute_timeout", 2, "no time at all"
    ),
    "absolute-negative": mistake(
        "  absolute_timeout: -1h", "absolute_timeout", 2, "not a duration"
    ),
    "absolute-null": mistake(
        "  absolute_timeout: null", "absolute_timeout", 2, "is empty"
    ),
    "idle-in-words": mistake(
        "  idle_timeout: 1 hour", "idle_timeout", 2, "not a duration"
    ),
    "idle-above-absolute": mistake(
        "  absolute_timeout: 1h\n  idle_timeout: 90m",
        "idle_timeout",
        3,
        "longer than absolute_timeout 1h",
    ),
    "idle-above-the-default": mistake(
        "  idle_timeout: 2d", "idle_timeout", 2, "longer than absolute_timeout 1d"
    ),
    "remember-me-too-long": mistake(
        "  remember_me: 500d", "remember_me", 2, "400 days"
    ),
    "remember-me-false": mistake(
        "  remember_me: false", "remember_me", 2, "not a duration"
    ),
    "journal-null": mistake("  journal: ~", "journal", 2, "is empty"),
    "journal-list": mistake("  journal: [a]", "journal", 2, "must be one value"),
    "secret-short": mistake(
        "  secret: secret", "secret", 2, "6 characters of at least"
    ),
    "unknown-key": mistake("  idle: 1h", "idle", 2, "is not a key"),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """One problem, with key, line and reason."""
    check_mistake(wrong)


def test_the_settings_are_read(tmp_path: Path) -> None:
    """Every key arrives with its type."""
    secret = "s" * 32
    text = f"""\
session:
  store: sqlite:var/sessions.db
  cookie_name: __Secure-s
  same_site: strict
  absolute_timeout: 12h
  idle_timeout: 12h
  remember_me: 7d
  journal: var/journal
  secret: {secret}
"""

    session = load_text(tmp_path, text).session

    assert session.store == f"sqlite:{tmp_path}/var/sessions.db"
    assert session.cookie_name == "__Secure-s"
    assert session.same_site is SameSite.STRICT
    assert session.absolute_timeout == session.idle_timeout == timedelta(hours=12)
    assert session.remember_me == timedelta(days=7)
    assert session.journal == tmp_path / "var/journal"
    assert session.secret == secret


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """Settings in a traceback give nothing away."""
    secret = "hunter2" * 5
    environ = {
        "FORWARDAUTH_SESSION__STORE": "redis://:hunter2@redis",
        "FORWARDAUTH_SESSION__SECRET": secret,
    }

    assert "hunter2" not in repr(load_text(tmp_path, "", environ))


def test_remember_me_below_the_absolute_timeout_is_a_warning(tmp_path: Path) -> None:
    """Who asks to be remembered would be forgotten sooner."""
    (warning,) = warnings_in(tmp_path, "session: {remember_me: 2h}\n")

    assert warning.place.key == "session.remember_me"
    assert "2h is shorter than absolute_timeout 1d" in warning.reason


def test_several_workers_share_what_can_be_shared(tmp_path: Path) -> None:
    """SQLite and Redis serve any number of processes."""
    for store in ("sqlite:a.db", "redis://redis"):
        environ = {
            "FORWARDAUTH_SESSION__STORE": store,
            "FORWARDAUTH_SERVER__WORKERS": "4",
        }

        assert load_text(tmp_path, "", environ).server.workers == 4


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("memory", "memory:"),
        ("memory:", "memory:"),
        ("sqlite:a.db", "sqlite:/etc/forwardauth/a.db"),
        ("sqlite:/var/a.db", "sqlite:/var/a.db"),
        ("redis://redis:6379/0", "redis://redis:6379/0"),
    ],
)
def test_stores_are_urls_with_absolute_paths(text: str, url: str) -> None:
    """``memory`` needs no colon, which YAML would need quotes for."""
    assert parse_store(text, folder=Path("/etc/forwardauth")) == url


def test_a_refused_store_is_not_repeated() -> None:
    """A password in it stays out of the message."""
    with pytest.raises(RefusedValueError) as caught:
        parse_store("redis://:hunter2@redis/0?pool=none", folder=Path("/"))

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["session", "__Secure-s", "a.b", "a!#$%&'*+-.^_`|~9"])
def test_tokens_name_cookies(name: str) -> None:
    """RFC 9110 5.6.2."""
    assert parse_cookie_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a;b", "a=b", "a,b", 'a"b', "a\tb", "ä", "a\n", "a" * 101, "(a)"],
)
def test_other_names_are_refused(name: str) -> None:
    """What a Cookie header could not carry."""
    with pytest.raises(RefusedValueError):
        parse_cookie_name(name)


@pytest.mark.parametrize("scheme", ["redis+sentinel", "rediss+cluster"])
def test_store_that_may_lose_a_logout_is_a_warning(tmp_path: Path, scheme: str) -> None:
    """Whoever has replicas is told to wait for one, or to say that nobody waits."""
    place = f"{scheme}://:password@a,b,c/{'x' if 'sentinel' in scheme else ''}"
    told = {
        options: [
            warning
            for warning in warnings_in(
                tmp_path, f'session: {{store: "{place}{options}"}}\n'
            )
            if warning.place.key == "session.store"
        ]
        for options in ("", "?pool=8", "?replicas=1", "?pool=8&replicas=0")
    }

    assert [len(found) for found in told.values()] == [1, 1, 0, 0]
    assert "?replicas=1" in told[""][0].remedy
    assert "password" not in str(told[""][0])
