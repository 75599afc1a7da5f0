"""The same decision as ``rules.AccessControl.decide``, with each step told."""

from dataclasses import dataclass

from forwardauth.access_control.decision import Decision
from forwardauth.access_control.rules import AccessControl, Rule
from forwardauth.request import OriginalRequest, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule that was tried.

    Attributes:
        rule: Number of the rule, from 1.
        is_deciding: Whether the walk ended here.
        remark: In words, which criterion failed or that all of them matched.
    """

    rule: int
    is_deciding: bool
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All rules tried, in order, and the verdict that ``decide`` gives."""

    steps: tuple[Step, ...]
    decision: Decision


def explain(
    access_control: AccessControl, subject: Subject, original: OriginalRequest
) -> Explanation:
    """Return the decision for *original* with the remark on each rule tried.

    The verdict is the one of ``decide`` itself; only the remarks are worked out here.
    """
    decision = access_control.decide(subject, original)
    steps: list[Step] = []
    for rule in access_control.rules:
        is_deciding = rule.number == decision.rule
        remark = _remark(rule, subject, original)
        steps.append(Step(rule=rule.number, is_deciding=is_deciding, remark=remark))
        if is_deciding:
            break
    return Explanation(steps=tuple(steps), decision=decision)


def _remark(rule: Rule, subject: Subject, original: OriginalRequest) -> str:
    if not rule.matches_object(original):
        wanted = ", ".join(map(str, rule.domains))
        return f"host {original.host} is not among {wanted}"
    if rule.subject.is_for_everyone:
        return f"host matches; for everyone; policy {rule.policy}"
    if subject.is_anonymous:
        return "host matches; for certain users or groups, and nobody is signed in"
    if rule.subject.matches(subject):
        return f"host and user {subject.username} match; policy {rule.policy}"
    return f"user {subject.username} is not among its users and groups"
