"""Rules that can never decide, since one before them always does, or not as they say.

Law: said is only what is certain. Two rules that together leave nothing for a third
are not noticed.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Final

from forwardauth.access_control.cover_index import CoverIndex
from forwardauth.access_control.decision import Policy
from forwardauth.access_control.rule import Rule


def find_shadowed(rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Rule]]:
    """Yield each rule that never decides, with the first one that always comes first.

    Compared are rules that could be about the same, so that thousands of them, for one
    host even, are a matter of a second.
    """
    index = CoverIndex(rules)
    for rule in rules:
        earlier = index.lookup_earlier(rule, covers, by_who=True)
        if earlier is not None:
            yield rule, earlier


def find_forestalled(rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, str, Rule]]:
    """Yield each rule with a key of it that has no effect, and the rule to blame.

    A rule for certain people is asked before anybody can tell who asks. For what it
    matches, it decides about preflights, plain http and Basic as it says itself, and
    that somebody has to sign in: no rule behind it does.
    """
    index = CoverIndex(rules)
    blamed = {
        name: CoverIndex([rule for rule in rules if not has_it(rule)])
        for name, has_it in _FORESTALLED.items()
        if any(map(has_it, rules))
    }
    first_basic = next((r.number for r in rules if r.allows_basic), 0)
    for rule in rules:
        late = [
            (name, earlier)
            for name, has_it in _FORESTALLED.items()
            if has_it(rule)
            and (
                earlier := blamed[name].lookup_earlier(
                    rule, _covers_requests, by_who=False
                )
            )
            # Behind a rule that takes Basic it is known who asks, and others are asked.
            and (name != "basic" or earlier.number < first_basic)
        ]
        if late and index.lookup_earlier(rule, covers, by_who=True) is None:
            yield from ((rule, name, earlier) for name, earlier in late)


_FORESTALLED: Final[dict[str, Callable[[Rule], bool]]] = {
    "policy": lambda rule: rule.policy is Policy.BYPASS,
    "preflight": attrgetter("allows_preflight"),
    "plain_http": attrgetter("allows_plain_http"),
    "basic": attrgetter("allows_basic"),
}
"""Keys that count before it is known who asks, and whether a rule has them."""


def covers(earlier: Rule, later: Rule) -> bool:
    """Whether *earlier* matches every request and subject that *later* does."""
    return earlier.subject.covers(later.subject) and _covers_requests(earlier, later)


def _covers_requests(earlier: Rule, later: Rule) -> bool:
    """Whether *earlier* matches every request that *later* does, whoever asks."""
    # What tells most pairs of rules for one host apart comes first.
    return (
        _covers_object(earlier, later)
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
