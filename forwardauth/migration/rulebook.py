"""From rules of a source, as far as they can be said here, to rules that are written.

A draft has two readings. *Inside* matches nothing that the rule of the source does not;
*outside* matches everything that it does. Where they are the same, the rule is said
exactly. Where not, which one is written depends on the policy and on what comes later:

    deny        outside: who is meant is denied, and so are some others
    bypass      inside: who is not let by is judged by a later rule, which is stricter
    one_factor  outside where nothing later denies, inside where nothing later lets by;
                else inside, and deny for the rest of outside

Law: of no request does the written list ask less than the list of the source did.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from forwardauth.access_control.decision import Policy
from forwardauth.migration.criteria import Criteria
from forwardauth.migration.report import Fate, Report
from forwardauth.migration.yaml_text import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule of the source.

    Attributes:
        policy: What it asks for; never ``two_factor``, which is another by now.
        key: What the source calls it.
        line: Where it stands there.
        outside: Matches all that the rule does; ``None`` for nothing at all.
        inside: Matches nothing else; ``None`` for nothing at all.
        reasons: Why the two differ, a clause each.
        allows_preflight: Whether the source lets CORS preflights pass on purpose.
        notes: Comments for the written rule.
    """

    policy: Policy
    key: str
    line: int | None
    outside: Criteria | None
    inside: Criteria | None
    reasons: tuple[str, ...] = ()
    allows_preflight: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRule:
    """A rule of ``config.yaml``."""

    policy: Policy
    criteria: Criteria
    allows_preflight: bool = False
    notes: tuple[str, ...] = ()

    def entries(self) -> tuple[Entry, ...]:
        """Return the keys of the rule; the first one carries the comments."""
        first, *rest = self.criteria.entries()
        keys = [Entry(name=first.name, value=first.value, notes=self.notes), *rest]
        keys.append(Entry(name="policy", value=self.policy.value))
        if self.allows_preflight:
            keys.append(Entry(name="preflight", value="allow"))
        return tuple(keys)


def settle(
    drafts: Sequence[Draft], *, default_policy: Policy, report: Report
) -> tuple[WrittenRule, ...]:
    """Return the rules to write, and tell in *report* what has become of each draft."""
    written: list[WrittenRule] = []
    for index, draft in enumerate(drafts):
        rules = _settle_one(drafts, index, default_policy)
        _tell(draft, rules, len(written) + 1, report)
        written += rules
    return tuple(written)


def _settle_one(
    drafts: Sequence[Draft], index: int, default_policy: Policy
) -> list[WrittenRule]:
    draft = drafts[index]
    inside, outside = draft.inside, draft.outside
    if outside is None or inside == outside or draft.policy is Policy.BYPASS:
        return _write(draft, inside)
    if draft.policy is Policy.DENY:
        return _write(draft, outside)
    later = _later_policies(drafts, index, outside, default_policy)
    if Policy.DENY not in later:
        return _write(draft, outside)
    if Policy.BYPASS not in later:
        return _write(draft, inside)
    rest = WrittenRule(
        policy=Policy.DENY,
        criteria=outside,
        notes=(f"the rest of {draft.key}, which cannot be told from others here",),
    )
    return [*_write(draft, inside), rest]


def _write(draft: Draft, criteria: Criteria | None) -> list[WrittenRule]:
    if criteria is None:
        return []
    return [
        WrittenRule(
            policy=draft.policy,
            criteria=criteria,
            allows_preflight=draft.allows_preflight,
            notes=draft.notes,
        )
    ]


def _later_policies(
    drafts: Sequence[Draft], index: int, mine: Criteria, default_policy: Policy
) -> set[Policy]:
    """Return what may decide about *mine* where the draft at *index* does not."""
    policies: set[Policy] = set()
    for other in drafts[index + 1 :]:
        if other.outside is None or not mine.shares_hosts(other.outside):
            continue
        policies.add(other.policy)
        is_last = other.inside == other.outside and other.outside.is_for_hosts_alone
        if is_last and other.outside.covers_hosts(mine):
            return policies
    return policies | {default_policy}


def _tell(
    draft: Draft, rules: Sequence[WrittenRule], number: int, report: Report
) -> None:
    why = "; ".join(draft.reasons)
    if draft.outside is None:
        text = f"is left out, since it never matches here: {why}"
        report.tell(Fate.LEFT, draft.key, draft.line, text)
        return
    if not rules:
        text = f"is left out, so that a later rule decides: {why}"
        report.tell(Fate.STRICTER, draft.key, draft.line, text)
        return
    numbers = (
        f"rule {number}" if len(rules) == 1 else f"rules {number} and {number + 1}"
    )
    if draft.inside == draft.outside:
        text = f"{numbers}, policy {draft.policy}{f': {why}' if why else ''}"
        report.tell(Fate.TAKEN, draft.key, draft.line, text)
        return
    if len(rules) > 1:
        effect = f"{numbers}, where what cannot be told is denied"
    elif rules[0].criteria == draft.outside:
        effect = f"{numbers}, {draft.policy} for more than the source says"
    else:
        effect = f"{numbers}, {draft.policy} for less than the source says"
    report.tell(Fate.STRICTER, draft.key, draft.line, f"{effect}: {why}")
