"""Rules that can never decide, since one before them always does, or not as they say.

Law: said is only what is certain. Two rules that together leave nothing for a third
are not noticed.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from typing import Final, TypeAlias

from forwardauth.access_control.decision import Policy
from forwardauth.access_control.index import HostIndex
from forwardauth.access_control.regexes import Regex
from forwardauth.access_control.rule import Rule

PathKey: TypeAlias = str | Regex | None


def find_shadowed(rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Rule]]:
    """Yield each rule that never decides, with the first one that always comes first.

    Compared are rules that could be for the same host and path, so that thousands of
    rules are a matter of seconds.
    """
    indexes = _index(rules)
    for rule in rules:
        earlier = _lookup_earlier(indexes, rule, covers)
        if earlier is not None:
            yield rule, earlier


def find_forestalled(rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, str, Rule]]:
    """Yield each rule with a key of it that has no effect, and the rule to blame.

    A rule for certain people is asked before anybody can tell who asks. For what it
    matches, it decides about preflights, plain http and Basic as it says itself, and
    that somebody has to sign in: no rule behind it does.
    """
    indexes = _index(rules)
    first_basic = next((r.number for r in rules if r.allows_basic), 0)
    for rule in rules:
        late = [
            (name, earlier)
            for name, has_it in _FORESTALLED.items()
            if has_it(rule)
            and (
                earlier := _lookup_earlier(indexes, rule, partial(_forestalls, has_it))
            )
            # Behind a rule that takes Basic it is known who asks, and others are asked.
            and (name != "basic" or earlier.number < first_basic)
        ]
        if late and _lookup_earlier(indexes, rule, covers) is None:
            yield from ((rule, name, earlier) for name, earlier in late)


_FORESTALLED: Final[dict[str, Callable[[Rule], bool]]] = {
    "policy": lambda rule: rule.policy is Policy.BYPASS,
    "preflight": attrgetter("allows_preflight"),
    "plain_http": attrgetter("allows_plain_http"),
    "basic": attrgetter("allows_basic"),
}
"""Keys that count before it is known who asks, and whether a rule has them."""


def _forestalls(has_it: Callable[[Rule], bool], earlier: Rule, later: Rule) -> bool:
    return not has_it(earlier) and _covers_requests(earlier, later)


def _index(rules: tuple[Rule, ...]) -> dict[PathKey, HostIndex[Rule]]:
    groups: dict[PathKey, list[Rule]] = {}
    for rule in rules:
        for key in _path_keys(rule):
            groups.setdefault(key, []).append(rule)
    return {key: HostIndex(group) for key, group in groups.items()}


def _lookup_earlier(
    indexes: dict[PathKey, HostIndex[Rule]],
    rule: Rule,
    covers: Callable[[Rule, Rule], bool],
) -> Rule | None:
    """Return the first rule before *rule* that covers it, as *covers* tells."""
    # Whoever covers the rule covers the first of its hosts.
    host = str(rule.domains[0]) if rule.domains else ""
    found = (
        _first_covering(indexes[key].candidates(host), rule, covers)
        for key in _path_keys_above(rule)
        if key in indexes
    )
    earlier = [each for each in found if each is not None]
    return min(earlier, key=attrgetter("number"), default=None)


def _path_keys(rule: Rule) -> tuple[PathKey, ...]:
    """Return what a rule is found by: prefixes, expressions, ``None`` for all paths."""
    if rule.path is None:
        return (None,)
    return (*rule.path.prefixes, *rule.path.regexes)


def _path_keys_above(rule: Rule) -> Iterator[PathKey]:
    """Yield every key that a rule must have one of to cover the paths of *rule*."""
    yield None
    if rule.path is None:
        return
    yield ""
    if rule.path.prefixes:
        names = rule.path.prefixes[0].split("/")
        yield from ("/".join(names[:end]) for end in range(2, len(names) + 1))
    elif rule.path.regexes:
        yield rule.path.regexes[0]


def _first_covering(
    candidates: Iterable[Rule], rule: Rule, covers: Callable[[Rule, Rule], bool]
) -> Rule | None:
    for each in candidates:
        if each.number >= rule.number:
            return None
        if covers(each, rule):
            return each
    return None


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
