"""The variables of tinyauth: each is read, left or unknown."""

import pytest

from forwardauth.migration.tinyauth_keys import (
    APP,
    SPELLINGS,
    canonical,
    lookup_left,
)

WITHOUT = [
    *("SECRET", "SECRET_FILE", "COOKIE_SECURE", "SECURE_COOKIE", "LOG_LEVEL"),
    *("GITHUB_CLIENT_ID", "GENERIC_SCOPES", "OAUTH_WHITELIST", "LOGIN_TIMEOUT"),
    *("LDAP_ADDRESS", "RESOURCES_DIR", "DATABASE_PATH", "DISABLE_ANALYTICS"),
    *("BACKGROUND_IMAGE", "FORGOT_PASSWORD_MESSAGE", "SOCKET_PATH", "ENV_FILE"),
    *("TINYAUTH_OAUTH_PROVIDERS_X_CLIENTID", "TINYAUTH_LDAP_BINDDN"),
    *("TINYAUTH_AUTH_SECURECOOKIE", "TINYAUTH_AUTH_LOGINMAXRETRIES"),
    *("TINYAUTH_UI_BACKGROUNDIMAGE", "TINYAUTH_DATABASEPATH", "TINYAUTH_LOG_JSON"),
    *("TINYAUTH_SERVER_SOCKETPATH", "TINYAUTH_APPS_X_RESPONSE_HEADERS"),
    "TINYAUTH_ANALYTICS_ENABLED",
]


@pytest.mark.parametrize("name", WITHOUT)
def test_a_variable_without_counterpart_is_explained(name: str) -> None:
    """Both spellings, and none of them is read."""
    assert lookup_left(name)
    assert name not in SPELLINGS
    assert APP.fullmatch(name) is None


def test_an_unknown_variable_is_called_so() -> None:
    """Unless it is about an application: that has to be understood."""
    assert "known" in (lookup_left("TINYAUTH_FOO") or "")
    assert lookup_left("TINYAUTH_APPS_X_FOO") is None


def test_an_application_is_named_in_its_variable() -> None:
    """With what is said about it."""
    match = APP.fullmatch("TINYAUTH_APPS_WIKI_PATH_ALLOW")

    assert match is not None
    assert (match["name"], match["key"]) == ("WIKI", "PATH_ALLOW")


def test_only_new_names_are_read_in_any_case() -> None:
    """An old one that is not in upper case was never read there."""
    assert canonical("tinyauth_AppUrl") == "TINYAUTH_APPURL"
    assert canonical("users") == "users"
