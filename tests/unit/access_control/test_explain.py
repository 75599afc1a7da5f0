"""An explanation tells each step to the very decision that verify makes."""

import pytest

from forwardauth.access_control.criteria import Match
from forwardauth.access_control.decision import Outcome, Policy
from forwardauth.access_control.explain import Check, explain
from forwardauth.access_control.matchers import SubjectCriterion
from forwardauth.request import ANONYMOUS, OriginalRequest, Subject
from tests.support.access import (
    ALICE,
    BOB,
    ask,
    in_order,
    methods,
    networks,
    paths,
    query,
    rule,
)

FOR_OPS = SubjectCriterion(groups=frozenset({"ops"}))
RULES = in_order(
    rule("www.example.com *.test", Policy.BYPASS),
    rule("app.example.com", subject=FOR_OPS),
    rule("*.example.com", Policy.DENY),
    rule("*.example.org", path=paths("/admin"), allows_preflight=True),
)


@pytest.mark.parametrize(
    ("subject", "host", "outcome", "tried"),
    [
        (ANONYMOUS, "www.example.com", Outcome.ALLOW, 1),
        (ANONYMOUS, "app.example.com", Outcome.SIGN_IN, 2),
        (ALICE, "app.example.com", Outcome.ALLOW, 2),
        (BOB, "app.example.com", Outcome.FORBIDDEN, 3),
        (BOB, "b.example.org", Outcome.ALLOW, 4),
    ],
)
def test_walk_ends_with_the_deciding_rule(
    subject: Subject, host: str, outcome: Outcome, tried: int
) -> None:
    """Every rule up to the one that decides is told, and none after it."""
    explanation = explain(RULES, subject, ask(host, "/admin"))

    steps = explanation.steps
    assert explanation.decision.outcome is outcome
    assert [step.rule for step in steps] == list(range(1, tried + 1))
    assert [step.is_deciding for step in steps] == [False] * (tried - 1) + [True]


def test_every_rule_is_told_where_none_decides() -> None:
    """Where the default policy applies, each rule has its reason why it did not."""
    explanation = explain(RULES, ALICE, ask("example.net"))

    assert [step.rule for step in explanation.steps] == [1, 2, 3, 4]
    assert not any(step.is_deciding for step in explanation.steps)
    assert explanation.decision.reason == "default_policy"


@pytest.mark.parametrize("subject", [ANONYMOUS, ALICE, BOB], ids=lambda s: s.username)
@pytest.mark.parametrize(
    "original",
    [
        ask("www.example.com"),
        ask("app.example.com", "/x%2fy"),
        ask("a.example.org", "/x%2fy"),
        ask("a.example.org", "/admin", is_preflight=True),
        ask("example.net"),
    ],
    ids=["open", "no path rule", "ambiguous", "preflight", "elsewhere"],
)
def test_verdict_is_that_of_verify(subject: Subject, original: OriginalRequest) -> None:
    """What is explained is what happens."""
    decision = RULES.decide(subject, original)

    assert explain(RULES, subject, original).decision == decision


def test_no_rule_is_tried_for_an_ambiguous_path() -> None:
    """It is denied before the first (V-19)."""
    explanation = explain(RULES, ALICE, ask("a.example.org", "/x/../admin"))

    assert explanation.steps == ()
    assert explanation.decision.reason == "path_ambiguous"


def test_other_host_is_all_that_is_told_of_a_rule_for_others() -> None:
    """Nothing else of such a rule matters."""
    step = explain(RULES, ALICE, ask("example.net")).steps[0]

    wanted = "www.example.com, *.test"
    assert step.checks == (Check(name="domain", match=Match.NO, wanted=wanted),)
    assert step.policy is Policy.BYPASS


@pytest.mark.parametrize(
    ("subject", "match"),
    [(ALICE, Match.YES), (BOB, Match.NO), (ANONYMOUS, Match.UNKNOWN)],
    ids=["member", "other", "nobody"],
)
def test_people_are_told_last(subject: Subject, match: Match) -> None:
    """Whether nobody in particular is meant cannot be told."""
    step = explain(RULES, subject, ask()).steps[1]

    assert step.checks[-1] == Check(name="subject", match=match, wanted="group:ops")


def test_every_criterion_is_told_with_its_outcome() -> None:
    """Also those after the first that does not match."""
    rules = in_order(
        rule(
            "app.example.com",
            methods=methods("GET"),
            path=paths("/a"),
            query=query("b present"),
            networks=networks("10.0.0.0/8"),
        )
    )

    (step,) = explain(rules, ALICE, ask(uri="/x?b", method="PUT", client=None)).steps

    assert [(c.name, c.match, c.wanted) for c in step.checks] == [
        ("domain", "yes", "app.example.com"),
        ("methods", "no", "GET"),
        ("path", "no", "/a"),
        ("query", "yes", "b present"),
        ("networks", "unknown", "10.0.0.0/8"),
        ("subject", "yes", "everybody"),
    ]


def test_nobody_is_compared_for_a_preflight() -> None:
    """It is decided without anybody (V-38)."""
    original = ask(is_preflight=True)

    steps = explain(RULES, ANONYMOUS, original).steps

    assert [check.name for check in steps[-1].checks] == ["domain"]
