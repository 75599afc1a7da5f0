"""The criteria of a rule as they are about to be written, in our own words."""

from dataclasses import dataclass, fields
from typing import TypeAlias

from forwardauth.access_control.matchers import parse_domain_pattern
from forwardauth.migration.yaml_text import Entry, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One comparison of a query; *value* is ``None`` for ``present`` and ``absent``."""

    operator: str
    key: str
    value: str | None = None


Terms: TypeAlias = tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a rule is for; a key that is empty is not written, and matches everything.

    Attributes:
        domain: Host names and ``*.`` with one.
        domain_regex: Each matches a whole host.
        methods: In upper case.
        path_regex: Each matches a whole decoded path.
        query: Lists of terms; all of any one list.
        networks: Addresses, networks, and their names.
        subject: ``user:NAME`` and ``group:NAME``; all of any one list.
    """

    domain: tuple[str, ...] = ()
    domain_regex: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    path_regex: tuple[str, ...] = ()
    query: tuple[Terms, ...] = ()
    networks: tuple[str, ...] = ()
    subject: tuple[tuple[str, ...], ...] = ()

    @property
    def is_for_hosts_alone(self) -> bool:
        """Whether nothing but the host is asked for."""
        hosts = ("domain", "domain_regex")
        return not any(
            getattr(self, f.name) for f in fields(self) if f.name not in hosts
        )

    def shares_hosts(self, other: "Criteria") -> bool:
        """Whether some host may be meant by both; an expression may mean any."""
        if self.domain_regex or other.domain_regex:
            return True
        return any(
            mine.covers(theirs) or theirs.covers(mine)
            for mine in map(parse_domain_pattern, self.domain)
            for theirs in map(parse_domain_pattern, other.domain)
        )

    def covers_hosts(self, other: "Criteria") -> bool:
        """Whether every host of *other* is one of these, as far as names can tell."""
        if other.domain_regex:
            return False
        mine = [parse_domain_pattern(text) for text in self.domain]
        return all(
            any(each.covers(parse_domain_pattern(text)) for each in mine)
            for text in other.domain
        )

    def entries(self) -> tuple[Entry, ...]:
        """Return the keys that are written, in the order of ``config.yaml``."""
        values: dict[str, list[Value]] = {
            "domain": list(self.domain),
            "domain_regex": list(self.domain_regex),
            "methods": list(self.methods),
            "path_regex": list(self.path_regex),
            "query": [[_entries_of(term) for term in terms] for terms in self.query],
            "networks": list(self.networks),
            "subject": [
                list(names) if len(names) > 1 else names[0] for names in self.subject
            ],
        }
        return tuple(
            Entry(name=name, value=_unwrap(value))
            for name, value in values.items()
            if value
        )


def _unwrap(value: list[Value]) -> Value:
    """Return the one text of a list without the brackets that it does not need."""
    return value[0] if len(value) == 1 and isinstance(value[0], str) else value


def _entries_of(term: Term) -> tuple[Entry, ...]:
    pairs = (("operator", term.operator), ("key", term.key), ("value", term.value))
    return tuple(
        Entry(name=name, value=text) for name, text in pairs if text is not None
    )
