"""Rules, and the pure function that every verify answer rests on.

Laws: the first rule that matches wins; every criterion of a rule is needed; what no
rule matches falls to ``default_policy``. ``decide`` is synchronous, does no I/O and
keeps nothing between two calls, so that any caller may ask it about any request.
"""

from dataclasses import dataclass
from functools import cached_property

from forwardauth.access_control.decision import Decision, Policy, ask_who, conclude
from forwardauth.access_control.matchers import DomainPattern, SubjectCriterion
from forwardauth.request import OriginalRequest, Subject

EVERYONE = SubjectCriterion()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of ``access_control.rules``.

    Attributes:
        number: Its place in the file, from 1.
        policy: What it asks of those it matches.
        domains: Any of them must match the host; at least one.
        subject: Whom it is for.
    """

    number: int
    policy: Policy
    domains: tuple[DomainPattern, ...]
    subject: SubjectCriterion = EVERYONE

    def matches_object(self, original: OriginalRequest) -> bool:
        """Whether all criteria but the subject match."""
        return any(pattern.matches(original.host) for pattern in self.domains)


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
        for rule in self._candidates(original.host):
            if rule.subject.is_for_everyone or (
                not subject.is_anonymous and rule.subject.matches(subject)
            ):
                return conclude(rule.policy, subject.level, rule=rule.number)
            if subject.is_anonymous:
                return ask_who(rule.policy, rule=rule.number)
        return conclude(self.default_policy, subject.level, rule=None)

    @cached_property
    def _exact(self) -> dict[str, tuple[Rule, ...]]:
        """For each host named exactly, the rules that could match it, in order."""
        names = {p.name for r in self.rules for p in r.domains if not p.is_wildcard}
        return {name: self._matching(name) for name in names}

    @cached_property
    def _below(self) -> dict[str, tuple[Rule, ...]]:
        """For each wildcard's name, the rules that match any host below it."""
        names = {p.name for r in self.rules for p in r.domains if p.is_wildcard}
        return {name: self._matching(f"*.{name}") for name in names}

    def _matching(self, host: str) -> tuple[Rule, ...]:
        return tuple(
            rule
            for rule in self.rules
            if any(pattern.matches(host) for pattern in rule.domains)
        )

    def _candidates(self, host: str) -> tuple[Rule, ...]:
        """Return the rules whose domains match *host*, in order.

        A host that is not named itself shares the rules of the longest wildcard above
        it, so the cost depends on the labels of the host and not on rules for others.
        """
        exact = self._exact.get(host)
        if exact is not None:
            return exact
        _, _, name = host.partition(".")
        while name:
            found = self._below.get(name)
            if found is not None:
                return found
            _, _, name = name.partition(".")
        return ()
