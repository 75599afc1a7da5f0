"""Rules of Authelia: the written ones decide as the source does, or more strictly."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from forwardauth.access_control.decision import Outcome, Policy
from forwardauth.errors import ConfigError
from forwardauth.migration.report import Fate
from forwardauth.request import ANONYMOUS
from tests.support import authelia_model
from tests.support.access import ALICE, BOB, ask
from tests.support.migration import import_rules

EVERYBODY = """\
default_policy: deny
rules:
  - domain: '*.example.com'
    policy: one_factor
"""


def test_the_first_rule_that_matches_decides(tmp_path: Path) -> None:
    """As in the source, however exactly a later one names the host."""
    written = import_rules(
        tmp_path,
        "rules:\n"
        "  - {domain: '*.example.com', policy: one_factor}\n"
        "  - {domain: public.example.com, policy: bypass}\n",
    )

    assert written.outcome(ask("public.example.com")) is Outcome.SIGN_IN
    assert written.outcome(ask("public.example.com"), BOB) is Outcome.ALLOW


@pytest.mark.parametrize("policy", ["deny", "one_factor", "bypass"])
def test_the_default_policy_is_taken_over(tmp_path: Path, policy: str) -> None:
    """It applies where no rule matches."""
    written = import_rules(tmp_path, f"default_policy: {policy}")

    assert written.access.default_policy == policy


def test_without_a_default_policy_everything_is_denied(tmp_path: Path) -> None:
    """Which is the default of the source."""
    assert import_rules(tmp_path, "rules: []").access.default_policy is Policy.DENY


def test_two_factor_denies(tmp_path: Path) -> None:
    """No second factor can be set up, and a password alone would be weaker."""
    rules = "rules:\n  - {domain: bank.example.com, policy: two_factor}\n"

    written = import_rules(tmp_path, rules)

    assert written.outcome(ask("bank.example.com"), ALICE) is Outcome.FORBIDDEN
    (text,) = written.texts(Fate.TO_DO, "access_control.rules.0.policy")
    assert "--two-factor one_factor" in text


def test_two_factor_may_be_weakened_on_purpose(tmp_path: Path) -> None:
    """And the report says that it is weaker."""
    rules = "default_policy: two_factor\n"

    written = import_rules(tmp_path, rules, two_factor=Policy.ONE_FACTOR)

    assert written.outcome(ask("bank.example.com"), ALICE) is Outcome.ALLOW
    (text,) = written.texts(Fate.TO_DO, "access_control.default_policy")
    assert "weaker than the source" in text


SUBJECTS = {
    "user": ("user:alice", True, False),
    "list of users": ("['user:bob', 'user:carol']", False, True),
    "group": ("['group:dev']", True, False),
    "all at once": ("[['group:dev', 'group:ops']]", True, False),
    "all at once, one missing": ("[['group:dev', 'group:hr']]", False, False),
    "either": ("['user:bob', ['group:dev', 'group:ops']]", True, True),
    "a client": ("['oauth2:client:x']", False, False),
}


@pytest.mark.parametrize(("subject", "alice", "bob"), SUBJECTS.values(), ids=SUBJECTS)
def test_subjects_keep_their_meaning(
    tmp_path: Path, subject: str, alice: bool, bob: bool
) -> None:
    """The outer list is any of, the inner all of; nobody signed in is stopped."""
    rules = (
        f"rules:\n  - {{domain: a.example.com, subject: {subject}, policy: one_factor}}"
    )

    written = import_rules(tmp_path, rules)

    original = ask("a.example.com")
    assert written.outcome(original) is Outcome.SIGN_IN
    assert (written.outcome(original, ALICE) is Outcome.ALLOW) is alice
    assert (written.outcome(original, BOB) is Outcome.ALLOW) is bob


def test_a_client_alone_still_stops_who_is_not_signed_in(tmp_path: Path) -> None:
    """A bypass behind the rule must not decide in its place."""
    rules = (
        "rules:\n"
        "  - {domain: a.example.com, subject: 'oauth2:client:x', policy: one_factor}\n"
        "  - {domain: a.example.com, policy: bypass}\n"
    )

    written = import_rules(tmp_path, rules)

    assert written.outcome(ask("a.example.com")) is Outcome.SIGN_IN


def test_networks_by_name_and_address(tmp_path: Path) -> None:
    """Bits beyond the prefix count for nothing, as in the source."""
    rules = (
        "networks: [{name: internal, networks: [10.0.0.0/8, '192.168.2.5/24']}]\n"
        "rules:\n"
        "  - {domain: a.example.com, networks: [internal, 203.0.113.9],"
        " policy: bypass}\n"
    )

    written = import_rules(tmp_path, rules)

    outcomes = {
        client: written.outcome(ask("a.example.com", client=client))
        for client in ("10.1.2.3", "192.168.2.200", "203.0.113.9", "203.0.113.8")
    }
    assert outcomes == {
        "10.1.2.3": Outcome.ALLOW,
        "192.168.2.200": Outcome.ALLOW,
        "203.0.113.9": Outcome.ALLOW,
        "203.0.113.8": Outcome.FORBIDDEN,
    }


def test_resources_are_read_as_they_are_searched(tmp_path: Path) -> None:
    """An expression without an end means all that follows."""
    rules = (
        "rules:\n"
        "  - {domain: a.example.com, resources: ['^/admin'], policy: deny}\n"
        "  - {domain: a.example.com, resources: ['^/api([/?].*)?$'], policy: bypass}\n"
        "  - {domain: a.example.com, policy: one_factor}\n"
    )

    written = import_rules(tmp_path, rules)

    assert written.outcome(ask("a.example.com", "/admin/x"), ALICE) is Outcome.FORBIDDEN
    assert written.outcome(ask("a.example.com", "/api?x=1")) is Outcome.ALLOW
    assert written.outcome(ask("a.example.com", "/api/x")) is Outcome.ALLOW
    assert written.outcome(ask("a.example.com", "/apix")) is Outcome.SIGN_IN
    assert not written.report.of(Fate.STRICTER)


def test_a_bypass_that_ends_in_a_dollar_is_left_out(tmp_path: Path) -> None:
    """With a query the source asks for a sign-in; the path alone cannot say that."""
    rules = (
        "rules:\n"
        "  - {domain: a.example.com, resources: ['^/health$'], policy: bypass}\n"
        "  - {domain: a.example.com, policy: one_factor}\n"
    )

    strict = import_rules(tmp_path, rules)
    lenient = import_rules(tmp_path, rules, any_query=True)

    assert strict.outcome(ask("a.example.com", "/health")) is Outcome.SIGN_IN
    (text,) = strict.texts(Fate.STRICTER, "access_control.rules.0")
    assert "--any-query" in text
    assert lenient.outcome(ask("a.example.com", "/health?x=1")) is Outcome.ALLOW


def test_a_denial_is_widened_where_it_cannot_be_said(tmp_path: Path) -> None:
    """``{user}`` depends on who asks, so nobody gets in there."""
    rules = (
        "rules:\n"
        "  - {domain: '{user}.example.com', policy: deny}\n"
        "  - {domain: '*.example.com', policy: bypass}\n"
    )

    written = import_rules(tmp_path, rules)

    assert written.outcome(ask("alice.example.com"), ALICE) is Outcome.FORBIDDEN
    assert written.texts(Fate.STRICTER, "access_control.rules.0")


def test_an_unknown_criterion_never_widens_a_rule(tmp_path: Path) -> None:
    """A bypass with a key that nobody knows is left out."""
    rules = "rules:\n  - {domain: a.example.com, hours: night, policy: bypass}\n"

    written = import_rules(tmp_path, rules)

    assert written.outcome(ask("a.example.com")) is Outcome.FORBIDDEN
    (text,) = written.texts(Fate.STRICTER, "access_control.rules.0")
    assert "hours" in text


def test_preflights_pass_where_the_source_names_options(tmp_path: Path) -> None:
    """A bypass of OPTIONS is how the source is told to let them pass."""
    rules = "rules:\n  - {domain: a.example.com, methods: [options], policy: bypass}\n"

    written = import_rules(tmp_path, rules)

    preflight = ask("a.example.com", is_preflight=True)
    assert written.outcome(preflight) is Outcome.ALLOW


def test_a_method_that_never_comes_leaves_the_rule_out(tmp_path: Path) -> None:
    """It is not one for every method then."""
    rules = "rules:\n  - {domain: a.example.com, methods: [BREW], policy: bypass}\n"

    written = import_rules(tmp_path, rules)

    assert written.outcome(ask("a.example.com")) is Outcome.FORBIDDEN
    assert written.texts(Fate.LEFT, "access_control.rules.0")


MISTAKES = {
    "no policy": ("- domain: a.example.com", 6, "has no policy"),
    "no domain": ("- policy: deny", 6, "names no domain"),
    "policy": ("- {domain: a.example.com, policy: open}", 6, "is not a policy"),
    "subject": (
        "- {domain: a.example.com, policy: deny, subject: john}",
        6,
        "is not a subject",
    ),
    "bypass with subject": (
        "- {domain: a.example.com, policy: bypass, subject: 'user:a'}",
        6,
        "is bypass beside subject",
    ),
    "network": (
        "- {domain: a.example.com, policy: deny, networks: [lan]}",
        6,
        "neither a network",
    ),
    "regex": (
        "- {domain: a.example.com, policy: deny, resources: ['(']}",
        6,
        "not a regular expression",
    ),
    "domain regex": (
        "- {domain_regex: '(', policy: deny}",
        6,
        "not a regular expression",
    ),
    "template": (
        "- {domain: '{{ env \"D\" }}', policy: deny}",
        6,
        "made by a template",
    ),
    "word": ("- deny", 6, "must hold keys"),
}


@pytest.mark.parametrize(("rule", "line", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_of_the_source_is_told_with_its_line(
    tmp_path: Path, rule: str, line: int, reason: str
) -> None:
    """What Authelia itself would refuse is not guessed at."""
    with pytest.raises(ConfigError) as caught:
        import_rules(tmp_path, f"rules:\n{rule}")

    told = [str(problem) for problem in caught.value.problems]
    wanted = f"{tmp_path}/configuration.yml:{line + 1}: access_control.rules.0"
    assert any(text.startswith(wanted) and reason in text for text in told), told


DOMAINS = st.sampled_from(
    [
        *("a.example.com", "*.example.com", "alice.example.com", "elsewhere.net"),
        *("{user}.example.com", "{group}.example.com", "*.com"),
    ]
)
RESOURCES = st.sampled_from(
    [
        *("^/a", "^/a$", "^/a([/?].*)?$", "^/a(/.*)?$", "/b", "^/a.*b", "b$", ".*"),
        *(r"^/a\?x", "^/(a|b)$|^/c", "(?i)^/A", "^/a?b", r"\bb", r"^/[^/]+/b$"),
        "^/a/(?P<User>b)",
    ]
)
SUBJECT = st.sampled_from(
    ["user:alice", "group:dev", ["group:dev", "group:ops"], "oauth2:client:x"]
)
TERMS = st.fixed_dictionaries(
    {
        "operator": st.sampled_from(
            ["present", "absent", "equal", "not equal", "pattern", "not pattern"]
        ),
        "key": st.sampled_from(["x", "y"]),
        "value": st.sampled_from(["", "1", "b", ".*", "^$"]),
    }
)
RULES = st.fixed_dictionaries(
    {
        "domain": st.lists(DOMAINS, min_size=1, max_size=2, unique=True),
        "policy": st.sampled_from(["bypass", "one_factor", "two_factor", "deny"]),
    },
    optional={
        "domain_regex": st.lists(st.sampled_from([r"^a\.", "B", "lice"]), min_size=1),
        "resources": st.lists(RESOURCES, min_size=1, max_size=2),
        "methods": st.just(["GET"]),
        "networks": st.just(["192.0.2.0/24"]),
        "query": st.lists(st.lists(TERMS, min_size=1, max_size=2), min_size=1),
        "subject": st.lists(SUBJECT, min_size=1, max_size=2),
    },
)
QUESTIONS = [
    ask(host, uri, method=method, client=client)
    for host in ("a.example.com", "alice.example.com", "dev.example.com")
    for uri in ("/", "/a", "/a/b", "/a?x=1", "/a?y=b", "/b", "/x?z=/b", "/a?x=")
    for method, client in (("GET", "192.0.2.7"), ("POST", "198.51.100.1"))
]


def _without_clients(rule: dict[str, Any]) -> dict[str, Any]:
    """Return *rule* as Authelia takes it: bypass asks nobody who they are."""
    rule = {**rule}
    if rule["policy"] == "bypass":
        rule.pop("subject", None)
    if any(each.startswith("{") for each in rule["domain"]):
        rule["policy"] = "one_factor" if rule["policy"] == "bypass" else rule["policy"]
    return rule


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rules=st.lists(RULES.map(_without_clients), max_size=4),
    default=st.sampled_from(["deny", "one_factor", "bypass", "two_factor"]),
)
def test_nobody_gets_in_whom_the_source_keeps_out(
    tmp_path: Path, rules: list[dict[str, Any]], default: str
) -> None:
    """Whatever the rules; and whom it lets in is let in where nothing is stricter."""
    control = {"default_policy": default, "rules": rules}
    policies = {default, *(rule["policy"] for rule in rules)}

    written = import_rules(tmp_path, yaml.safe_dump(control))

    is_exact = not written.report.of(Fate.STRICTER) and "two_factor" not in policies
    for subject in (ANONYMOUS, ALICE, BOB):
        for original in QUESTIONS:
            is_in = written.outcome(original, subject) is Outcome.ALLOW
            is_let_in = authelia_model.allows(rules, default, subject, original)
            where = (subject.username, original.url, written.text)
            assert is_let_in or not is_in, where
            assert is_in or not (is_let_in and is_exact), where
