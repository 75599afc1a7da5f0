"""Drafts become rules that ask for no less: which of two readings is written."""

import pytest

from forwardauth.access_control.decision import Policy
from forwardauth.migration.criteria import Criteria
from forwardauth.migration.report import Fate, Report
from forwardauth.migration.rulebook import Draft, WrittenRule, settle

HOST = Criteria(domain=("a.example.com",))
INSIDE = Criteria(domain=("a.example.com",), path_regex=("/a/.*",))
OUTSIDE = Criteria(domain=("a.example.com",), path_regex=("/a.*",))

DENY, ONE, BYPASS = Policy.DENY, Policy.ONE_FACTOR, Policy.BYPASS


def draft(policy: Policy, inside: Criteria | None, outside: Criteria | None) -> Draft:
    """Return a draft with these two readings."""
    return Draft(
        policy=policy,
        key="rule",
        line=7,
        inside=inside,
        outside=outside,
        reasons=("it is odd",),
    )


def exact(policy: Policy, criteria: Criteria = HOST) -> Draft:
    """Return a draft that is said exactly."""
    return draft(policy, criteria, criteria)


def written(*drafts: Draft, default: Policy = DENY) -> list[tuple[Policy, Criteria]]:
    """Return what is written for the first of *drafts*."""
    report = Report(source="x.yml")
    count = len(settle(drafts[1:], default_policy=default, report=report))
    rules = settle(drafts, default_policy=default, report=report)
    return [(rule.policy, rule.criteria) for rule in rules[: len(rules) - count]]


ODD = {
    "a denial is widened": (DENY, [], DENY, [(DENY, OUTSIDE)]),
    "a bypass is narrowed": (BYPASS, [], DENY, [(BYPASS, INSIDE)]),
    "a bypass is narrowed though nothing denies": (
        BYPASS,
        [ONE],
        ONE,
        [(BYPASS, INSIDE)],
    ),
    "narrowed where nothing later lets by": (ONE, [DENY], BYPASS, [(ONE, INSIDE)]),
    "narrowed before the default alone": (ONE, [], DENY, [(ONE, INSIDE)]),
    "widened where nothing later denies": (ONE, [BYPASS], DENY, [(ONE, OUTSIDE)]),
    "widened before the default alone": (ONE, [], BYPASS, [(ONE, OUTSIDE)]),
}


@pytest.mark.parametrize(
    ("policy", "later", "default", "wanted"), ODD.values(), ids=ODD
)
def test_the_reading_depends_on_what_comes_later(
    policy: Policy,
    later: list[Policy],
    default: Policy,
    wanted: list[tuple[Policy, Criteria]],
) -> None:
    """A later rule for the whole host keeps the default from deciding."""
    drafts = [draft(policy, INSIDE, OUTSIDE), *map(exact, later)]

    assert written(*drafts, default=default) == wanted


def test_what_cannot_be_told_is_denied_between_bypass_and_deny() -> None:
    """Neither reading alone would be as strict as the source for everybody."""
    later = exact(BYPASS, Criteria(domain=("a.example.com",), methods=("GET",)))

    rules = written(draft(ONE, INSIDE, OUTSIDE), later, default=DENY)

    assert rules == [(ONE, INSIDE), (DENY, OUTSIDE)]


def test_rules_for_other_hosts_do_not_count() -> None:
    """They decide about nothing that the rule is about."""
    later = exact(BYPASS, Criteria(domain=("b.example.com",)))

    rules = written(draft(ONE, INSIDE, OUTSIDE), later, default=DENY)

    assert rules == [(ONE, INSIDE)]


def test_a_wildcard_behind_it_counts() -> None:
    """It covers the host, so that nothing after it is asked."""
    later = exact(ONE, Criteria(domain=("*.example.com",)))

    rules = written(draft(ONE, INSIDE, OUTSIDE), later, default=BYPASS)

    assert rules == [(ONE, OUTSIDE)]


def test_an_exact_rule_is_taken_over() -> None:
    """With its number, its policy and its line."""
    report = Report(source="x.yml")

    rules = settle([exact(ONE)], default_policy=DENY, report=report)

    assert rules == (WrittenRule(policy=ONE, criteria=HOST),)
    (found,) = report.findings
    assert (found.fate, found.line) == (Fate.TAKEN, 7)
    assert found.text.startswith("rule 1, policy one_factor")


FATES = {
    "narrowed": (draft(BYPASS, INSIDE, OUTSIDE), Fate.STRICTER, "for less"),
    "widened": (draft(DENY, INSIDE, OUTSIDE), Fate.STRICTER, "for more"),
    "left out": (draft(BYPASS, None, OUTSIDE), Fate.STRICTER, "is left out"),
    "never": (draft(BYPASS, None, None), Fate.LEFT, "never matches here"),
}


@pytest.mark.parametrize(("odd", "fate", "word"), FATES.values(), ids=FATES)
def test_what_is_not_exact_is_told_with_its_reason(
    odd: Draft, fate: Fate, word: str
) -> None:
    """Nobody has to compare the two files to find it."""
    report = Report(source="x.yml")

    settle([odd], default_policy=DENY, report=report)

    (found,) = report.findings
    assert found.fate is fate
    assert word in found.text
    assert "it is odd" in found.text


def test_a_rule_is_written_with_its_comments_on_top() -> None:
    """The comments are those of its first key."""
    rule = WrittenRule(
        policy=BYPASS, criteria=HOST, allows_preflight=True, notes=("from x",)
    )

    keys = [(each.name, each.value, each.notes) for each in rule.entries()]

    assert keys == [
        ("domain", "a.example.com", ("from x",)),
        ("policy", "bypass", ()),
        ("preflight", "allow", ()),
    ]
