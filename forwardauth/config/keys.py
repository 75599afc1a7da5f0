"""Every key of ``config.yaml``: how it is written, and what it is when left out.

This table is what unknown keys, environment variables, ``config.yaml`` and
``docs/configuration.md`` are compared with. ``*`` stands for the index of an entry.
"""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from forwardauth.config.problems import quote
from forwardauth.language_tags import LANGUAGES

PREFIX: Final = "FORWARDAUTH_"
"""What the names of our environment variables start with."""

_INDEX: Final = re.compile(r"(?<=\.)(?:0|[1-9][0-9]{0,4})(?=\.)", re.ASCII)


class Kind(StrEnum):
    """How a value is written."""

    TEXT = "text"
    LIST = "list"
    ENTRIES = "entries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key.

    Attributes:
        kind: One text, a list of texts (a single one may stand without brackets), or
            a list of mappings.
        default: What it is when left out, as it would be written.
        is_required: Whether leaving it out is a mistake.
        is_nullable: Whether ``null`` is a value of its own.
    """

    kind: Kind = Kind.TEXT
    default: str | tuple[str, ...] | None = None
    is_required: bool = False
    is_nullable: bool = False


_NULL: Final = Key(is_nullable=True)
_REQUIRED: Final = Key(is_required=True)
_NONE: Final = Key(kind=Kind.LIST, default=())

KEYS: Final[dict[str, Key]] = {
    "server.listen": Key(kind=Kind.LIST, default=("127.0.0.1:9091",)),
    "server.base_path": Key(default="/"),
    "server.trusted_proxies": Key(kind=Kind.LIST, default=("127.0.0.0/8", "::1/128")),
    "server.workers": Key(default="1"),
    "server.drain": Key(default="10s"),
    "server.management": Key(default="127.0.0.1:9191", is_nullable=True),
    "server.short_way": Key(default="on"),
    "cookies": Key(kind=Kind.ENTRIES, is_required=True),
    "cookies.*.domain": _REQUIRED,
    "cookies.*.portal": _REQUIRED,
    "cookies.*.default_target": _NULL,
    "session.store": Key(default="sqlite:sessions.db"),
    "session.cookie_name": Key(default="forwardauth_session"),
    "session.same_site": Key(default="lax"),
    "session.absolute_timeout": Key(default="24h"),
    "session.idle_timeout": Key(default="1h"),
    "session.remember_me": Key(default="30d", is_nullable=True),
    "session.journal": Key(default="revocations.journal"),
    "session.secret": _NULL,
    "logout.paths": Key(kind=Kind.LIST, default=("/logout",)),
    "logout.default_target": _NULL,
    "logout.allowed_targets": _NONE,
    "logout.scope": Key(default="browser"),
    "logout.clear_cookies": _NONE,
    "logout.clear_site_data": _NONE,
    "logout.notify": _NONE,
    "users.file": _REQUIRED,
    "users.min_password_length": Key(default="8"),
    "users.min_password_score": Key(default="3"),
    "headers.user": Key(default="Remote-User"),
    "headers.groups": Key(default="Remote-Groups"),
    "headers.name": Key(default="Remote-Name"),
    "headers.email": Key(default="Remote-Email"),
    "access_control.default_policy": Key(default="deny"),
    "access_control.networks": Key(kind=Kind.ENTRIES, default=()),
    "access_control.networks.*.name": _REQUIRED,
    "access_control.networks.*.networks": Key(kind=Kind.LIST, is_required=True),
    "access_control.rules": Key(kind=Kind.ENTRIES, default=()),
    "access_control.rules.*.domain": _NONE,
    "access_control.rules.*.domain_regex": _NONE,
    "access_control.rules.*.policy": _REQUIRED,
    "access_control.rules.*.methods": _NONE,
    "access_control.rules.*.path": _NONE,
    "access_control.rules.*.path_regex": _NONE,
    "access_control.rules.*.resources": _NONE,
    "access_control.rules.*.query": Key(kind=Kind.ENTRIES, default=()),
    "access_control.rules.*.query.*.*.operator": _REQUIRED,
    "access_control.rules.*.query.*.*.key": _REQUIRED,
    "access_control.rules.*.query.*.*.value": Key(),
    "access_control.rules.*.networks": _NONE,
    "access_control.rules.*.users": _NONE,
    "access_control.rules.*.groups": _NONE,
    "access_control.rules.*.subject": _NONE,
    "access_control.rules.*.preflight": Key(default="deny"),
    "access_control.rules.*.plain_http": Key(default="deny"),
    "access_control.rules.*.basic": Key(default="false"),
    "logging.format": Key(default="text"),
    "logging.level": Key(default="info"),
    "logging.audit": _NULL,
    "logging.request_id": Key(default="X-Request-ID", is_nullable=True),
    "portal.templates": _NULL,
    "portal.languages": Key(kind=Kind.LIST, default=LANGUAGES),
    "portal.title": Key(default="Sign in"),
    "portal.logo": _NULL,
    "portal.accent": _NULL,
    "portal.footer": Key(kind=Kind.ENTRIES, default=()),
    "portal.footer.*.label": _REQUIRED,
    "portal.footer.*.url": _REQUIRED,
}


def pattern_of(key: str) -> str:
    """Return *key* with ``*`` in place of each index, the form that ``KEYS`` has."""
    return _INDEX.sub("*", key)


def names_below(key: str) -> tuple[str, ...]:
    """Return the names that may stand directly below *key*, in the table's order."""
    prefix = f"{pattern_of(key + '.')}" if key else ""
    return tuple(
        dict.fromkeys(
            name.removeprefix(prefix).partition(".")[0]
            for name in KEYS
            if name.startswith(prefix)
        )
    )


def variable_of(key: str) -> str:
    """Return the environment variable of *key*, as in ``FORWARDAUTH_USERS__FILE``."""
    return PREFIX + key.upper().replace(".", "__")


def explain_unknown(name: str, key: str) -> tuple[str, str]:
    """Return reason and remedy for *name*, which is no key directly below *key*."""
    names = names_below(key)
    elsewhere = [each for each in KEYS if each.rpartition(".")[2] == name]
    near = [*difflib.get_close_matches(name, names, n=1), *elsewhere]
    if near:
        return "is not a key", f"did you mean {quote(near[0])}?"
    return "is not a key", f"the keys here are {', '.join(names)}"
