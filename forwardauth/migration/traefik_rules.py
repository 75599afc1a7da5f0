"""Rules in the words of Traefik 2, as traefik-forward-auth reads them.

``Host(`a.example.com`) && (PathPrefix(`/x`) || Method(`GET`))`` becomes a list of
conjunctions, each bounded from inside and outside; any of them will do.

Law: a matcher that cannot be said, and whatever stands behind ``!``, has nothing inside
and everything outside.

Source: https://doc.traefik.io/traefik/v2.0/routing/routers/#rule
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Final

from forwardauth.access_control.matchers import parse_domain_pattern
from forwardauth.access_control.regexes import Regex
from forwardauth.migration.criteria import Criteria, Term
from forwardauth.request import METHODS

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z]+)\s*\(|(?P<text>`[^`]*`|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<sign>&&|\|\||[()!,]))",
)
_PARAMETER: Final = re.compile(r"\{[A-Za-z0-9_-]*(?::(?P<regex>.*))?\}", re.DOTALL)
_ANY_LABEL: Final = "[^.]+"
_ANY_SEGMENT: Final = "[^/]+"
_NOTHING: Final = Criteria()
_ASTERISK: Final = "an asterisk in Host is no wildcard there, and meets no request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """Matchers that are needed all at once.

    Attributes:
        inside: Matches nothing else; ``None`` for nothing at all.
        outside: Matches all that the clause does; a key that is empty is any value.
        reasons: Why the two differ.
    """

    inside: Criteria | None
    outside: Criteria
    reasons: tuple[str, ...] = ()


def parse_rule(text: str) -> tuple[Clause, ...]:
    """Return the clauses of *text*, any of which will do.

    Raises:
        ValueError: It is no rule; says why.
    """
    parser = _Parser(text)
    clauses = parser.read_any()
    if parser.rest.strip():
        raise ValueError(f"cannot be read from {parser.rest.strip()!a} on")
    return clauses


class _Parser:
    """Takes one token after another off the text."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def read_any(self) -> tuple[Clause, ...]:
        clauses = self._read_all()
        while self._take("||"):
            clauses += self._read_all()
        return clauses

    def _read_all(self) -> tuple[Clause, ...]:
        clauses = self._read_one()
        while self._take("&&"):
            clauses = tuple(_both(a, b) for a, b in product(clauses, self._read_one()))
        return clauses

    def _read_one(self) -> tuple[Clause, ...]:
        if self._take("!"):
            self._read_one()
            return (_unknown("what stands behind ! cannot be said"),)
        if self._take("("):
            clauses = self.read_any()
            self._expect(")")
            return clauses
        match = _TOKEN.match(self.rest)
        if match is None or match["name"] is None:
            raise ValueError(f"has no matcher at {self.rest.strip()!a}")
        self.rest = self.rest[match.end() :]
        values = [self._read_text()]
        while self._take(","):
            values.append(self._read_text())
        self._expect(")")
        return _clauses_of(match["name"], values)

    def _read_text(self) -> str:
        match = _TOKEN.match(self.rest)
        if match is None or match["text"] is None:
            raise ValueError(f"has no value at {self.rest.strip()!a}")
        self.rest = self.rest[match.end() :]
        return match["text"][1:-1]

    def _take(self, sign: str) -> bool:
        match = _TOKEN.match(self.rest)
        if match is None or match["sign"] != sign:
            return False
        self.rest = self.rest[match.end() :]
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise ValueError(f"has no {sign} at {self.rest.strip()!a}")


def _clauses_of(name: str, values: list[str]) -> tuple[Clause, ...]:
    reader = _READERS.get(name)
    if reader is None:
        return (_unknown(f"{name} has no counterpart"),)
    try:
        return reader(values)
    except ValueError:
        return (_unknown(f"{name} has a value that cannot be said"),)


def _read_hosts(values: list[str]) -> tuple[Clause, ...]:
    names: list[str] = []
    regexes: list[str] = []
    for value in values:
        if "{" in value:
            regexes.append(_template(value, _ANY_LABEL))
        else:
            names.append(str(parse_domain_pattern(value)))
    outside = Criteria(domain=tuple(names), domain_regex=tuple(regexes))
    known = tuple(name for name in names if not name.startswith("*"))
    if len(known) == len(names):
        return (_exactly(outside),)
    inside = replace(outside, domain=known) if known or regexes else None
    return (Clause(inside=inside, outside=outside, reasons=(_ASTERISK,)),)


def _read_paths(values: list[str]) -> tuple[Clause, ...]:
    regexes = tuple(_template(value, _ANY_SEGMENT) for value in values)
    return (_exactly(Criteria(path_regex=regexes)),)


def _read_prefixes(values: list[str]) -> tuple[Clause, ...]:
    regexes = tuple(f"{_template(value, _ANY_SEGMENT)}.*" for value in values)
    return (_exactly(Criteria(path_regex=regexes)),)


def _read_methods(values: list[str]) -> tuple[Clause, ...]:
    methods = tuple(value.upper() for value in values if value.upper() in METHODS)
    if not methods:
        raise ValueError("no method that passes here")
    return (_exactly(Criteria(methods=methods)),)


def _read_query(values: list[str]) -> tuple[Clause, ...]:
    terms: list[Term] = []
    for value in values:
        key, _, wanted = value.partition("=")
        if not key or not wanted or "{" in value:
            raise ValueError("no plain pair")
        terms.append(Term(operator="equal", key=key, value=wanted))
    return (_exactly(Criteria(query=(tuple(terms),))),)


_READERS: Final[dict[str, Callable[[list[str]], tuple[Clause, ...]]]] = {
    "Host": _read_hosts,
    "HostRegexp": _read_hosts,
    "Path": _read_paths,
    "PathPrefix": _read_prefixes,
    "Method": _read_methods,
    "Query": _read_query,
}


def _template(text: str, anything: str) -> str:
    """Return *text*, in which braces are parameters, as an expression.

    Raises:
        ValueError: The braces do not pair, or hold no expression.
    """
    parts: list[str] = []
    depth, start = 0, 0
    for at, character in enumerate(text):
        if character == "{":
            if depth == 0:
                parts.append(re.escape(text[start:at]))
                start = at
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                match = _PARAMETER.fullmatch(text[start : at + 1])
                if match is None:
                    raise ValueError("no parameter")
                parts.append(f"(?:{match['regex'] or anything})")
                start = at + 1
    if depth:
        raise ValueError("braces do not pair")
    whole = "".join((*parts, re.escape(text[start:])))
    Regex(whole)
    return whole


def _exactly(criteria: Criteria) -> Clause:
    return Clause(inside=criteria, outside=criteria)


def _unknown(reason: str) -> Clause:
    return Clause(inside=None, outside=_NOTHING, reasons=(reason,))


def _both(one: Clause, two: Clause) -> Clause:
    """Return what is needed where both are."""
    reasons = (*one.reasons, *two.reasons)
    outside, is_sound = _merge(one.outside, two.outside)
    inside = None
    if one.inside is not None and two.inside is not None and is_sound:
        inside, _ = _merge(one.inside, two.inside)
    elif not is_sound:
        reasons += ("two matchers of one kind cannot be asked for at once",)
    return Clause(inside=inside, outside=outside, reasons=reasons)


def _merge(one: Criteria, two: Criteria) -> tuple[Criteria, bool]:
    """Return the keys of both, and whether none is in both: then the first counts."""
    hosts = frozenset({"domain", "domain_regex"})
    is_sound, merged = True, one
    has_hosts = bool(one.domain or one.domain_regex)
    for field in fields(Criteria):
        value = getattr(two, field.name)
        if not value:
            continue
        if getattr(one, field.name) or (field.name in hosts and has_hosts):
            is_sound = False
        else:
            merged = replace(merged, **{field.name: value})
    return merged, is_sound
