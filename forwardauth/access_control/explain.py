"""The same decision as ``rules.AccessControl.decide``, with each step told."""

from collections.abc import Iterator
from dataclasses import dataclass

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.criteria import Match
from forwardauth.access_control.decision import PATH_AMBIGUOUS_REASON, Decision, Policy
from forwardauth.access_control.rule import Rule
from forwardauth.access_control.rules import AccessControl
from forwardauth.request import OriginalRequest, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One criterion of a rule.

    Attributes:
        name: Of the key, or ``subject`` for all that ask who somebody is.
        match: What it says about the request.
        wanted: What it was compared with, as written.
    """

    name: str
    match: Match
    wanted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule that was tried.

    Attributes:
        rule: Number of the rule, from 1.
        policy: Its policy.
        is_deciding: Whether the walk ended here.
        checks: The host first. Nothing else is compared where it is another host.
    """

    rule: int
    policy: Policy
    is_deciding: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All rules tried, in order, and the verdict that ``decide`` gives."""

    steps: tuple[Step, ...]
    decision: Decision


def explain(
    access_control: AccessControl, subject: Subject, original: OriginalRequest
) -> Explanation:
    """Return the decision for *original* with each criterion of each rule tried.

    The verdict is the one of ``decide`` itself; only the checks are worked out here. No
    rule is tried for an ambiguous path.
    """
    decision = access_control.decide(subject, original)
    if decision.reason == PATH_AMBIGUOUS_REASON:
        return Explanation(steps=(), decision=decision)
    asked = Asked(original)
    steps: list[Step] = []
    for rule in access_control.rules:
        is_deciding = rule.number == decision.rule
        step = Step(
            rule=rule.number,
            policy=rule.policy,
            is_deciding=is_deciding,
            checks=tuple(_checks(rule, subject, asked)),
        )
        steps.append(step)
        if is_deciding:
            break
    return Explanation(steps=tuple(steps), decision=decision)


def _checks(rule: Rule, subject: Subject, asked: Asked) -> Iterator[Check]:
    is_meant = rule.matches_host(asked.original.host)
    match = Match.YES if is_meant else Match.NO
    yield Check(name="domain", match=match, wanted=rule.hosts)
    if not is_meant:
        return
    for name, criterion in rule.criteria():
        yield Check(name=name, match=criterion.check(asked), wanted=str(criterion))
    if not asked.original.is_preflight:
        match = _match_subject(rule, subject)
        yield Check(name="subject", match=match, wanted=str(rule.subject))


def _match_subject(rule: Rule, subject: Subject) -> Match:
    if rule.subject.is_for_everyone:
        return Match.YES
    if subject.is_anonymous:
        return Match.UNKNOWN
    return Match.YES if rule.subject.matches(subject) else Match.NO
