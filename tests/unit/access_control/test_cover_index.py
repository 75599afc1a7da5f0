"""What could cover a rule is found among any number of rules for the same host."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.access_control.cover_index import CoverIndex
from forwardauth.access_control.coverage import covers
from forwardauth.access_control.matchers import SubjectCriterion, Together
from forwardauth.access_control.rule import EVERYONE, Rule
from tests.support.access import (
    in_order,
    methods,
    networks,
    paths,
    query,
    rule,
)

MANY = 300


def people(*names: str) -> SubjectCriterion:
    """Return a criterion of any of these users, and of groups with an ``@``."""
    groups = frozenset(name[1:] for name in names if name.startswith("@"))
    users = frozenset(name for name in names if not name.startswith("@"))
    return SubjectCriterion(users=users, groups=groups)


def both(number: int) -> SubjectCriterion:
    """Return a criterion of somebody who has to be in a group."""
    user, group = frozenset({f"u{number}"}), frozenset({"staff"})
    return SubjectCriterion(together=(Together(users=user, groups=group),))


KINDS: dict[str, Callable[[int], Rule]] = {
    "path": lambda n: rule("a.test", path=paths(f"/p{n}")),
    "deep path": lambda n: rule("a.test", path=paths(f"/x/y/p{n}/z")),
    "expression": lambda n: rule("a.test", path=paths(regexes=(f"/p{n}/.*",))),
    "user": lambda n: rule("a.test", subject=people(f"u{n}")),
    "group": lambda n: rule("a.test", subject=people(f"@g{n}")),
    "user and group": lambda n: rule("a.test", subject=both(n)),
    "network": lambda n: rule(
        "a.test", networks=networks(f"10.{n % 250}.{n // 250}.1")
    ),
    "network of IPv6": lambda n: rule(
        "a.test", networks=networks(f"2001:db8:{n:x}::/48")
    ),
    "query": lambda n: rule("a.test", query=query(f"a equal {n}")),
    "host": lambda n: rule(f"a{n}.test"),
    "wildcard": lambda n: rule(f"*.a{n}.test"),
    "path and user": lambda n: rule(
        "a.test", path=paths(f"/p{n // 20}"), subject=people(f"u{n % 20}")
    ),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_rules_for_one_host_are_not_compared_each_with_each(
    kind: Callable[[int], Rule],
) -> None:
    """A few of them at most, however many there are."""
    rules = in_order(*map(kind, range(MANY))).rules
    index = CoverIndex(rules)
    compared: list[Rule] = []

    def note(earlier: Rule, later: Rule) -> bool:
        compared.append(earlier)
        return covers(earlier, later)

    for each in rules:
        assert index.lookup_earlier(each, note, by_who=True) is None

    assert len(compared) <= 20 * MANY


COVERED = {
    "prefix": (paths("/x"), paths("/x/y/z", "/x/a")),
    "expression": (paths(regexes=("/a", "/b")), paths(regexes=("/b",))),
    "every path": (paths(""), paths("/x")),
    "user": (people("u1", "u2"), people("u2")),
    "group": (people("@a", "@b"), people("@b")),
    "user in a group by the user": (people("u1"), both(1)),
    "user in a group by the group": (people("@staff"), both(1)),
    "user in a group": (both(1), both(1)),
    "everybody": (EVERYONE, people("u1")),
    "network": (networks("192.0.2.0/24", "10.0.0.0/8"), networks("10.1.2.3")),
    "network of IPv6": (networks("2001:db8::/32"), networks("2001:db8:1::/48")),
    "query": (query("b equal 2"), query("a equal 1 & b equal 2")),
    "list of queries": (query("c present", "b equal 2"), query("b equal 2")),
}
"""Two criteria each, of which the first is met wherever the second is."""

NAMES = {
    type(paths("")): "path",
    type(EVERYONE): "subject",
    type(networks("10.0.0.0/8")): "networks",
    type(query("a present")): "query",
}


ALIKE = {
    "path": KINDS["path"],
    "subject": KINDS["user"],
    "networks": KINDS["network"],
    "query": KINDS["query"],
}


@pytest.mark.parametrize(("wide", "narrow"), COVERED.values(), ids=COVERED)
def test_rule_is_found_by_what_it_asks_about(wide: Any, narrow: Any) -> None:
    """Among others that ask about such a thing, too, and about another."""
    name = NAMES[type(wide)]
    earlier = rule("a.test", **{name: wide})
    others = [ALIKE[name](number) for number in range(100, 103)]
    later = rule("a.test", **{name: narrow})
    rules = in_order(*others, earlier, *others, later).rules

    found = CoverIndex(rules).lookup_earlier(rules[-1], covers, by_who=True)

    assert found is rules[len(others)]


RULES = st.builds(
    lambda hosts, criteria: rule(hosts, **criteria),
    st.sampled_from(["a.test", "*.test", "a.test b.test"]),
    st.fixed_dictionaries(
        {},
        optional={
            "methods": st.sampled_from([methods("GET"), methods("GET", "PUT")]),
            "path": st.sampled_from(
                [
                    *(paths("/x"), paths("/x/y", "/z"), paths("")),
                    *(paths(regexes=("/x.*",)), paths("/x", regexes=("/x.*", "/y"))),
                ]
            ),
            "query": st.sampled_from(
                [query("a equal 1"), query("b present & a equal 1", "c absent")]
            ),
            "networks": st.sampled_from(
                [
                    *(networks("10.0.0.0/8"), networks("10.1.0.0/16", "192.0.2.7")),
                    *(networks("2001:db8::/32"), networks("2001:db8:1::/48")),
                ]
            ),
            "subject": st.sampled_from(
                [
                    *(people("u1"), people("@staff"), both(1), both(2)),
                    people("u1", "u2", "@staff"),
                ]
            ),
        },
    ),
)


def covers_requests(earlier: Rule, later: Rule) -> bool:
    """Whether the one matches every request that the other does, whoever asks."""
    one, other = (replace(each, subject=EVERYONE) for each in (earlier, later))
    return covers(one, other)


@pytest.mark.parametrize(
    ("compare", "by_who"),
    [(covers, True), (covers_requests, False)],
    ids=["of people", "of requests"],
)
@given(rules=st.lists(RULES, max_size=6))
def test_found_is_what_comparing_each_with_each_finds(
    compare: Callable[[Rule, Rule], bool], by_who: bool, rules: list[Rule]
) -> None:
    """The first of all that cover, by whatever it was found."""
    numbered = in_order(*rules).rules
    index = CoverIndex(numbered)

    for later in numbered:
        earlier = [each for each in numbered if each.number < later.number]
        first = next((each for each in earlier if compare(each, later)), None)
        assert index.lookup_earlier(later, compare, by_who=by_who) == first
