"""``access_control``: from what people write to the rules that decide.

Law: a criterion that cannot be checked is never dropped. Without it the rule would
match more than its author meant, and the first match wins.
"""

from typing import Final

from forwardauth.access_control.decision import Policy
from forwardauth.access_control.matchers import (
    DomainPattern,
    SubjectCriterion,
    parse_domain_pattern,
)
from forwardauth.access_control.rules import AccessControl, Rule
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.section import Section
from forwardauth.config.suffixes import is_public_suffix
from forwardauth.domains import CookieDomains

_POLICIES: Final = "deny, one_factor or bypass"
_USER: Final = "user:"
_GROUP: Final = "group:"
_WHOM: Final = ("users", "groups", "subject")
_ALL_OF: Final = (
    "a list inside the list asks for several at once, which this version cannot check",
    "write user:NAME or group:NAME, any of which will do",
)


def read_access_control(
    section: Section, *, domains: CookieDomains | None
) -> AccessControl:
    """Return the rules and the default policy.

    Args:
        section: The mapping ``access_control``.
        domains: What a rule's hosts must be at or below; ``None`` when that could not
            be told, and is not compared.
    """
    default_policy = section.text("default_policy", parse_policy)
    if default_policy is Policy.BYPASS:
        section.warn(
            "default_policy",
            "bypass lets everybody in wherever no rule matches",
            "write deny, and a bypass rule for each host that is public",
        )
    rules: list[Rule] = []
    for number, entry in enumerate(section.entries("rules"), start=1):
        rule = _read_rule(entry, number, domains)
        if rule is not None:
            rules.append(rule)
    return AccessControl(default_policy=default_policy, rules=tuple(rules))


def parse_policy(text: str) -> Policy:
    """Return *text* as a policy that can be met.

    Raises:
        RefusedValueError: No policy, or ``two_factor``: nobody could ever get in.
    """
    try:
        policy = Policy(text)
    except ValueError as exc:
        raise RefusedValueError(
            f"{quote(text)} is not a policy", f"write {_POLICIES}"
        ) from exc
    if policy is Policy.TWO_FACTOR:
        raise RefusedValueError(
            "two_factor cannot be met: no second factor can be set up in this version",
            f"write {_POLICIES}",
        )
    return policy


def parse_pattern(text: str) -> DomainPattern:
    """Return *text* as hosts that a rule can be for.

    Raises:
        RefusedValueError: No host name or ``*.`` and one, or a wildcard over a public
            suffix.
    """
    try:
        pattern = parse_domain_pattern(text)
    except ValueError as exc:
        remedy = "write app.example.com or *.example.com"
        raise RefusedValueError(str(exc), remedy) from exc
    if pattern.is_wildcard and is_public_suffix(pattern.name):
        raise RefusedValueError(
            f"{quote(text)} is a wildcard over a public suffix",
            "write the name that is registered to you",
        )
    return pattern


def _read_rule(
    entry: Section, number: int, domains: CookieDomains | None
) -> Rule | None:
    patterns = entry.texts("domain", parse_pattern)
    policy = entry.optional("policy", parse_policy)
    subject = _read_subject(entry)
    if not patterns and entry.is_sound("domain"):
        entry.refuse("domain", "names no host", "write app.example.com")
    for pattern in patterns:
        _check_reach(entry, pattern, domains)
    if policy is Policy.BYPASS and not subject.is_for_everyone:
        entry.refuse(
            "policy",
            "bypass asks nobody to sign in, so users and groups cannot be told",
            "take users, groups and subject out, or write one_factor",
        )
    if policy is None or not patterns:
        return None
    return Rule(number=number, policy=policy, domains=patterns, subject=subject)


def _check_reach(
    entry: Section, pattern: DomainPattern, domains: CookieDomains | None
) -> None:
    """Refuse a host that no request can have, since its cookie domain is missing."""
    if domains is None or domains.lookup(pattern.name) is not None:
        return
    if pattern.is_wildcard and any(pattern.matches(e.name) for e in domains.entries):
        return
    entry.refuse(
        "domain",
        f"{pattern} is below no cookie domain, so the rule never matches",
        "correct it, or add its parent domain to cookies",
    )


def _read_subject(entry: Section) -> SubjectCriterion:
    users = entry.texts("users", _parse_name)
    groups = entry.texts("groups", _parse_name)
    subjects = entry.texts("subject", _parse_subject, misshapen=_ALL_OF)
    written = [name for name in _WHOM if entry.is_written(name)]
    if "subject" in written and len(written) > 1:
        reason = "stands beside users or groups"
        entry.refuse("subject", reason, "write one way or the other")
    if written and entry.is_sound(*_WHOM) and not (users or groups or subjects):
        reason = "is empty, which would make the rule one for everybody"
        entry.refuse(written[0], reason, "write names, or leave the key out")
    users += tuple(s.removeprefix(_USER) for s in subjects if s.startswith(_USER))
    groups += tuple(s.removeprefix(_GROUP) for s in subjects if s.startswith(_GROUP))
    return SubjectCriterion(users=frozenset(users), groups=frozenset(groups))


def _parse_name(text: str) -> str:
    """Return a name of a user or group as the users file has it."""
    if text.startswith((_USER, _GROUP)):
        raise RefusedValueError(
            f"{quote(text)} holds a prefix", "write the name alone, or use subject"
        )
    return text


def _parse_subject(text: str) -> str:
    prefix, _, name = text.partition(":")
    if f"{prefix}:" not in {_USER, _GROUP} or not name:
        raise RefusedValueError(
            f"{quote(text)} is not a subject", "write user:NAME or group:NAME"
        )
    return text
