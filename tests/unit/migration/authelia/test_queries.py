"""``query`` of Authelia: the same operators, with an absent key read as empty."""

from pathlib import Path

import pytest

from forwardauth.access_control.decision import Outcome
from forwardauth.errors import ConfigError
from forwardauth.request import ANONYMOUS
from tests.support import authelia_model
from tests.support.access import ask
from tests.support.migration import import_rules

OPERATORS = ("equal", "not equal", "pattern", "not pattern")
VALUES = ("", "1", "^$", ".*", "b")
URIS = ("/", "/?x=", "/?x=1", "/?x=b", "/?x=ab", "/?y=1", "/?x")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_mean_the_same(tmp_path: Path, operator: str, value: str) -> None:
    """For keys that are there, empty, and absent."""
    term = {"operator": operator, "key": "x", "value": value}
    spelled = f"{{operator: '{operator}', key: x, value: '{value}'}}"
    rule = {"domain": ["a.example.com"], "policy": "bypass", "query": [[term]]}

    written = import_rules(
        tmp_path,
        f"rules:\n  - {{domain: a.example.com, policy: bypass, query: [[{spelled}]]}}",
    )

    for uri in URIS:
        original = ask("a.example.com", uri)
        is_let_by = authelia_model.allows([rule], "deny", ANONYMOUS, original)
        assert (written.outcome(original) is Outcome.ALLOW) is is_let_by, uri


SHORT = {
    "key alone": ("{key: x}", "/?x=7", "/?y=7"),
    "key and value": ("{key: x, value: '7'}", "/?x=7", "/?x=8"),
    "absent": ("{operator: absent, key: x}", "/?y=7", "/?x=7"),
}


@pytest.mark.parametrize(("term", "met", "unmet"), SHORT.values(), ids=SHORT)
def test_the_operator_may_be_left_out(
    tmp_path: Path, term: str, met: str, unmet: str
) -> None:
    """It is ``present`` without a value and ``equal`` with one."""
    rule = f"{{domain: a.example.com, policy: bypass, query: [[{term}]]}}"

    written = import_rules(tmp_path, f"rules:\n  - {rule}")

    assert written.outcome(ask("a.example.com", met)) is Outcome.ALLOW
    assert written.outcome(ask("a.example.com", unmet)) is Outcome.FORBIDDEN


@pytest.mark.parametrize(
    "term",
    [
        *("x", "{operator: like, key: x}", "{value: x}", "{key: x, name: y}"),
        "{operator: pattern, key: x, value: '('}",
    ],
)
def test_a_term_that_is_none_is_refused(tmp_path: Path, term: str) -> None:
    """Left out, the rule would match more."""
    rule = f"{{domain: a.example.com, policy: bypass, query: [[{term}]]}}"

    with pytest.raises(ConfigError) as caught:
        import_rules(tmp_path, f"rules:\n  - {rule}")

    assert "configuration.yml:7: access_control.rules.0.query" in str(
        caught.value.problems[0]
    )
