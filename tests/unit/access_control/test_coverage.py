"""A rule that can never decide is found, and none that can is blamed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.coverage import (
    covers,
    find_forestalled,
    find_shadowed,
)
from forwardauth.access_control.decision import Policy
from forwardauth.access_control.matchers import SubjectCriterion
from forwardauth.access_control.regexes import Regex
from forwardauth.access_control.rule import EVERYONE, Rule
from forwardauth.request import OriginalRequest
from tests.support.access import (
    ALICE,
    BOB,
    ask,
    in_order,
    methods,
    networks,
    paths,
    query,
    rule,
)

FOR_ALICE = SubjectCriterion(users=frozenset({"alice"}))
INSIDE = networks("10.0.0.0/8")
ANY_APP = (Regex(r"app[0-9]\.test"),)

SHADOWED = {
    "same host": (rule("a.test"), rule("a.test", Policy.DENY)),
    "wildcard": (rule("*.test"), rule("a.test b.test *.c.test")),
    "same regex": (
        rule("", domain_regexes=ANY_APP),
        rule("", domain_regexes=ANY_APP, path=paths("/x")),
    ),
    "host and regex": (
        rule("*.test", domain_regexes=ANY_APP),
        rule("a.test", domain_regexes=ANY_APP),
    ),
    "one person": (rule("a.test"), rule("a.test", subject=FOR_ALICE)),
    "same person": (
        rule("a.test", subject=FOR_ALICE),
        rule("a.test", subject=FOR_ALICE),
    ),
    "method": (
        rule("a.test", methods=methods("GET", "HEAD")),
        rule("a.test", methods=methods("GET")),
    ),
    "path": (rule("a.test", path=paths("/x")), rule("a.test", path=paths("/x/y"))),
    "any path": (rule("a.test"), rule("a.test", path=paths("/x"))),
    "every path": (
        rule("a.test", path=paths("")),
        rule("a.test", path=paths("/x", "/y/z")),
    ),
    "one of its paths": (
        rule("a.test", path=paths("/y", "/x")),
        rule("a.test", path=paths("/x/y/z")),
    ),
    "same expression": (
        rule("a.test", path=paths(regexes=("/x", "/y"))),
        rule("a.test", path=paths(regexes=("/y",))),
    ),
    "every path of an expression": (
        rule("a.test", path=paths("")),
        rule("a.test", path=paths(regexes=("/y",))),
    ),
    "query": (
        rule("a.test", query=query("a present")),
        rule("a.test", query=query("a present & b present")),
    ),
    "network": (
        rule("a.test", networks=INSIDE),
        rule("a.test", networks=networks("10.1.0.0/16")),
    ),
    "network that denies": (
        rule("a.test", Policy.DENY, networks=INSIDE),
        rule("a.test", Policy.DENY, networks=INSIDE),
    ),
}

NOT_SHADOWED = {
    "other host": (rule("a.test"), rule("b.test")),
    "wildcard further down": (rule("a.test"), rule("*.test")),
    "second host of two": (rule("a.test"), rule("a.test b.test")),
    "regex further down": (rule("*.test"), rule("", domain_regexes=ANY_APP)),
    "regex above": (rule("", domain_regexes=ANY_APP), rule("app1.test")),
    "other person": (rule("a.test", subject=FOR_ALICE), rule("a.test")),
    "other method": (rule("a.test", methods=methods("GET")), rule("a.test")),
    "more methods": (
        rule("a.test", methods=methods("GET")),
        rule("a.test", methods=methods("GET", "PUT")),
    ),
    "any path": (rule("a.test", path=paths("/x")), rule("a.test")),
    "path that could not be read": (
        rule("a.test", path=paths("/x")),
        rule("a.test", path=paths()),
    ),
    "wider path": (
        rule("a.test", path=paths("/x/y")),
        rule("a.test", path=paths("/x")),
    ),
    "any query": (rule("a.test", query=query("a present")), rule("a.test")),
    "other query": (
        rule("a.test", query=query("a present")),
        rule("a.test", query=query("b present")),
    ),
    "any address": (rule("a.test", networks=INSIDE), rule("a.test")),
    "other network": (
        rule("a.test", networks=INSIDE),
        rule("a.test", networks=networks("192.0.2.0/24")),
    ),
    "address unknown": (
        rule("a.test", networks=INSIDE),
        rule("a.test", Policy.DENY, networks=INSIDE),
    ),
    "query that disagrees": (
        rule("a.test", query=query("a equal 1")),
        rule("a.test", Policy.DENY, query=query("a equal 1")),
    ),
}

CRITERIA = st.fixed_dictionaries(
    {},
    optional={
        "methods": st.sampled_from([methods("GET"), methods("GET", "PUT")]),
        "path": st.sampled_from([paths("/x"), paths("/x/y"), paths("")]),
        "query": st.sampled_from([query("a equal 1"), query("a equal 1 & b present")]),
        "networks": st.sampled_from([INSIDE, networks("10.1.0.0/16")]),
        "subject": st.sampled_from([EVERYONE, FOR_ALICE]),
    },
)
RULES = st.builds(
    lambda hosts, policy, criteria: rule(hosts, policy, **criteria),
    st.sampled_from(["a.test", "*.test", "a.test b.test"]),
    st.sampled_from([Policy.DENY, Policy.ONE_FACTOR]),
    CRITERIA,
)
REQUESTS = st.builds(
    lambda host, uri, method, client: ask(host, uri, method=method, client=client),
    st.sampled_from(["a.test", "b.test", "c.test"]),
    st.sampled_from(["/", "/x", "/x/y/z?a=1&b", "/x/y?a=1", "/x?a=1&a=2&b"]),
    st.sampled_from(["GET", "PUT", "HEAD"]),
    st.sampled_from(["10.1.2.3", "10.2.2.3", "192.0.2.1", None]),
)


def shadowed(*rules: Rule) -> list[tuple[int, int]]:
    """Return the number of each shadowed rule with that of the one above it."""
    found = find_shadowed(in_order(*rules).rules)
    return [(later.number, earlier.number) for later, earlier in found]


@pytest.mark.parametrize("rules", SHADOWED.values(), ids=SHADOWED)
def test_rule_below_one_that_matches_more_is_found(rules: tuple[Rule, Rule]) -> None:
    """The one above decides whatever the one below would."""
    assert shadowed(*rules) == [(2, 1)]


@pytest.mark.parametrize("rules", NOT_SHADOWED.values(), ids=NOT_SHADOWED)
def test_rule_that_can_decide_is_left_alone(rules: tuple[Rule, Rule]) -> None:
    """A false alarm would teach people to ignore warnings."""
    assert shadowed(*rules) == []


def test_first_rule_above_is_named() -> None:
    """Rules between the two are passed over."""
    rules = (rule("a.test"), rule("*.test"), rule("b.test"), rule("a.test"))

    assert shadowed(*rules) == [(3, 2), (4, 1)]


def test_rule_of_another_path_between_two_is_passed_over() -> None:
    """The first that covers is named, by whichever path it was found."""
    rules = (
        rule("a.test", path=paths("/x/y")),
        rule("a.test", path=paths("/x")),
        rule("a.test"),
        rule("a.test", path=paths("/x/z")),
    )

    assert shadowed(*rules) == [(4, 2)]


@given(rules=st.lists(RULES, max_size=6))
def test_every_rule_below_one_that_covers_it_is_found(rules: list[Rule]) -> None:
    """Comparing few of them finds what comparing each with each does."""
    numbered = in_order(*rules).rules
    each_with_each = [
        (later.number, earlier[0])
        for later in numbered
        if (
            earlier := [
                each.number
                for each in numbered[: later.number - 1]
                if covers(each, later)
            ]
        )
    ]

    assert shadowed(*rules) == each_with_each


@given(
    first=RULES,
    second=RULES,
    requests=st.lists(REQUESTS, min_size=5, max_size=20),
)
def test_shadowed_rule_decides_about_nothing(
    first: Rule, second: Rule, requests: list[OriginalRequest]
) -> None:
    """Whatever is asked, by whomever, the rule above comes first."""
    if shadowed(first, second):
        for original in requests:
            asked = Asked(original)
            for subject in (ALICE, BOB):
                meant = second.subject.matches(subject) and second.matches_object(asked)
                assert not meant or (
                    first.matches_object(asked) and first.subject.matches(subject)
                )


FOR_BOB = SubjectCriterion(users=frozenset({"bob"}))
FORESTALLED = {
    "policy": rule("a.test", Policy.BYPASS),
    "preflight": rule("a.test", subject=FOR_BOB, allows_preflight=True),
    "basic": rule("a.test", subject=FOR_BOB, allows_basic=True),
}


@pytest.mark.parametrize("key", FORESTALLED)
def test_key_that_comes_too_late_is_found(key: str) -> None:
    """A rule for certain people is asked first, and says otherwise."""
    rules = in_order(rule("*.test", subject=FOR_ALICE), FORESTALLED[key]).rules

    assert list(find_forestalled(rules)) == [(rules[1], key, rules[0])]


def test_plain_http_that_comes_too_late_is_found() -> None:
    """Such a rule is open, so two keys of it have no effect."""
    opened = rule("a.test", Policy.BYPASS, path=paths("/x"), allows_plain_http=True)
    rules = in_order(rule("a.test", subject=FOR_ALICE), opened).rules

    found = [(key, earlier.number) for _, key, earlier in find_forestalled(rules)]
    assert found == [("policy", 1), ("plain_http", 1)]


@pytest.mark.parametrize("key", FORESTALLED)
@pytest.mark.parametrize(
    "earlier",
    [
        rule("b.test", subject=FOR_ALICE),
        rule("a.test", subject=FOR_ALICE, path=paths("/x")),
        rule("a.test", subject=FOR_ALICE, methods=methods("GET")),
        rule("a.test", subject=FOR_ALICE, networks=INSIDE),
    ],
    ids=["host", "path", "method", "network"],
)
def test_key_that_has_an_effect_is_not_blamed(key: str, earlier: Rule) -> None:
    """What the rule before does not match is the later one's to decide."""
    assert not list(find_forestalled(in_order(earlier, FORESTALLED[key]).rules))


@pytest.mark.parametrize("key", ["preflight", "basic"])
def test_key_that_both_rules_have_is_not_blamed(key: str) -> None:
    """Then the one before says the same."""
    earlier = replace(FORESTALLED[key], subject=FOR_ALICE)

    assert not list(find_forestalled(in_order(earlier, FORESTALLED[key]).rules))


def test_basic_behind_a_rule_that_takes_it_is_not_blamed() -> None:
    """Once it is known who asks, a rule for others is passed over."""
    rules = in_order(
        rule("a.test", subject=FOR_ALICE, allows_basic=True),
        rule("a.test", subject=SubjectCriterion(users=frozenset({"carol"}))),
        FORESTALLED["basic"],
    )

    assert not list(find_forestalled(rules.rules))
    assert rules.decide(BOB, ask("a.test")).allows_basic


def test_rule_that_never_decides_is_blamed_once() -> None:
    """Then none of its keys matters."""
    rules = in_order(rule("a.test"), rule("a.test", allows_preflight=True)).rules

    assert not list(find_forestalled(rules))
