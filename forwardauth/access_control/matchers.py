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

    def covers(self, other: "DomainPattern") -> bool:
        """Whether it matches every host that *other* does."""
        if self == other:
            return True
        return self.is_wildcard and other.name.endswith("." + self.name)

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
class Together:
    """Users and groups that somebody has to be and be in, all at once."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def matches(self, subject: Subject) -> bool:
        """Whether a signed-in *subject* is everything that is asked for."""
        return self.users <= {subject.username} and self.groups <= subject.groups

    def __str__(self) -> str:
        """Return users, then groups, as Authelia writes them."""
        users = (f"user:{name}" for name in sorted(self.users))
        return " and ".join(
            [*users, *(f"group:{name}" for name in sorted(self.groups))]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectCriterion:
    """Who a rule is for: a user, a member of a group, or all at once of *together*.

    Any of them will do. With all of them empty the rule is for everyone, signed in or
    not.
    """

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    together: tuple[Together, ...] = ()

    @property
    def is_for_everyone(self) -> bool:
        """Whether the rule does not ask who somebody is."""
        return not self.users and not self.groups and not self.together

    @property
    def all_users(self) -> frozenset[str]:
        """Every user that is named, alone or together with others."""
        return self.users.union(*(each.users for each in self.together))

    @property
    def all_groups(self) -> frozenset[str]:
        """Every group that is named, alone or together with others."""
        return self.groups.union(*(each.groups for each in self.together))

    def matches(self, subject: Subject) -> bool:
        """Whether a signed-in *subject* is meant."""
        return (
            self.is_for_everyone
            or subject.username in self.users
            or not self.groups.isdisjoint(subject.groups)
            or any(each.matches(subject) for each in self.together)
        )

    def covers(self, other: "SubjectCriterion") -> bool:
        """Whether it means everybody whom *other* means, as far as can be told."""
        if self.is_for_everyone or other.is_for_everyone:
            return self.is_for_everyone
        return (
            self.users >= other.users
            and self.groups >= other.groups
            and all(
                not self.users.isdisjoint(each.users)
                or not self.groups.isdisjoint(each.groups)
                or each in self.together
                for each in other.together
            )
        )

    def __str__(self) -> str:
        """Return everybody who is meant, as Authelia writes them."""
        if self.is_for_everyone:
            return "everybody"
        users = (f"user:{name}" for name in sorted(self.users))
        groups = (f"group:{name}" for name in sorted(self.groups))
        return ", ".join([*users, *groups, *map(str, self.together)])
