"""The options of traefik-forward-auth, by whichever of their spellings."""

import re
from typing import Final

RULE: Final = re.compile(
    r"rule\.(?P<name>[^.]+)\.(?P<key>action|rule|provider|whitelist|domains)"
)
"""What is said about one rule."""

READ: Final = {
    "auth-host": "auth-host",
    "cookie-domain": "cookie-domain",
    "cookie-domains": "cookie-domain",
    "default-action": "default-action",
    "domain": "domain",
    "lifetime": "lifetime",
    "logout-redirect": "logout-redirect",
    "match-whitelist-or-domain": "match-whitelist-or-domain",
    "port": "port",
    "url-path": "url-path",
    "whitelist": "whitelist",
}
"""Options that are read, old spellings too, each with its present name."""

LISTS: Final = {
    "auth-host": "cookies.0.portal",
    "cookie-domain": "cookies",
    "default-action": "the last rule",
    "domain": "a group of that name in the rules",
    "lifetime": "session.absolute_timeout and session.idle_timeout",
    "logout-redirect": "logout.default_target",
    "match-whitelist-or-domain": "users and groups of the rules",
    "port": "server.listen",
    "url-path": "logout.paths, with /logout behind it",
    "whitelist": "users of that name in the rules",
}
"""What becomes of each option that is read."""

_PROVIDER: Final = "no provider is asked: people sign in with a password"

LEFT: Final = (
    ("providers-", _PROVIDER),
    ("default-provider", _PROVIDER),
    ("client-id", _PROVIDER),
    ("client-secret", _PROVIDER),
    ("prompt", _PROVIDER),
    ("secret", "a key is made at the first start"),
    ("cookie-secret", "a key is made at the first start"),
    ("cookie-name", "the cookie keeps a name of its own; both can run side by side"),
    ("csrf-cookie-name", "the login page has a cookie of its own"),
    ("insecure-cookie", "cookies are always for https, but on *.localhost"),
    ("cookie-secure", "cookies are always for https, but on *.localhost"),
    ("log-", "see logging.level and logging.format; the log goes to standard error"),
    ("config", "import that file, too"),
)
"""Beginnings of options without a counterpart, each with what there is instead."""


def canonical(name: str) -> str:
    """Return *name* of a variable, of a key or of a flag in one spelling."""
    return name.lower().replace("_", "-").replace(".", "-")
