"""One rule: what it looks at, and when no other one has a say."""

from typing import Any

import pytest

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.criteria import Match
from forwardauth.access_control.decision import Policy
from forwardauth.access_control.matchers import SubjectCriterion
from tests.support.access import ask, methods, networks, paths, rule

FOR_ALICE = SubjectCriterion(users=frozenset({"alice"}))


def test_criteria_are_those_that_it_has_in_the_order_of_the_file() -> None:
    """What a rule does not name is nothing that it looks at."""
    some = rule("*.test", Policy.DENY, networks=networks("10.0.0.0/8"), path=paths("/"))

    assert [name for name, _ in some.criteria()] == ["path", "networks"]
    assert rule("*.test", Policy.DENY).criteria() == ()


@pytest.mark.parametrize(
    ("client", "path", "expected"),
    [
        ("10.1.2.3", "/a/b", Match.YES),
        ("192.0.2.1", "/a", Match.NO),
        ("10.1.2.3", "/b", Match.NO),
        (None, "/a", Match.UNKNOWN),
        (None, "/b", Match.NO),
    ],
    ids=["all", "network", "path", "cannot be told", "one misses all the same"],
)
def test_criteria_say_together_what_the_weakest_says(
    client: str | None, path: str, expected: Match
) -> None:
    """One that misses is enough, and what cannot be told makes nothing certain."""
    some = rule(
        "a.test", Policy.DENY, networks=networks("10.0.0.0/8"), path=paths("/a")
    )
    asked = Asked(ask("other.test", path, client=client))

    assert some.check_criteria(asked) is expected
    assert some.check_object(asked) is Match.NO


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"subject": FOR_ALICE}, False),
        ({"methods": methods("GET")}, False),
        ({"subject": FOR_ALICE, "path": paths("/a")}, False),
    ],
    ids=["bare", "for some people", "for some methods", "for both"],
)
def test_bare_rule_is_the_last_one_for_its_hosts(
    changes: dict[str, Any], expected: bool
) -> None:
    """Only what meets every request of everybody leaves nothing to those behind it."""
    assert rule("a.test", Policy.DENY, **changes).decides_always is expected
