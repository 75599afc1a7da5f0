"""An explanation tells each step to the very decision that verify makes."""

import pytest

from forwardauth.access_control.decision import Outcome, Policy
from forwardauth.access_control.explain import explain
from forwardauth.access_control.matchers import SubjectCriterion
from forwardauth.request import ANONYMOUS, Subject
from tests.support.access import ALICE, BOB, ask, write_rules

RULES = write_rules(
    ("www.example.com *.test", Policy.BYPASS),
    ("app.example.com", Policy.ONE_FACTOR, SubjectCriterion(groups=frozenset({"ops"}))),
    ("*.example.com", Policy.DENY),
    ("*.example.org", Policy.ONE_FACTOR),
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
    explanation = explain(RULES, subject, ask(host))

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
    "host", ["www.example.com", "app.example.com", "a.example.org", "example.net"]
)
def test_verdict_is_that_of_verify(subject: Subject, host: str) -> None:
    """What is explained is what happens."""
    assert explain(RULES, subject, ask(host)).decision == RULES.decide(
        subject, ask(host)
    )


def test_other_host_is_told_with_the_hosts_that_match() -> None:
    """Whoever wonders sees what was compared with what."""
    remark = explain(RULES, ALICE, ask("example.net")).steps[0].remark

    assert "host example.net" in remark
    assert "www.example.com, *.test" in remark


def test_other_user_is_told_by_name() -> None:
    """A rule that matches the host and not the user says so."""
    remark = explain(RULES, BOB, ask("app.example.com")).steps[1].remark

    assert "user bob is not among" in remark


@pytest.mark.parametrize(
    ("subject", "host", "told"),
    [
        (ANONYMOUS, "www.example.com", "for everyone; policy bypass"),
        (ALICE, "app.example.com", "user alice match; policy one_factor"),
        (BOB, "app.example.com", "for everyone; policy deny"),
        (ANONYMOUS, "app.example.com", "nobody is signed in"),
    ],
    ids=["open", "user", "closed", "nobody"],
)
def test_deciding_rule_tells_what_matched(
    subject: Subject, host: str, told: str
) -> None:
    """The last remark says for whom the rule is, and what it asks of them."""
    assert told in explain(RULES, subject, ask(host)).steps[-1].remark
