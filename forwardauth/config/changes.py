"""What differs between two configurations, and what cannot while the service runs.

Law: a configuration that changes one of the keys that cannot is refused as a whole.
Nobody has to find out which half of a file counts.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from forwardauth.config.inspection import Inspection
from forwardauth.config.problems import Problem
from forwardauth.config.schema import Settings
from forwardauth.errors import ConfigError

RESTART_KEYS: Final = (
    "server.listen",
    "server.management",
    "server.workers",
    "server.short_way",
    "session.store",
    "session.journal",
    "session.secret",
    "logging.format",
    "logging.audit",
)
"""What is opened, forked or promised once, and what guesses are counted under.
Connections are made for one kind of way."""

_SECTIONS: Final = (
    "server",
    "session",
    "logout",
    "users",
    "access_control",
    "portal",
    "logging",
)
"""Those whose fields are called like keys; the others are told of as a whole."""

_ORIGIN: Final = "source"
_SPELLED: Final = {"logout.default_to_login": "logout.default_target"}


def changed_keys(old: Settings, new: Settings) -> tuple[str, ...]:
    """Return the keys that are not the same in *old* and *new*, each once, in order."""
    found = (_SPELLED.get(key, key) for key in _differences(old, new))
    return tuple(dict.fromkeys(found))


def check_changeable(old: Settings, new: Inspection) -> None:
    """Return when a service that runs with *old* can go on with *new*.

    Raises:
        ConfigError: Names each key that needs a restart, and where it stands.
    """
    changed = changed_keys(old, new.settings)
    problems = [
        Problem(
            place=new.place_of(key),
            reason="cannot be changed while the service runs",
            remedy="restart it, or put the old value back",
        )
        for key in RESTART_KEYS
        if key in changed
    ]
    if problems:
        raise ConfigError(problems)


def _differences(old: Settings, new: Settings) -> Iterator[str]:
    for each in fields(Settings):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if before == after or each.name == _ORIGIN:
            continue
        if each.name not in _SECTIONS:
            yield each.name
            continue
        for key in fields(before):
            if getattr(before, key.name) != getattr(after, key.name):
                yield f"{each.name}.{key.name}"
