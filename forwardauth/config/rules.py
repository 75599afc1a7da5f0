"""``access_control``: from what people write to the rules that decide.

Law: a criterion that cannot be checked is never dropped. Without it the rule would
match more than its author meant, and the first match wins.
"""

from typing import Final

from forwardauth.access_control.coverage import find_forestalled, find_shadowed
from forwardauth.access_control.decision import Policy
from forwardauth.access_control.matchers import (
    DomainPattern,
    parse_domain_pattern,
)
from forwardauth.access_control.rule import Rule
from forwardauth.access_control.rules import AccessControl
from forwardauth.config.criteria import (
    parse_domain_regex,
    read_methods,
    read_path_criterion,
    read_query,
)
from forwardauth.config.networks import (
    NetworkNames,
    read_network_names,
    read_networks,
)
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.section import Section
from forwardauth.config.subjects import read_subject
from forwardauth.config.suffixes import is_public_suffix
from forwardauth.config.switches import (
    check_switches,
    parse_basic,
    parse_plain_http,
    parse_preflight,
)
from forwardauth.domains import CookieDomains

_POLICIES: Final = "deny, one_factor or bypass"
_FORESTALLED: Final = {
    "policy": "lets nobody in who has not signed in",
    "preflight": "lets no preflight pass",
    "plain_http": "lets nothing pass by plain http",
    "basic": "lets no program in",
}
"""What a key does not do behind a rule that is asked first."""


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
    names = read_network_names(section)
    entries = section.entries("rules")
    found = (
        _read_rule(entry, number, domains, names)
        for number, entry in enumerate(entries, start=1)
    )
    rules = tuple(rule for rule in found if rule is not None)
    for rule, earlier in find_shadowed(rules):
        entries[rule.number - 1].warn(
            "policy",
            f"never applies: rule {earlier.number} before it matches all that this"
            f" rule {rule.number} does",
            "move the rule up, or take it out",
        )
    for rule, name, earlier in find_forestalled(rules):
        entries[rule.number - 1].warn(
            name,
            f"{_FORESTALLED[name]}: rule {earlier.number} before it is for certain"
            f" people, and asks about all that this rule {rule.number} is for",
            _remedy_for(name, earlier),
        )
    return AccessControl(default_policy=default_policy, rules=rules)


def _remedy_for(name: str, earlier: Rule) -> str:
    if name == "basic":
        return f"write basic: true in rule {earlier.number}, too, or move this rule up"
    return "move the rule up, or take it out"


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
        reason = f"{quote(text)} is neither a host name nor *. and a host name"
        remedy = "write app.example.com or *.example.com"
        raise RefusedValueError(reason, remedy) from exc
    if pattern.is_wildcard and is_public_suffix(pattern.name):
        raise RefusedValueError(
            f"{quote(text)} is a wildcard over a public suffix",
            "write the name that is registered to you",
        )
    return pattern


def _read_rule(
    entry: Section, number: int, domains: CookieDomains | None, names: NetworkNames
) -> Rule | None:
    patterns = entry.texts("domain", parse_pattern)
    regexes = entry.texts("domain_regex", parse_domain_regex)
    policy = entry.optional("policy", parse_policy)
    for pattern in patterns:
        _check_reach(entry, pattern, domains)
    _check_hosts(entry, has_hosts=bool(patterns or regexes))
    rule = Rule(
        number=number,
        policy=policy or Policy.DENY,
        domains=patterns,
        domain_regexes=regexes,
        methods=read_methods(entry),
        path=read_path_criterion(entry),
        query=read_query(entry),
        networks=read_networks(entry, names),
        subject=read_subject(entry),
        allows_preflight=entry.text("preflight", parse_preflight),
        allows_plain_http=entry.text("plain_http", parse_plain_http),
        allows_basic=entry.text("basic", parse_basic),
    )
    _check_contradictions(entry, rule)
    is_whole = policy is not None and (patterns or regexes)
    return rule if is_whole else None


def _check_hosts(entry: Section, *, has_hosts: bool) -> None:
    if has_hosts or not entry.is_sound("domain", "domain_regex"):
        return
    is_written = entry.is_written("domain") or entry.is_written("domain_regex")
    reason = "names no host" if is_written else "is missing"
    entry.refuse("domain", reason, "write app.example.com")


def _check_contradictions(entry: Section, rule: Rule) -> None:
    """Refuse or warn of criteria and policy that do not go together."""
    if rule.policy is Policy.BYPASS and not rule.subject.is_for_everyone:
        entry.refuse(
            "policy",
            "bypass asks nobody to sign in, so users and groups cannot be told",
            "take users, groups and subject out, or write one_factor",
        )
    check_switches(entry, rule)


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
