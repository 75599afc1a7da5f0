"""What a policy means for somebody who has proven so many factors."""

import pytest

from forwardauth.access_control.decision import (
    Decision,
    Outcome,
    Policy,
    ask_who,
    conclude,
)


@pytest.mark.parametrize(
    ("policy", "outcomes"),
    [
        (Policy.BYPASS, (Outcome.ALLOW, Outcome.ALLOW, Outcome.ALLOW)),
        (Policy.ONE_FACTOR, (Outcome.SIGN_IN, Outcome.ALLOW, Outcome.ALLOW)),
        (Policy.TWO_FACTOR, (Outcome.SIGN_IN, Outcome.SIGN_IN, Outcome.ALLOW)),
        (Policy.DENY, (Outcome.FORBIDDEN, Outcome.FORBIDDEN, Outcome.FORBIDDEN)),
    ],
)
def test_outcome_follows_from_policy_and_factors(
    policy: Policy, outcomes: tuple[Outcome, ...]
) -> None:
    """Enough factors pass, fewer are asked for, and ``deny`` asks nobody (V-3)."""
    found = tuple(conclude(policy, level, rule=1).outcome for level in (0, 1, 2))

    assert found == outcomes


def test_deciding_rule_is_named() -> None:
    """Logs say which rule it was, by its number in the file."""
    decision = conclude(Policy.ONE_FACTOR, 1, rule=7)

    assert decision == Decision(
        outcome=Outcome.ALLOW, reason="rule", rule=7, policy=Policy.ONE_FACTOR
    )


def test_default_policy_is_named() -> None:
    """Logs tell a rule from the lack of one."""
    decision = conclude(Policy.DENY, 1, rule=None)

    assert decision == Decision(
        outcome=Outcome.FORBIDDEN,
        reason="default_policy",
        rule=None,
        policy=Policy.DENY,
    )


@pytest.mark.parametrize("policy", Policy)
def test_rule_for_certain_people_asks_who_it_is(policy: Policy) -> None:
    """Nobody in particular neither passes nor is turned away for good by one."""
    decision = ask_who(policy, rule=3)

    assert decision == Decision(
        outcome=Outcome.SIGN_IN, reason="rule", rule=3, policy=policy
    )
