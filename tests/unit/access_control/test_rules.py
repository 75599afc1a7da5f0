"""The first rule that matches wins, and what no rule matches is denied."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.access_control.decision import Outcome, Policy
from forwardauth.access_control.matchers import SubjectCriterion
from forwardauth.access_control.rules import AccessControl
from forwardauth.request import ANONYMOUS, Subject
from tests.support.access import ALICE, BOB, ask, write_rules

FOR_ALICE: Final = SubjectCriterion(users=frozenset({"alice"}))
FOR_OPS: Final = SubjectCriterion(groups=frozenset({"ops"}))

NAMES: Final = ("a.test", "b.a.test", "c.b.a.test", "b.test", "test", "xa.test")
HOSTS: Final = (*NAMES, "d.c.b.a.test", "x.test", "x.a.test", "x.b.a.test", "other")
PEOPLE: Final = (
    ANONYMOUS,
    ALICE,
    BOB,
    Subject(username="carol", groups=frozenset({"ops"}), level=2),
)
FACTORS: Final = {Policy.BYPASS: 0, Policy.ONE_FACTOR: 1, Policy.TWO_FACTOR: 2}

PATTERNS: Final = st.sampled_from([*NAMES, *(f"*.{name}" for name in NAMES)])
ENTRIES: Final = st.tuples(
    st.lists(PATTERNS, min_size=1, max_size=3).map(" ".join),
    st.sampled_from(Policy),
    st.sampled_from([SubjectCriterion(), SubjectCriterion(), FOR_ALICE, FOR_OPS]),
)


@pytest.mark.parametrize("subject", [ANONYMOUS, ALICE], ids=["nobody", "alice"])
@pytest.mark.parametrize(
    "rules",
    [AccessControl(), write_rules(("www.example.com", Policy.BYPASS))],
    ids=["no rules", "rules for others"],
)
def test_what_no_rule_matches_is_denied(rules: AccessControl, subject: Subject) -> None:
    """A miss is a denial, and not a way to the portal, for anybody (V-1)."""
    decision = rules.decide(subject, ask())

    assert decision.outcome is Outcome.FORBIDDEN
    assert (decision.rule, decision.reason) == (None, "default_policy")


@pytest.mark.parametrize(
    ("policy", "nobody", "alice"),
    [
        (Policy.DENY, Outcome.FORBIDDEN, Outcome.FORBIDDEN),
        (Policy.ONE_FACTOR, Outcome.SIGN_IN, Outcome.ALLOW),
        (Policy.TWO_FACTOR, Outcome.SIGN_IN, Outcome.SIGN_IN),
        (Policy.BYPASS, Outcome.ALLOW, Outcome.ALLOW),
    ],
)
def test_default_policy_applies_where_no_rule_does(
    policy: Policy, nobody: Outcome, alice: Outcome
) -> None:
    """The default policy asks for what a rule would."""
    rules = write_rules(default_policy=policy)

    outcomes = [rules.decide(who, ask()).outcome for who in (ANONYMOUS, ALICE)]

    assert outcomes == [nobody, alice]


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("app.example.com", "app.example.com", Outcome.FORBIDDEN),
        ("*.example.com", "app.example.com", Outcome.FORBIDDEN),
        ("app.example.com", "*.example.com", Outcome.FORBIDDEN),
        ("www.example.com", "*.example.com", Outcome.ALLOW),
        ("example.com", "*.example.com", Outcome.ALLOW),
        ("*.app.example.com", "*.example.com", Outcome.ALLOW),
        ("www.example.com *.example.com", "app.example.com", Outcome.FORBIDDEN),
    ],
)
def test_first_match_wins(first: str, second: str, outcome: Outcome) -> None:
    """Order decides, and not how exactly a rule names the host."""
    rules = write_rules((first, Policy.DENY), (second, Policy.BYPASS))

    assert rules.decide(ANONYMOUS, ask("app.example.com")).outcome is outcome


def test_rule_of_a_shorter_wildcard_is_not_hidden() -> None:
    """A longer wildcard further down does not overtake a shorter one."""
    rules = write_rules(
        ("*.example.com", Policy.DENY), ("*.dev.example.com", Policy.BYPASS)
    )

    decision = rules.decide(ANONYMOUS, ask("a.dev.example.com"))

    assert (decision.outcome, decision.rule) == (Outcome.FORBIDDEN, 1)


@pytest.mark.parametrize(
    ("criterion", "alice", "bob"),
    [(FOR_ALICE, 1, 2), (FOR_OPS, 1, 2)],
    ids=["user", "group"],
)
def test_rule_for_others_is_passed_over(
    criterion: SubjectCriterion, alice: int, bob: int
) -> None:
    """Who is signed in and not meant falls to the next rule."""
    rules = write_rules(
        ("*.example.com", Policy.ONE_FACTOR, criterion), ("*.example.com", Policy.DENY)
    )

    decisions = [rules.decide(who, ask()) for who in (ALICE, BOB)]

    assert [decision.rule for decision in decisions] == [alice, bob]
    assert [decision.outcome for decision in decisions] == [
        Outcome.ALLOW,
        Outcome.FORBIDDEN,
    ]


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("later", [Policy.BYPASS, Policy.DENY])
def test_nobody_is_asked_to_sign_in_before_a_rule_for_certain_people(
    policy: Policy, later: Policy
) -> None:
    """A later rule neither lets in nor turns away whom an earlier one may be for."""
    rules = write_rules(("*.example.com", policy, FOR_ALICE), ("*.example.com", later))

    decision = rules.decide(ANONYMOUS, ask())

    assert (decision.outcome, decision.rule) == (Outcome.SIGN_IN, 1)
    assert decision.policy is policy


def test_nobody_passes_by_a_rule_before_one_for_certain_people() -> None:
    """The order holds for anonymous people as well."""
    rules = write_rules(
        ("app.example.com", Policy.BYPASS),
        ("*.example.com", Policy.ONE_FACTOR, FOR_ALICE),
    )

    assert rules.decide(ANONYMOUS, ask()).outcome is Outcome.ALLOW


@pytest.mark.parametrize("policy", Policy)
def test_name_without_a_proven_factor_is_nobody(policy: Policy) -> None:
    """A half-finished login does not count as the user it names (V-3)."""
    pending = Subject(username="alice", groups=frozenset({"ops"}), level=0)
    rules = write_rules(("*.example.com", policy, FOR_ALICE))

    assert rules.decide(pending, ask()).outcome is Outcome.SIGN_IN


def test_answer_does_not_depend_on_who_asked_before() -> None:
    """Nothing is kept between two calls that could reach another person."""
    rules = write_rules(
        ("app.example.com", Policy.ONE_FACTOR, FOR_ALICE),
        ("*.example.com", Policy.DENY),
    )

    decisions = [rules.decide(who, ask()) for who in (*PEOPLE, *reversed(PEOPLE))]

    assert decisions[:4] == decisions[:3:-1]


def _walk(
    entries: list[tuple[str, Policy, SubjectCriterion]],
    default: Policy,
    subject: Subject,
    host: str,
) -> tuple[Outcome, int | None]:
    """Return outcome and rule as the documentation says it, rule by rule."""
    for number, (texts, policy, people) in enumerate(entries, start=1):
        if not any(
            host == text or (text[0] == "*" and host.endswith(text[1:]))
            for text in texts.split()
        ):
            continue
        is_open = people == SubjectCriterion()
        if not is_open and subject.level == 0:
            return Outcome.SIGN_IN, number
        if (
            is_open
            or subject.username in people.users
            or subject.groups & people.groups
        ):
            return _apply(policy, subject), number
    return _apply(default, subject), None


def _apply(policy: Policy, subject: Subject) -> Outcome:
    if policy is Policy.DENY:
        return Outcome.FORBIDDEN
    return Outcome.ALLOW if subject.level >= FACTORS[policy] else Outcome.SIGN_IN


@given(
    entries=st.lists(ENTRIES, max_size=6),
    default=st.sampled_from(Policy),
    subject=st.sampled_from(PEOPLE),
)
def test_index_agrees_with_a_walk_over_all_rules(
    entries: list[tuple[str, Policy, SubjectCriterion]],
    default: Policy,
    subject: Subject,
) -> None:
    """Looking rules up by host decides as trying every rule in order does."""
    rules = write_rules(*entries, default_policy=default)

    decisions = {host: rules.decide(subject, ask(host)) for host in HOSTS}

    assert {host: (d.outcome, d.rule) for host, d in decisions.items()} == {
        host: _walk(entries, default, subject, host) for host in HOSTS
    }
