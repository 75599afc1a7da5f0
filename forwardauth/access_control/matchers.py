"""The criteria of a rule: each compares one thing, and none reads configuration."""

import re
from dataclasses import dataclass
from typing import Final

from forwardauth.request import Subject

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(
    rf"(?P<any>\*\.)?(?P<name>{_LABEL}(?:\.{_LABEL})*)", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPattern:
    """One host, or every host below it.

    Attributes:
        name: Lower case, without ``*.``.
        is_wildcard: Whether the hosts below *name* are meant, at any depth; the name
            itself is not among them.
    """

    name: str
    is_wildcard: bool

    def matches(self, host: str) -> bool:
        """Whether *host* (lower case, no port) is meant; dot-bounded."""
        if self.is_wildcard:
            return host.endswith("." + self.name)
        return host == self.name

    def __str__(self) -> str:
        """Return the pattern as it is written in ``access_control``."""
        return f"*.{self.name}" if self.is_wildcard else self.name


def parse_domain_pattern(text: str) -> DomainPattern:
    """Return *text* (``app.example.com`` or ``*.example.com``) as a pattern.

    Upper case is accepted and lowered: host names do not differ by case.

    Raises:
        ValueError: Neither a host name nor ``*.`` and a host name.
    """
    match = _DOMAIN.fullmatch(text.lower()) if text.isascii() else None
    if match is None:
        message = f"{text!r} is neither a host name nor *. and a host name"
        raise ValueError(message)
    return DomainPattern(name=match["name"], is_wildcard=match["any"] is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectCriterion:
    """Who a rule is for: any of *users*, or any member of one of *groups*.

    With both empty the rule is for everyone, signed in or not.
    """

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def is_for_everyone(self) -> bool:
        """Whether the rule does not ask who somebody is."""
        return not self.users and not self.groups

    def matches(self, subject: Subject) -> bool:
        """Whether a signed-in *subject* is meant."""
        return (
            self.is_for_everyone
            or subject.username in self.users
            or not self.groups.isdisjoint(subject.groups)
        )
