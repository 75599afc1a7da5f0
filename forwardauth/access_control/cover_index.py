"""Finding the few rules that could cover another one, among any number for one host.

    a rule is filed by         its prefixes and expressions for paths
    and again by               the users and groups that it is for
                               its networks
                               the first term of each list of its query

Law: whoever covers a rule stands, on each of the four shelves, where the rule is looked
up. So one of them is enough, and it is the one with the fewest rules there: where
thousands have one path for different people, that of the people.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final, TypeAlias

from forwardauth.access_control.criteria import Network
from forwardauth.access_control.index import HostIndex
from forwardauth.access_control.rule import Rule

Covers: TypeAlias = Callable[[Rule, Rule], bool]
_Keys: TypeAlias = Callable[[Rule], Iterable[Hashable]]

_ANYTHING: Final = None
"""Where a rule stands that does not ask about what the shelf is for."""


class CoverIndex:
    """Rules, filed by what they ask about."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """File *rules*, which are in order."""
        self._about_requests = [
            _Shelf(rules, _path_places, _path_places_above),
            _Shelf(rules, _network_places, _network_places_above),
            _Shelf(rules, _query_places, _query_places_above),
        ]
        people = _Shelf(rules, _subject_places, _subject_places_above)
        self._about_all = [*self._about_requests, people]

    def lookup_earlier(
        self, rule: Rule, covers: Covers, *, by_who: bool
    ) -> Rule | None:
        """Return the first rule before *rule* that covers it, as *covers* tells.

        Args:
            rule: One of those that are filed.
            covers: Says so of an earlier and a later rule, which lets pass only what
                has the paths, networks and query of the later one.
            by_who: Whether it lets pass only who is for the same people, too.
        """
        shelves = self._about_all if by_who else self._about_requests
        # Whoever covers the rule covers the first of its hosts.
        host = str(rule.domains[0]) if rule.domains else ""
        best = min(shelves, key=lambda shelf: shelf.count(rule, host))
        found = (_first(some, rule, covers) for some in best.candidates(rule, host))
        earlier = [each for each in found if each is not None]
        return min(earlier, key=attrgetter("number"), default=None)


class _Shelf:
    """Rules by one thing that they ask about, and then by host."""

    def __init__(
        self, rules: Sequence[Rule], places: _Keys, places_above: _Keys
    ) -> None:
        groups: dict[Hashable, list[Rule]] = {}
        for rule in rules:
            for place in dict.fromkeys(places(rule)):
                groups.setdefault(place, []).append(rule)
        self._rules = {place: HostIndex(group) for place, group in groups.items()}
        self._places_above = places_above

    def _above(self, rule: Rule) -> Iterator[HostIndex[Rule]]:
        for place in dict.fromkeys(self._places_above(rule)):
            if place in self._rules:
                yield self._rules[place]

    def count(self, rule: Rule, host: str) -> int:
        """Return how many there are of ``candidates``."""
        return sum(each.count(host) for each in self._above(rule))

    def candidates(self, rule: Rule, host: str) -> Iterator[Iterable[Rule]]:
        """Yield those that could cover *rule*, some at a time and these in order."""
        for each in self._above(rule):
            yield each.candidates(host)


def _first(candidates: Iterable[Rule], rule: Rule, covers: Covers) -> Rule | None:
    for each in candidates:
        if each.number >= rule.number:
            return None
        if covers(each, rule):
            return each
    return None


def _path_places(rule: Rule) -> Iterable[Hashable]:
    if rule.path is None:
        return (_ANYTHING,)
    return (*rule.path.prefixes, *rule.path.regexes)


def _path_places_above(rule: Rule) -> Iterator[Hashable]:
    """Yield each prefix of the first prefix, or the first expression."""
    yield _ANYTHING
    if rule.path is None:
        return
    yield ""
    if rule.path.prefixes:
        names = rule.path.prefixes[0].split("/")
        yield from ("/".join(names[:end]) for end in range(2, len(names) + 1))
    elif rule.path.regexes:
        yield rule.path.regexes[0]


def _subject_places(rule: Rule) -> Iterator[Hashable]:
    subject = rule.subject
    if subject.is_for_everyone:
        yield _ANYTHING
    yield from (("user", name) for name in subject.users)
    yield from (("group", name) for name in subject.groups)
    yield from subject.together


def _subject_places_above(rule: Rule) -> Iterator[Hashable]:
    """Yield what a rule for whoever *rule* is for must have one of."""
    subject = rule.subject
    yield _ANYTHING
    if subject.users:
        yield "user", min(subject.users)
    elif subject.groups:
        yield "group", min(subject.groups)
    elif subject.together:
        first = subject.together[0]
        yield first
        yield from (("user", name) for name in first.users)
        yield from (("group", name) for name in first.groups)


def _network_places(rule: Rule) -> Iterable[Hashable]:
    if rule.networks is None:
        return (_ANYTHING,)
    return [_block(each, each.prefixlen) for each in rule.networks.networks]


def _network_places_above(rule: Rule) -> Iterator[Hashable]:
    """Yield each network that holds the first one, and that itself."""
    yield _ANYTHING
    if rule.networks is not None and rule.networks.networks:
        network = rule.networks.networks[0]
        yield from (_block(network, size) for size in range(network.prefixlen + 1))


def _block(network: Network, size: int) -> tuple[int, int, int]:
    """Return the first *size* bits of *network*."""
    bits = int(network.network_address) >> (network.max_prefixlen - size)
    return network.version, size, bits


def _query_places(rule: Rule) -> Iterable[Hashable]:
    if rule.query is None:
        return (_ANYTHING,)
    # A list without a term matches everything.
    return [terms[0] if terms else _ANYTHING for terms in rule.query.alternatives]


def _query_places_above(rule: Rule) -> Iterator[Hashable]:
    """Yield each term of the first list: one that covers it has no other terms."""
    yield _ANYTHING
    if rule.query is not None and rule.query.alternatives:
        yield from rule.query.alternatives[0]
