"""Rules, and the pure function that every verify answer rests on.

Laws: the first rule that matches wins; every criterion of a rule is needed; what no
rule matches falls to ``default_policy``. ``decide`` is synchronous, does no I/O and
keeps nothing between two calls, so that any caller may ask it about any request.

A path with two readings is denied before the first rule wherever a rule for that host
looks at the path: no order of rules makes it safe to go on. A request by plain http is
denied whatever the rule says that matches it, unless that rule is open on purpose to
what comes by plain http.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.criteria import Match
from forwardauth.access_control.decision import (
    Decision,
    Policy,
    ask_who,
    conclude,
    conclude_preflight,
    refuse_ambiguous_path,
    refuse_plain_http,
    refuse_unclear,
)
from forwardauth.access_control.index import HostIndex
from forwardauth.access_control.rule import Rule
from forwardauth.request import OriginalRequest, Subject

MAX_HOSTS: Final = 256
"""Of how many hosts the rules are known, once they have been looked for."""


@dataclass(frozen=True, kw_only=True)
class AccessControl:
    """All rules in order, and what applies where none matches."""

    default_policy: Policy = Policy.DENY
    rules: tuple[Rule, ...] = ()

    def decide(self, subject: Subject, original: OriginalRequest) -> Decision:
        """Return what becomes of *original* when *subject* asks for it.

        A rule for certain users or groups also stops a subject who is not signed in:
        whether it is meant can only be told after signing in, and a rule further down
        must not decide in its place.
        """
        return self.select(original).decide(subject)

    def select(self, original: OriginalRequest) -> "Selection":
        """Return the rules that decide about *original*, whoever asks for it."""
        asked = Asked(original)
        is_ambiguous = asked.path is None and self.looks_at_path(original.host)
        rules: list[Rule] = []
        unclear: set[int] = set()
        for rule in () if is_ambiguous else self._rules_for(original.host):
            match = rule.check_criteria(asked)
            if match is Match.NO or (match is Match.UNKNOWN and rule.is_bypass):
                continue
            if match is Match.UNKNOWN and rule.policy is not Policy.DENY:
                unclear.add(rule.number)
            rules.append(rule)
            if rule.subject.is_for_everyone:
                break  # No other one has a say.
        return Selection(
            original=original,
            is_ambiguous=is_ambiguous,
            rules=tuple(rules),
            unclear=frozenset(unclear),
            default_policy=self.default_policy,
        )

    def looks_at_path(self, host: str) -> bool:
        """Whether a rule that is for *host* has a criterion about the path."""
        return any(
            rule.matches_host(host) for rule in self._path_index.candidates(host)
        )

    def _rules_for(self, host: str) -> tuple[Rule, ...]:
        """Return the rules for *host* in order, up to one that always decides."""
        known = self._by_host.get(host)
        if known is not None:
            return known
        found: list[Rule] = []
        for rule in self._index.candidates(host):
            if rule.matches_host(host) and (not found or found[-1] is not rule):
                found.append(rule)
                if rule.decides_always:
                    break
        if len(self._by_host) >= MAX_HOSTS:
            self._by_host.clear()
        self._by_host[host] = tuple(found)
        return self._by_host[host]

    @cached_property
    def _by_host(self) -> dict[str, tuple[Rule, ...]]:
        return {}

    @cached_property
    def _index(self) -> HostIndex["Rule"]:
        return HostIndex(self.rules)

    @cached_property
    def _path_index(self) -> HostIndex["Rule"]:
        return HostIndex(tuple(rule for rule in self.rules if rule.path is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the rules say to one request, as far as that does not depend on who asks.

    Attributes:
        original: The request.
        is_ambiguous: Whether a rule for the host looks at the path, which has several
            readings.
        rules: Those that match it or could, in order, up to the first one for everyone.
            What cannot be told never lets anybody in: a ``bypass`` rule is none of
            them then.
        unclear: Numbers of those that ask for a sign-in and of which it cannot be told.
        default_policy: What applies where none of them decides.
    """

    original: OriginalRequest
    is_ambiguous: bool
    rules: tuple[Rule, ...]
    unclear: frozenset[int]
    default_policy: Policy

    def decide(self, subject: Subject) -> Decision:
        """Return what becomes of the request when *subject* asks; as ``decide``."""
        if self.is_ambiguous:
            return refuse_ambiguous_path()
        for rule in self.rules:
            decision = self._ask(rule, subject)
            if decision is not None:
                return decision
        return self._conclude_by_default(subject)

    def _ask(self, rule: Rule, subject: Subject) -> Decision | None:
        """Return what *rule* says, ``None`` where the next one is to be asked."""
        original = self.original
        is_meant = rule.subject.is_for_everyone or (
            not subject.is_anonymous and rule.subject.matches(subject)
        )
        if rule.number in self.unclear:
            if is_meant or subject.is_anonymous:
                return refuse_unclear(rule.policy, rule=rule.number)
        elif original.is_plain_http and not rule.allows_plain_http:
            return refuse_plain_http(rule.policy, rule=rule.number)
        elif original.is_preflight:
            allowed = rule.allows_preflight
            return conclude_preflight(rule.policy, is_allowed=allowed, rule=rule.number)
        elif is_meant:
            return conclude(
                rule.policy,
                subject.level,
                rule=rule.number,
                allows_basic=rule.allows_basic,
            )
        elif subject.is_anonymous:
            return ask_who(
                rule.policy, rule=rule.number, allows_basic=rule.allows_basic
            )
        return None

    def _conclude_by_default(self, subject: Subject) -> Decision:
        if self.original.is_plain_http:
            return refuse_plain_http(self.default_policy, rule=None)
        if self.original.is_preflight:
            return conclude_preflight(self.default_policy, is_allowed=False, rule=None)
        return conclude(self.default_policy, subject.level, rule=None)
