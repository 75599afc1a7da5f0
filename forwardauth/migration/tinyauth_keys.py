"""The environment of tinyauth: old names (3, 4) and new ones (5), and what they mean.

Source: https://tinyauth.app/docs/reference/configuration
"""

import re
from typing import Final

SPELLINGS: Final = {
    "APP_URL": "app_url",
    "TINYAUTH_APPURL": "app_url",
    "USERS": "users",
    "TINYAUTH_AUTH_USERS": "users",
    "USERS_FILE": "users_file",
    "TINYAUTH_AUTH_USERSFILE": "users_file",
    "SESSION_EXPIRY": "session_expiry",
    "TINYAUTH_AUTH_SESSIONEXPIRY": "session_expiry",
    "TINYAUTH_AUTH_SESSIONMAXLIFETIME": "session_max_lifetime",
    "PORT": "port",
    "TINYAUTH_SERVER_PORT": "port",
    "ADDRESS": "address",
    "TINYAUTH_SERVER_ADDRESS": "address",
    "TRUSTED_PROXIES": "trusted_proxies",
    "TINYAUTH_SERVER_TRUSTEDPROXIES": "trusted_proxies",
    "TINYAUTH_AUTH_TRUSTEDPROXIES": "trusted_proxies",
    "APP_TITLE": "title",
    "TINYAUTH_UI_TITLE": "title",
    "TINYAUTH_AUTH_IP_ALLOW": "ip_allow",
    "TINYAUTH_AUTH_IP_BLOCK": "ip_block",
    "TINYAUTH_AUTH_ACLS_POLICY": "acls_policy",
}
"""Variables that are read, each with the one name that both spellings have here."""

_OAUTH: Final = "no provider is asked: people sign in with a password of the users file"
_THROTTLE: Final = "logins are always slowed down by account and by address"
_PAGES: Final = "write a template: docs/templates.md"
_NOTHING: Final = "there is no such thing to switch off"
_LDAP: Final = "no directory is asked: add its users by forwardauth users add"

LEFT: Final = (
    (r"(TINYAUTH_OAUTH|OAUTH|PROVIDERS|GITHUB|GOOGLE|GENERIC|TAILSCALE)_.*", _OAUTH),
    (r"TINYAUTH_OIDC_.*", "the service is no OpenID Connect provider"),
    (r"(TINYAUTH_)?LDAP_.*", _LDAP),
    (r"(TINYAUTH_AUTH_)?LOGIN_?(TIMEOUT|MAX_?RETRIES)", _THROTTLE),
    (r"SECRET(_FILE)?", "a key is made at the first start"),
    (
        r"COOKIE_SECURE|SECURE_COOKIE|TINYAUTH_AUTH_SECURECOOKIE",
        "cookies are always for https, but on *.localhost",
    ),
    (r"(TINYAUTH_)?LOG_.*", "see logging.level and logging.format"),
    (r"BACKGROUND_IMAGE|TINYAUTH_UI_.*|FORGOT_PASSWORD_MESSAGE", _PAGES),
    (r"(TINYAUTH_)?RESOURCES_?DIR", _PAGES),
    (r"(TINYAUTH_)?DATABASE_?PATH", "sessions lie in sqlite:sessions.db"),
    (r"(TINYAUTH_)?DISABLE_?.*|TINYAUTH_(ANALYTICS|RESOURCES)_ENABLED", _NOTHING),
    (r"SOCKET_PATH|TINYAUTH_SERVER_SOCKETPATH", "write server.listen: unix:PATH"),
    (r"ENV_FILE", "import that file, too"),
    (
        r"TINYAUTH_APPS_[A-Z0-9]+_RESPONSE_.*",
        "no headers are added; let the proxy add them",
    ),
)
"""Variables without a counterpart, each with what there is in its place."""

APP: Final = re.compile(
    r"TINYAUTH_APPS_(?P<name>[A-Z0-9]+)_(?P<key>CONFIG_DOMAIN|USERS_ALLOW|USERS_BLOCK"
    r"|OAUTH_WHITELIST|OAUTH_GROUPS|LDAP_GROUPS"
    r"|IP_ALLOW|IP_BLOCK|IP_BYPASS|PATH_ALLOW|PATH_BLOCK)"
)
"""What is said about one application."""

VOUCHED: Final = {
    "OAUTH_WHITELIST": "each address is the user of that name: add them",
    "OAUTH_GROUPS": "each group is the group of that name: say who is in it",
    "LDAP_GROUPS": "each group is the group of that name: say who is in it",
}
"""Whom a provider or a directory vouches for there, and what an operator does here."""

TAKEN: Final = {
    "title": "portal.title",
    "trusted_proxies": "server.trusted_proxies",
    "acls_policy": "the rules: who is in none is let in, or denied, as there",
}
"""What becomes of variables that nothing else is told about."""

LABELS: Final = (
    "labels of containers (tinyauth.apps.*) are not read: write a rule for each that"
    " keeps somebody out, above the last one"
)
BY_HAND: Final = "correct its name, or take it out and write a rule by hand"

_PREFIX: Final = "TINYAUTH_"
_APPS: Final = "TINYAUTH_APPS_"


def canonical(name: str) -> str:
    """Return *name* as the tables have it: tinyauth 5 reads its names in any case."""
    return name.upper() if name.upper().startswith(_PREFIX) else name


def lookup_left(name: str) -> str | None:
    """Return what there is in the place of the variable *name*.

    ``None`` where it says of an application what nobody knows.
    """
    found = (text for pattern, text in LEFT if re.fullmatch(pattern, name))
    unknown = None if name.startswith(_APPS) else "is no variable that is known here"
    return next(found, unknown)
