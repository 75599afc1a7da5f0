"""What a policy means for somebody who has proven so many factors."""

import pytest

from forwardauth.access_control.decision import (
    Decision,
    Outcome,
    Policy,
    ask_who,
    conclude,
    conclude_preflight,
    refuse_ambiguous_path,
    refuse_plain_http,
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


def test_ambiguous_path_is_forbidden_to_everybody() -> None:
    """Its reason is stable, and no rule has decided (V-19)."""
    assert refuse_ambiguous_path() == Decision(
        outcome=Outcome.FORBIDDEN,
        reason="path_ambiguous",
        rule=None,
        policy=Policy.DENY,
    )


@pytest.mark.parametrize(
    ("policy", "is_allowed", "outcome"),
    [
        (Policy.BYPASS, False, Outcome.FORBIDDEN),
        (Policy.ONE_FACTOR, False, Outcome.FORBIDDEN),
        (Policy.BYPASS, True, Outcome.ALLOW),
        (Policy.ONE_FACTOR, True, Outcome.ALLOW),
        (Policy.DENY, True, Outcome.FORBIDDEN),
    ],
)
def test_preflight_passes_where_its_rule_says_so(
    policy: Policy, is_allowed: bool, outcome: Outcome
) -> None:
    """Nobody is asked to sign in, and ``deny`` stays closed (V-38)."""
    decision = conclude_preflight(policy, is_allowed=is_allowed, rule=2)

    assert decision == Decision(
        outcome=outcome, reason="preflight", rule=2, policy=policy
    )


@pytest.mark.parametrize("policy", Policy)
def test_plain_http_is_forbidden_whatever_the_policy(policy: Policy) -> None:
    """Its reason is stable, and the rule that it met is named (V-15)."""
    assert refuse_plain_http(policy, rule=4) == Decision(
        outcome=Outcome.FORBIDDEN, reason="scheme_insecure", rule=4, policy=policy
    )
