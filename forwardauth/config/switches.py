"""The switches of a rule: what it lets pass besides, and where that makes sense.

Law: a switch that opens something is refused beside a policy that it contradicts. One
that changes nothing is warned of, since its author expects something of it.
"""

from typing import Final

from forwardauth.access_control.decision import Policy
from forwardauth.access_control.rule import Rule
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.section import Section

_ALLOWED: Final = {"allow": True, "deny": False}
_TRUTH: Final = {"true": True, "false": False}


def parse_preflight(text: str) -> bool:
    """Return whether *text* lets preflights pass.

    Raises:
        RefusedValueError: Neither ``allow`` nor ``deny``.
    """
    return _parse_allowed(text, "preflights")


def parse_plain_http(text: str) -> bool:
    """Return whether *text* lets pass what comes by plain ``http``.

    Raises:
        RefusedValueError: Neither ``allow`` nor ``deny``.
    """
    return _parse_allowed(text, "plain http")


def parse_basic(text: str) -> bool:
    """Return whether *text* makes ``Authorization: Basic`` a way to sign in.

    Raises:
        RefusedValueError: Neither ``true`` nor ``false``.
    """
    if text not in _TRUTH:
        raise RefusedValueError(
            f"{quote(text)} is not true or false", "write true or false"
        )
    return _TRUTH[text]


def _parse_allowed(text: str, what: str) -> bool:
    if text not in _ALLOWED:
        raise RefusedValueError(
            f"{quote(text)} says nothing about {what}", "write allow or deny"
        )
    return _ALLOWED[text]


def check_switches(entry: Section, rule: Rule) -> None:
    """Refuse or warn of switches and policy that do not go together."""
    if rule.allows_preflight:
        _check_preflight(entry, rule)
    if rule.allows_plain_http:
        _check_plain_http(entry, rule)
    if rule.allows_basic:
        _check_basic(entry, rule)


def _check_preflight(entry: Section, rule: Rule) -> None:
    if entry.is_sound("policy") and rule.policy is Policy.DENY:
        reason = "cannot be allowed by a rule that denies"
        entry.refuse("preflight", reason, "take preflight out, or change the policy")
    if rule.methods is not None and "OPTIONS" not in rule.methods.methods:
        reason = "has no effect: the rule matches no OPTIONS, which preflights are"
        entry.warn("preflight", reason, "add OPTIONS to methods")


def _check_plain_http(entry: Section, rule: Rule) -> None:
    if entry.is_sound("policy") and rule.policy is not Policy.BYPASS:
        entry.refuse(
            "plain_http",
            f"cannot be allowed beside {rule.policy}: session cookies are Secure, so"
            " nobody is ever signed in by plain http",
            "take plain_http out, and let the proxy redirect http to https; or write"
            " policy: bypass for what everybody may see",
        )


def _check_basic(entry: Section, rule: Rule) -> None:
    if not entry.is_sound("policy"):
        return
    if rule.policy is Policy.BYPASS:
        entry.warn(
            "basic",
            "has no effect beside bypass, which asks nobody who they are",
            "take basic out, or write policy: one_factor",
        )
    # A rule that denies certain people has to know who asks, by Basic as well.
    elif rule.policy is Policy.DENY and rule.subject.is_for_everyone:
        entry.refuse(
            "basic",
            "cannot let anybody in by a rule that denies everybody",
            "take basic out, or change the policy",
        )
