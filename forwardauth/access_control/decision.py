"""What a rule says, and what access control concludes from it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Policy(StrEnum):
    """What a rule asks of a subject, in Authelia's words."""

    BYPASS = "bypass"
    ONE_FACTOR = "one_factor"
    TWO_FACTOR = "two_factor"
    DENY = "deny"


class Outcome(StrEnum):
    """What becomes of a request."""

    ALLOW = "allow"
    SIGN_IN = "sign_in"
    FORBIDDEN = "forbidden"


REQUIRED_LEVEL: Final = {
    Policy.BYPASS: 0,
    Policy.ONE_FACTOR: 1,
    Policy.TWO_FACTOR: 2,
}
"""How many factors a policy asks for; ``deny`` has no level that would do."""

DEFAULT_POLICY_REASON: Final = "default_policy"
RULE_REASON: Final = "rule"
PATH_AMBIGUOUS_REASON: Final = "path_ambiguous"
PREFLIGHT_REASON: Final = "preflight"
SCHEME_INSECURE_REASON: Final = "scheme_insecure"
CRITERION_UNCLEAR_REASON: Final = "criterion_unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The conclusion for one request.

    Attributes:
        outcome: What becomes of the request.
        reason: Stable and lower case, for logs and metrics: ``rule``,
            ``default_policy``, ``path_ambiguous``, ``preflight``,
            ``scheme_insecure`` or ``criterion_unclear``.
        rule: Number of the deciding rule, from 1 in the order of the file;
            ``None`` when none decided.
        policy: The policy that applied, or would if the rule is for whoever asks.
        allows_basic: Whether the deciding rule takes ``Authorization: Basic`` for a
            sign-in.
    """

    outcome: Outcome
    reason: str
    rule: int | None
    policy: Policy
    allows_basic: bool = False


def conclude(
    policy: Policy, level: int, *, rule: int | None, allows_basic: bool = False
) -> Decision:
    """Return what *policy* means for a subject who has proven *level* factors.

    ``deny`` forbids everyone: signing in could not change it, so nobody is asked to.
    """
    if policy is Policy.DENY:
        outcome = Outcome.FORBIDDEN
    elif level >= REQUIRED_LEVEL[policy]:
        outcome = Outcome.ALLOW
    else:
        outcome = Outcome.SIGN_IN
    reason = DEFAULT_POLICY_REASON if rule is None else RULE_REASON
    return Decision(
        outcome=outcome,
        reason=reason,
        rule=rule,
        policy=policy,
        allows_basic=allows_basic,
    )


def ask_who(policy: Policy, *, rule: int, allows_basic: bool = False) -> Decision:
    """Return the decision of a rule for certain people, asked by nobody in particular.

    Whatever *policy* says, ``bypass`` and ``deny`` too: only signing in can tell
    whether it is meant.
    """
    return Decision(
        outcome=Outcome.SIGN_IN,
        reason=RULE_REASON,
        rule=rule,
        policy=policy,
        allows_basic=allows_basic,
    )


def refuse_ambiguous_path() -> Decision:
    """Return the decision on a path that rules and applications may read differently.

    No rule is asked, since each could be walked past. Signing in would not help.
    """
    return Decision(
        outcome=Outcome.FORBIDDEN,
        reason=PATH_AMBIGUOUS_REASON,
        rule=None,
        policy=Policy.DENY,
    )


def refuse_unclear(policy: Policy, *, rule: int) -> Decision:
    """Return the decision where nobody can tell whether *rule* is about a request.

    It asks for a sign-in, and a rule further down may be more lenient, or stricter.
    """
    return Decision(
        outcome=Outcome.FORBIDDEN,
        reason=CRITERION_UNCLEAR_REASON,
        rule=rule,
        policy=policy,
    )


def refuse_plain_http(policy: Policy, *, rule: int | None) -> Decision:
    """Return the decision on a request by plain http that *rule* matches.

    Whoever is on the way could read and change it, and no session cookie, which is
    ``Secure``, can come with it. Signing in would not help.
    """
    return Decision(
        outcome=Outcome.FORBIDDEN,
        reason=SCHEME_INSECURE_REASON,
        rule=rule,
        policy=policy,
    )


def conclude_preflight(
    policy: Policy, *, is_allowed: bool, rule: int | None
) -> Decision:
    """Return the decision on a CORS preflight that *rule* matches, whoever sends it.

    A browser sends no cookie with one, so there is nobody to ask who it is.
    """
    passes = is_allowed and policy is not Policy.DENY
    outcome = Outcome.ALLOW if passes else Outcome.FORBIDDEN
    return Decision(outcome=outcome, reason=PREFLIGHT_REASON, rule=rule, policy=policy)
