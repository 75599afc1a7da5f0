"""The rules of traefik-forward-auth, which have no order, and whom they let in.

People sign in there with Google or another provider, and are known by their address.
Here they have a password; an address that is allowed becomes a user of that name, a
domain of addresses a group of that name, and an administrator says who is in it.

Laws: rules that ask for a sign-in are written first. Who is not in a rule's list is
refused by that rule.

Source: https://github.com/thomseddon/traefik-forward-auth#option-details
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from forwardauth.access_control.decision import Policy
from forwardauth.config.problems import Place, Problem
from forwardauth.migration.criteria import Criteria
from forwardauth.migration.lines import Assignment, split_list
from forwardauth.migration.portals import Portal
from forwardauth.migration.report import Fate, Report
from forwardauth.migration.rulebook import Draft
from forwardauth.migration.site import everything
from forwardauth.migration.traefik_rules import Clause, parse_rule

_ACTIONS: Final = frozenset({"auth", "allow"})


@dataclass(slots=True, kw_only=True)
class TraefikRule:
    """What is said about one rule."""

    name: str
    line: int
    values: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What it is called in the report."""
        return f"rule.{self.name}"


@dataclass(slots=True, kw_only=True)
class Options:
    """Options by their present names; most may be given several times."""

    found: dict[str, list[Assignment]] = field(default_factory=dict)

    def add(self, name: str, assignment: Assignment) -> None:
        """Add one."""
        self.found.setdefault(name, []).append(assignment)

    def text(self, name: str) -> str:
        """Return the last value; empty where there is none."""
        found = self.found.get(name, ())
        return found[-1].value if found else ""

    def items(self, name: str) -> tuple[str, ...]:
        """Return the values of all, split at commas."""
        found = self.found.get(name, ())
        return tuple(part for each in found for part in split_list(each.value))

    def line(self, name: str) -> int | None:
        """Return where it is given last."""
        found = self.found.get(name, ())
        return found[-1].line if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesReader:
    """Reads the rules of one file, with what all of them share."""

    options: Options
    portals: tuple[Portal, ...]
    report: Report

    def draft(
        self, rules: Iterable[TraefikRule], *, source: Path
    ) -> tuple[tuple[Draft, ...], list[Problem]]:
        """Return the drafts of all rules, and the problems of those that are none."""
        problems: list[Problem] = []

        def refuse(rule: TraefikRule, reason: str) -> None:
            place = Place(source=str(source), line=rule.line)
            problems.append(
                Problem(place=place, reason=f"{rule.key}.{reason}", remedy="correct it")
            )

        asking: list[Draft] = []
        allowing: list[Draft] = []
        everybody = Criteria(
            domain=tuple(d for p in self.portals for d in everything(p.domain).domain)
        )
        for rule in rules:
            action = rule.values.get("action", "auth")
            try:
                clauses = parse_rule(rule.values.get("rule", ""))
            except ValueError as exc:
                refuse(rule, f"rule {exc}")
                continue
            if action not in _ACTIONS:
                refuse(rule, "action is neither auth nor allow")
            for clause in clauses:
                whole = self._on_hosts(clause, everybody)
                if whole is None:
                    text = "is left out: its hosts are below no cookie domain"
                    self.report.tell(Fate.LEFT, rule.key, rule.line, text)
                    continue
                if action == "allow":
                    allowing += self._draft_one(rule, whole, Policy.BYPASS)
                else:
                    asking += self._draft_people(rule, whole)
        default = TraefikRule(name="default", line=0)
        clause = Clause(inside=everybody, outside=everybody)
        if self.options.text("default-action") == "allow":
            last = [*self._draft_one(default, clause, Policy.BYPASS)]
        else:
            last = self._draft_people(default, clause)
        return (*asking, *allowing, *last), problems

    def _draft_people(self, rule: TraefikRule, clause: Clause) -> list[Draft]:
        """Return who may after signing in, and the refusal of everybody else."""
        subject = self._subject(rule)
        if not subject:
            return list(self._draft_one(rule, clause, Policy.ONE_FACTOR))
        limited = replace(
            clause,
            inside=None
            if clause.inside is None
            else replace(clause.inside, subject=subject),
            outside=replace(clause.outside, subject=subject),
        )
        return [
            *self._draft_one(rule, limited, Policy.ONE_FACTOR),
            *self._draft_one(rule, clause, Policy.DENY),
        ]

    def _subject(self, rule: TraefikRule) -> tuple[tuple[str, ...], ...]:
        """Return whom the lists mean: those of the rule, else those of all rules."""
        people = split_list(rule.values.get("whitelist", ""))
        domains = split_list(rule.values.get("domains", ""))
        if not people and not domains:
            people, domains = (
                self.options.items("whitelist"),
                self.options.items("domain"),
            )
        either = self.options.text("match-whitelist-or-domain").lower() in {
            "true",
            "1",
            "yes",
        }
        if people and not either:
            domains = ()
        for person in people:
            text = f"add the user {person}: forwardauth users add {person}"
            self._tell_once(Fate.TO_DO, "whitelist", text)
        for domain in domains:
            text = f"put whoever has an address at {domain} into the group {domain}"
            self._tell_once(Fate.TO_DO, "domain", text)
        users = [(f"user:{person}",) for person in people]
        return (*users, *((f"group:{domain}",) for domain in domains))

    def _tell_once(self, fate: Fate, key: str, text: str) -> None:
        if all(each.text != text for each in self.report.findings):
            self.report.tell(fate, key, self.options.line(key), text)

    def _draft_one(
        self, rule: TraefikRule, clause: Clause, policy: Policy
    ) -> Iterator[Draft]:
        yield Draft(
            policy=policy,
            key=rule.key,
            line=rule.line or None,
            inside=clause.inside,
            outside=clause.outside,
            reasons=clause.reasons,
            notes=(f"{rule.key}: {rule.values.get('rule', 'everything else')}",),
        )

    def _on_hosts(self, clause: Clause, everybody: Criteria) -> Clause | None:
        """Return *clause* with hosts, which every rule has here; ``None`` without."""
        outside = self._place(clause.outside, everybody)
        if outside is None:
            return None
        inside = clause.inside and self._place(clause.inside, everybody)
        return Clause(inside=inside, outside=outside, reasons=clause.reasons)

    def _place(self, criteria: Criteria, everybody: Criteria) -> Criteria | None:
        if not criteria.domain and not criteria.domain_regex:
            return replace(criteria, domain=everybody.domain)
        domains = [portal.domain for portal in self.portals]
        known = tuple(
            name
            for name in criteria.domain
            if any(name == each or name.endswith(f".{each}") for each in domains)
        )
        if not known and not criteria.domain_regex:
            return None
        return replace(criteria, domain=known)
