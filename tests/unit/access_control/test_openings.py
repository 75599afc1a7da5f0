"""What is open to people who have not signed in, and how wide it is."""

import pytest

from forwardauth.access_control.decision import Policy
from forwardauth.access_control.openings import describe_openings
from forwardauth.access_control.rules import AccessControl
from tests.support.access import in_order, methods, paths, rule

WIDE = "every method, every path"


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        (in_order(rule("a.test"), rule("b.test", Policy.DENY)), []),
        (
            in_order(rule("a.test", Policy.BYPASS)),
            [f"open to everybody: a.test (rule 1: {WIDE})"],
        ),
        (
            in_order(rule("a.test"), rule("*.test", allows_preflight=True)),
            [f"open to preflights: *.test (rule 2: many hosts, {WIDE})"],
        ),
        (
            in_order(
                rule(
                    "a.test",
                    Policy.BYPASS,
                    methods=methods("GET"),
                    path=paths(regexes=("/x",)),
                    allows_plain_http=True,
                )
            ),
            [
                "open to everybody: a.test; methods GET; path /x (rule 1)",
                "open by plain http: a.test; methods GET; path /x (rule 1)",
            ],
        ),
        (
            in_order(default_policy=Policy.BYPASS),
            ["open to everybody: what no rule matches"],
        ),
    ],
    ids=["none", "bypass", "preflight", "plain http", "default"],
)
def test_every_opening_has_its_line(rules: AccessControl, lines: list[str]) -> None:
    """Nothing passes unasked that is not told, with how wide it is (V-21)."""
    assert list(describe_openings(rules)) == lines
