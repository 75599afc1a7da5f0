"""Rules that can never decide, since one before them always does.

Law: said is only what is certain. Two rules that together leave nothing for a third
are not noticed.
"""

from collections.abc import Iterator

from forwardauth.access_control.decision import Policy
from forwardauth.access_control.index import HostIndex
from forwardauth.access_control.rules import Rule


def find_shadowed(rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Rule]]:
    """Yield each rule that never decides, with the first one that always comes first.

    Rules for other hosts are not compared, so that thousands of rules are a matter of
    seconds.
    """
    index = HostIndex(rules)
    for rule in rules:
        # Whoever covers the rule covers the first of its hosts.
        host = str(rule.domains[0]) if rule.domains else ""
        # At the latest the rule itself is found.
        first = next(
            each
            for each in index.candidates(host)
            if each.number == rule.number or covers(each, rule)
        )
        if first.number < rule.number:
            yield rule, first


def covers(earlier: Rule, later: Rule) -> bool:
    """Whether *earlier* matches every request and subject that *later* does."""
    # What tells most pairs of rules for one host apart comes first.
    return (
        _covers_object(earlier, later)
        and earlier.subject.covers(later.subject)
        and _covers_unknown(earlier, later)
        and _covers_hosts(earlier, later)
    )


def _covers_hosts(earlier: Rule, later: Rule) -> bool:
    return set(earlier.domain_regexes) >= set(later.domain_regexes) and all(
        any(mine.covers(theirs) for mine in earlier.domains) for theirs in later.domains
    )


def _covers_unknown(earlier: Rule, later: Rule) -> bool:
    """Whether what cannot be told is no way past *earlier* to *later*."""
    is_certain = earlier.networks is None and earlier.query is None
    return (
        is_certain or earlier.policy is Policy.DENY or later.policy is not Policy.DENY
    )


def _covers_object(earlier: Rule, later: Rule) -> bool:
    """Whether each criterion of *earlier* is met wherever that of *later* is."""
    if earlier.methods is not None and (
        later.methods is None or not earlier.methods.covers(later.methods)
    ):
        return False
    if earlier.path is not None and (
        later.path is None or not earlier.path.covers(later.path)
    ):
        return False
    if earlier.query is not None and (
        later.query is None or not earlier.query.covers(later.query)
    ):
        return False
    return earlier.networks is None or (
        later.networks is not None and earlier.networks.covers(later.networks)
    )
