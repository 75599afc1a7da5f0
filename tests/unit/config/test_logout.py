"""``logout``: paths, the allow-list, and what is cleared."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.config.logout import parse_logout_path, parse_target_entry
from forwardauth.config.problems import RefusedValueError
from forwardauth.config.schema import LogoutScope
from tests.support.configuration import Mistake, load_text, warnings_in


def mistake(text: str, name: str, keyword: str, *, line: int = 2) -> Mistake:
    """Return a mistake in ``logout``, whose first key stands on line 2."""
    return Mistake(
        text=f"logout:\n  {text}", key=f"logout.{name}", line=line, keyword=keyword
    )


MISTAKES = {
    "path-without-slash": mistake("paths: [logout]", "paths.0", "not a plain path"),
    "path-of-everything": mistake("paths: [/]", "paths.0", "front page"),
    "path-with-dots": mistake("paths: [/a/../logout]", "paths.0", "not a plain path"),
    "path-with-query": mistake("paths: ['/logout?a']", "paths.0", "not a plain path"),
    "path-twice": mistake("paths: [/logout, /logout]", "paths", "twice"),
    "path-in-second-place": mistake(
        "paths:\n    - /logout\n    - /log out", "paths.1", "plain path", line=4
    ),
    "target-elsewhere": mistake(
        "default_target: https://evil.example/", "default_target", "host_not_allowed"
    ),
    "target-relative": mistake("default_target: /", "default_target", "relative"),
    "target-script": mistake(
        "default_target: javascript://www.example.com/%0aalert(1)",
        "default_target",
        "scheme_not_allowed",
    ),
    "target-that-signs-out": mistake(
        "default_target: https://app.example.com/logout", "default_target", "loop"
    ),
    "target-in-upper-case": mistake(
        "default_target: LOGIN", "default_target", "would be refused"
    ),
    "allowed-everything": mistake(
        'allowed_targets: ["*"]', "allowed_targets.0", "entry_any"
    ),
    "allowed-every-host": mistake(
        "allowed_targets: [https://*]", "allowed_targets.0", "entry_any"
    ),
    "allowed-suffix": mistake(
        "allowed_targets: [https://*.co.uk]", "allowed_targets.0", "public suffix"
    ),
    "allowed-private-suffix": mistake(
        "allowed_targets: [https://*.github.io/me]",
        "allowed_targets.0",
        "public suffix",
    ),
    "allowed-userinfo": mistake(
        "allowed_targets: [https://me@example.net]", "allowed_targets.0", "userinfo"
    ),
    "allowed-query": mistake(
        "allowed_targets: ['https://example.net/?a=b']", "allowed_targets.0", "query"
    ),
    "allowed-dots": mistake(
        "allowed_targets: [https://example.net/a/../b]", "allowed_targets.0", "dots"
    ),
    "allowed-host-alone": mistake(
        "allowed_targets: [example.net]", "allowed_targets.0", "malformed"
    ),
    "scope": mistake("scope: everywhere", "scope", "not a scope"),
    "cookie-name": mistake(
        "clear_cookies: [a b]", "clear_cookies.0", "not a cookie name"
    ),
    "cookie-of-ours": mistake(
        "clear_cookies: [app, forwardauth_session]", "clear_cookies", "our own cookie"
    ),
    "site-data": mistake(
        "clear_site_data: [passwords]", "clear_site_data.0", "kind of site data"
    ),
    "site-data-case": mistake(
        "clear_site_data: [Storage]", "clear_site_data.0", "kind of site data"
    ),
    "unknown-key": mistake("redirect: x", "redirect", "is not a key"),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """L-42: one problem, with key, line and reason."""
    check_mistake(wrong)


def test_the_settings_are_read(tmp_path: Path) -> None:
    """Every key arrives with its type."""
    text = """\
logout:
  paths: [/logout, /oauth2/sign_out]
  default_target: https://www.example.net/bye
  allowed_targets: ["https://www.example.net", "https://*.apps.example.net:8443/a"]
  scope: user
  clear_cookies: [app]
  clear_site_data: ['"storage"', cache]
"""

    logout = load_text(tmp_path, text).logout

    assert logout.paths == ("/logout", "/oauth2/sign_out")
    assert logout.default_target == "https://www.example.net/bye"
    assert not logout.default_to_login
    assert [str(entry) for entry in logout.allowed_targets] == [
        "https://www.example.net",
        "https://*.apps.example.net:8443/a",
    ]
    assert logout.scope is LogoutScope.USER
    assert logout.clear_cookies == ("app",)
    assert logout.clear_site_data == ("storage", "cache")


def test_the_login_page_can_be_the_default(tmp_path: Path) -> None:
    """``login`` is a place, not a URL."""
    logout = load_text(tmp_path, "logout: {default_target: login}\n").logout

    assert logout.default_to_login
    assert logout.default_target is None


def test_no_path_needs_to_be_taken_over(tmp_path: Path) -> None:
    """An empty list switches it off."""
    assert load_text(tmp_path, "logout: {paths: []}\n").logout.paths == ()


@pytest.mark.parametrize("value", ["cookies", '"*"'])
def test_clearing_all_cookies_is_a_warning(tmp_path: Path, value: str) -> None:
    """L-29: it reaches every host below the registered domain."""
    (warning,) = warnings_in(tmp_path, f"logout: {{clear_site_data: [{value}]}}\n")

    assert warning.place.key == "logout.clear_site_data"
    assert "every host" in warning.reason


@pytest.mark.parametrize("text", ["/logout", "/a/b", "/logout/", "/a.b", "/~a_b-c"])
def test_plain_paths_are_accepted(text: str) -> None:
    """A slash at the end is a path of its own."""
    assert parse_logout_path(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "//",
        "logout",
        "/a//b",
        "/.",
        "/..",
        "/a/..",
        "/%6cogout",
        "/a;b",
        "/a#b",
        "/a\\b",
        "/a b",
        "/ä",
        "/a\n",
        "/a*",
        "https://example.com/logout",
    ],
)
def test_other_paths_are_refused(text: str) -> None:
    """Nothing that a proxy and we could read in two ways."""
    with pytest.raises(RefusedValueError):
        parse_logout_path(text)


def test_a_suffix_itself_is_a_place_like_any_other() -> None:
    """Only the wildcard over it reaches strangers."""
    assert parse_target_entry("https://me.github.io").host == "me.github.io"
