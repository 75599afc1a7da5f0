"""Rules by host, so that rules for other hosts cost nothing.

Law: ``candidates`` may yield a rule that does not match the host, and one twice, but
leaves none out that does, and keeps the order of the file.
"""

import heapq
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

from forwardauth.access_control.matchers import DomainPattern
from forwardauth.access_control.regexes import Regex


class ForHosts(Protocol):
    """What can be found by host: a rule."""

    @property
    def number(self) -> int:
        """The place in the order."""
        ...

    @property
    def domains(self) -> tuple[DomainPattern, ...]:
        """The hosts by name."""
        ...

    @property
    def domain_regexes(self) -> tuple[Regex, ...]:
        """The hosts by expression."""
        ...


R = TypeVar("R", bound=ForHosts)

_in_order = attrgetter("number")


class HostIndex(Generic[R]):
    """Finds the rules for a host, among any number of rules for others.

    The cost depends on the labels of the host, on the rules for it, and on those with a
    ``domain_regex``, which could be for any host and are tried for each.
    """

    def __init__(self, rules: Sequence[R]) -> None:
        """Sort *rules*, which are in order, by what they name."""
        self._exact: dict[str, list[R]] = {}
        self._below: dict[str, list[R]] = {}
        self._anywhere: list[R] = [rule for rule in rules if rule.domain_regexes]
        for rule in rules:
            for pattern in dict.fromkeys(rule.domains):
                table = self._below if pattern.is_wildcard else self._exact
                table.setdefault(pattern.name, []).append(rule)

    def candidates(self, host: str) -> Iterable[R]:
        """Return the rules that could be for *host*, in order.

        ``*.example.com`` in place of a host finds those that could be for every host
        below it.
        """
        found = [self._anywhere, self._exact.get(host, [])]
        _, _, name = host.partition(".")
        while name:
            found.append(self._below.get(name, []))
            _, _, name = name.partition(".")
        found = [rules for rules in found if rules]
        # Lazily: the first rule that matches ends the walk.
        return found[0] if len(found) == 1 else heapq.merge(*found, key=_in_order)

    def count(self, host: str) -> int:
        """Return how many rules ``candidates`` yields, without a walk through them."""
        total = len(self._anywhere) + len(self._exact.get(host, ()))
        _, _, name = host.partition(".")
        while name:
            total += len(self._below.get(name, ()))
            _, _, name = name.partition(".")
        return total
