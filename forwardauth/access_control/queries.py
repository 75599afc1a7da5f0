"""The criterion about the query, with Authelia's operators.

Law: a key that is there several times is read by some programs as its first value and
by others as its last. Where that makes a difference, nothing can be told.

Source: https://www.authelia.com/reference/guides/rule-operators/
"""

from dataclasses import dataclass
from enum import StrEnum

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.criteria import Match
from forwardauth.access_control.regexes import Regex


class Operator(StrEnum):
    """How the value of a key is compared."""

    EQUAL = "equal"
    NOT_EQUAL = "not equal"
    PRESENT = "present"
    ABSENT = "absent"
    PATTERN = "pattern"
    NOT_PATTERN = "not pattern"


OPPOSITES = {
    Operator.EQUAL: Operator.NOT_EQUAL,
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.PRESENT: Operator.ABSENT,
    Operator.ABSENT: Operator.PRESENT,
    Operator.PATTERN: Operator.NOT_PATTERN,
    Operator.NOT_PATTERN: Operator.PATTERN,
}
"""For each operator the one that is met exactly where it is not."""

_NEGATIVE = frozenset({Operator.NOT_EQUAL, Operator.ABSENT, Operator.NOT_PATTERN})
_NEGATED = {Match.YES: Match.NO, Match.NO: Match.YES, Match.UNKNOWN: Match.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTerm:
    """One comparison.

    Attributes:
        operator: How.
        key: The decoded key; upper and lower case count.
        value: What is compared with: a text for ``equal``, an expression for
            ``pattern``, ``None`` for ``present`` and ``absent``. A key that is absent
            equals nothing, and matches no pattern.
    """

    operator: Operator
    key: str
    value: str | Regex | None = None

    def check(self, query: dict[str, tuple[str, ...]]) -> Match:
        """Return whether *query* is meant; ``UNKNOWN`` when its values disagree."""
        found = {self._matches(value) for value in query.get(self.key, ())}
        if len(found) > 1:
            return Match.UNKNOWN
        match = Match.YES if found == {True} else Match.NO
        return _NEGATED[match] if self.operator in _NEGATIVE else match

    def _matches(self, value: str) -> bool:
        if isinstance(self.value, Regex):
            return self.value.matches(value)
        return self.value is None or value == self.value

    def contradicts(self, other: "QueryTerm") -> bool:
        """Whether the two can never be met together."""
        is_same = self.key == other.key and self.value == other.value
        return is_same and self.operator is OPPOSITES[other.operator]

    def __str__(self) -> str:
        """Return key, operator and value."""
        value = "" if self.value is None else f" {str(self.value)!r}"
        return f"{self.key} {self.operator}{value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCriterion:
    """Lists of terms: all of any one list have to be met."""

    alternatives: tuple[tuple[QueryTerm, ...], ...]

    def check(self, asked: Asked) -> Match:
        """Return whether the query is meant."""
        query = asked.query
        if query is None:
            return Match.UNKNOWN
        found = {_all(terms, query) for terms in self.alternatives}
        if Match.YES in found:
            return Match.YES
        return Match.UNKNOWN if Match.UNKNOWN in found else Match.NO

    def covers(self, other: "QueryCriterion") -> bool:
        """Whether it matches whatever *other* does, as far as can be told."""
        return all(
            any(set(mine) <= set(theirs) for mine in self.alternatives)
            for theirs in other.alternatives
        )

    def __str__(self) -> str:
        """Return the terms."""
        return ", or ".join(
            " and ".join(map(str, terms)) for terms in self.alternatives
        )


def _all(terms: tuple[QueryTerm, ...], query: dict[str, tuple[str, ...]]) -> Match:
    found = {term.check(query) for term in terms}
    if Match.NO in found:
        return Match.NO
    return Match.UNKNOWN if Match.UNKNOWN in found else Match.YES
