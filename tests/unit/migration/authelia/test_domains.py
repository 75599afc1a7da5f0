"""The hosts of a rule of Authelia."""

from pathlib import Path

import pytest

from forwardauth.access_control.decision import Outcome
from forwardauth.migration.report import Fate
from tests.support.access import ALICE, ask
from tests.support.migration import import_rules


def hosts_let_in(folder: Path, criterion: str, *hosts: str) -> set[str]:
    """Return which of *hosts* a bypass rule with *criterion* is for."""
    written = import_rules(folder, f"rules:\n  - {{{criterion}, policy: bypass}}")
    return {host for host in hosts if written.outcome(ask(host)) is Outcome.ALLOW}


HOSTS = ("example.com", "a.example.com", "a.b.example.com", "dev-a.example.com")

MEANT = {
    "name": ("domain: A.example.com", {"a.example.com"}),
    "wildcard": ("domain: '*.example.com'", set(HOSTS[1:])),
    "wider wildcard": ("domain: '*.com'", set(HOSTS)),
    "list": ("domain: [example.com, a.example.com]", set(HOSTS[:2])),
    "expression": (r"domain_regex: '^dev-\w+\.'", {"dev-a.example.com"}),
    "expression, not anchored": (r"domain_regex: 'b\.ex'", {"a.b.example.com"}),
    "expression in upper case": (r"domain_regex: '^A\.'", set()),
    "both": (r"domain: example.com, domain_regex: '^dev'", {HOSTS[0], HOSTS[3]}),
}


@pytest.mark.parametrize(("criterion", "wanted"), MEANT.values(), ids=MEANT)
def test_hosts_are_meant_as_in_the_source(
    tmp_path: Path, criterion: str, wanted: set[str]
) -> None:
    """Names in either case, wildcards at any depth, expressions anywhere."""
    assert hosts_let_in(tmp_path, criterion, *HOSTS) == wanted


@pytest.mark.parametrize(
    "name", ["other.net", "'*.other.net'", "a_b.example.com", "'*'"]
)
def test_a_host_that_is_never_asked_about_is_left_out(
    tmp_path: Path, name: str
) -> None:
    """Here it would be a mistake in the configuration."""
    written = import_rules(tmp_path, f"rules:\n  - {{domain: {name}, policy: deny}}")

    assert not written.access.rules
    assert written.texts(Fate.LEFT, "access_control.rules.0")


DEPENDING = {
    "user": "domain: '{user}.example.com'",
    "group": "domain: '{group}.example.com'",
    "part of a label": "domain: '{user}-app.example.com'",
    "expression": r"domain_regex: '^(?P<User>\w+)(-app)?\.example\.com$'",
}


@pytest.mark.parametrize("criterion", DEPENDING.values(), ids=DEPENDING)
def test_hosts_that_depend_on_who_asks_let_nobody_in(
    tmp_path: Path, criterion: str
) -> None:
    """A rule for them is left out, and a bypass behind it does not take its place."""
    rules = (
        f"rules:\n  - {{{criterion}, policy: one_factor}}\n"
        "  - {domain: '*.example.com', methods: [GET], policy: bypass}\n"
    )

    written = import_rules(tmp_path, rules)

    host = "alice-app.example.com" if "-app." in criterion else "alice.example.com"
    assert written.outcome(ask(host), ALICE) is Outcome.FORBIDDEN
    (text,) = written.texts(Fate.STRICTER, "access_control.rules.0")
    assert "depends on who asks" in text
