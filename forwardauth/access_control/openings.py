"""What rules open to people who have not signed in, in words for operators.

Law: every opening has its line, and a note wherever it is wider than one host, one
method and one path. What nobody is asked about is to be seen by whoever starts it.
"""

from collections.abc import Iterator

from forwardauth.access_control.decision import Policy
from forwardauth.access_control.rule import Rule
from forwardauth.access_control.rules import AccessControl


def describe_openings(access_control: AccessControl) -> Iterator[str]:
    """Yield a line for each opening, in the order of the rules."""
    for rule in access_control.rules:
        if rule.policy is Policy.BYPASS:
            yield f"open to everybody: {_describe(rule)}"
        if rule.allows_plain_http:
            yield f"open by plain http: {_describe(rule)}"
        if rule.allows_preflight:
            yield f"open to preflights: {_describe(rule)}"
    if access_control.default_policy is Policy.BYPASS:
        yield "open to everybody: what no rule matches"


def _describe(rule: Rule) -> str:
    narrowed = [f"{name} {criterion}" for name, criterion in rule.criteria()]
    path = rule.path
    wide = [
        note
        for note, is_wide in {
            "many hosts": _names_many_hosts(rule),
            "every method": rule.methods is None,
            "every path": path is None,
            "every path below": path is not None and bool(path.prefixes),
        }.items()
        if is_wide
    ]
    note = f": {', '.join(wide)}" if wide else ""
    return f"{'; '.join([rule.hosts, *narrowed])} (rule {rule.number}{note})"


def _names_many_hosts(rule: Rule) -> bool:
    return bool(rule.domain_regexes) or any(each.is_wildcard for each in rule.domains)
