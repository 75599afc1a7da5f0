"""``access_control``: rules that decide what their author meant, or none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.access_control.criteria import NetworkCriterion
from forwardauth.access_control.decision import Policy
from forwardauth.access_control.matchers import SubjectCriterion, Together
from forwardauth.access_control.regexes import Regex
from forwardauth.access_control.rule import EVERYONE, Rule
from forwardauth.access_control.rules import AccessControl
from forwardauth.config.problems import RefusedValueError
from forwardauth.config.rules import parse_pattern
from tests.support import access
from tests.support.configuration import COMPLETE, Mistake, load_text, warnings_in

HEAD = "access_control:\n  rules:\n"


def mistake(text: str, name: str, line: int, keyword: str) -> Mistake:
    """Return a mistake in the first rule, which starts on line 3."""
    return Mistake(
        text=HEAD + text,
        key=f"access_control.rules.{name}",
        line=line,
        keyword=keyword,
    )


def rule(*lines: str) -> str:
    """Return a rule of these lines that is complete with domain and policy first."""
    complete = ("domain: app.example.com", "policy: one_factor", *lines)
    return "    - " + "\n      ".join(complete)


MISTAKES = {
    "default-two-factor": Mistake(
        text="access_control:\n  default_policy: two_factor",
        key="access_control.default_policy",
        line=2,
        keyword="no second factor",
    ),
    "default-unknown": Mistake(
        text="access_control:\n  default_policy: allow",
        key="access_control.default_policy",
        line=2,
        keyword="not a policy",
    ),
    "rules-null": Mistake(
        text="access_control:\n  rules:",
        key="access_control.rules",
        line=2,
        keyword="is empty",
    ),
    "rule-is-a-word": mistake("    - deny", "0", 3, "must hold keys"),
    "no-domain": mistake("    - policy: deny", "0.domain", 3, "is missing"),
    "no-policy": mistake("    - domain: a.example.com", "0.policy", 3, "is missing"),
    "two-factor": mistake(
        "    - domain: a.example.com\n      policy: two_factor",
        "0.policy",
        4,
        "no second factor",
    ),
    "policy-unknown": mistake(
        "    - domain: a.example.com\n      policy: public", "0.policy", 4, "policy"
    ),
    "domain-empty-list": mistake(
        "    - domain: []\n      policy: deny", "0.domain", 3, "names no host"
    ),
    "domain-any": mistake(
        '    - domain: "*"\n      policy: deny', "0.domain", 3, "neither a host name"
    ),
    "domain-wildcard-inside": mistake(
        "    - domain: a.*.example.com\n      policy: deny", "0.domain", 3, "neither"
    ),
    "domain-placeholder": mistake(
        '    - domain: "{user}.example.com"\n      policy: deny',
        "0.domain",
        3,
        "neither",
    ),
    "domain-suffix": mistake(
        '    - domain: "*.com"\n      policy: bypass', "0.domain", 3, "public suffix"
    ),
    "domain-second-of-two": mistake(
        "    - domain:\n        - a.example.com\n        - a_b\n      policy: deny",
        "0.domain.1",
        5,
        "neither",
    ),
    "domain-elsewhere": mistake(
        "    - domain: app.example.net\n      policy: deny",
        "0.domain",
        3,
        "below no cookie domain",
    ),
    "domain-elsewhere-with-the-same-ending": mistake(
        "    - domain: badexample.com\n      policy: deny",
        "0.domain",
        3,
        "below no cookie domain",
    ),
    "domain-wildcard-elsewhere": mistake(
        '    - domain: "*.example.net"\n      policy: deny',
        "0.domain",
        3,
        "below no cookie domain",
    ),
    "bypass-with-users": mistake(
        "    - domain: a.example.com\n      policy: bypass\n      users: alice",
        "0.policy",
        4,
        "cannot be told",
    ),
    "bypass-with-groups": mistake(
        "    - domain: a.example.com\n      policy: bypass\n      groups: [dev]",
        "0.policy",
        4,
        "cannot be told",
    ),
    "bypass-with-subject": mistake(
        '    - domain: a.example.com\n      policy: bypass\n      subject: "user:a"',
        "0.policy",
        4,
        "cannot be told",
    ),
    "users-empty": mistake(rule("users: []"), "0.users", 5, "one for everybody"),
    "groups-empty": mistake(rule("groups: []"), "0.groups", 5, "one for everybody"),
    "subject-empty": mistake(rule("subject: []"), "0.subject", 5, "for everybody"),
    "users-with-prefix": mistake(rule('users: "user:a"'), "0.users", 5, "a prefix"),
    "users-null": mistake(rule("users:"), "0.users", 5, "is empty"),
    "subject-without-prefix": mistake(
        rule("subject: alice"), "0.subject", 5, "not a subject"
    ),
    "subject-of-another-kind": mistake(
        rule('subject: "oauth2:client:x"'), "0.subject", 5, "not a subject"
    ),
    "subject-without-name": mistake(
        rule('subject: "user:"'), "0.subject", 5, "not a subject"
    ),
    "subject-empty-list-inside": mistake(
        rule('subject: ["user:a", []]'), "0.subject.1", 5, "an empty list"
    ),
    "subject-nested-too-deeply": mistake(
        rule('subject: [[["user:a"]]]'), "0.subject.0.0", 5, "not one value"
    ),
    "subject-beside-users": mistake(
        rule("users: alice", 'subject: "user:bob"'), "0.subject", 6, "beside users"
    ),
    "domain-regex-empty": mistake(
        "    - domain_regex: []\n      policy: deny", "0.domain", 3, "names no host"
    ),
    "domain-regex-lookaround": mistake(
        rule("domain_regex: '(?!www).*'"), "0.domain_regex", 5, "no lookaround"
    ),
    "domain-regex-with-user": mistake(
        rule(r"domain_regex: '(?P<User>\w+)\.example\.com'"),
        "0.domain_regex",
        5,
        "name of a group",
    ),
    "network-undefined": mistake(
        rule("networks: [internal]"), "0.networks.0", 5, "access_control.networks"
    ),
    "criterion-misspelt": mistake(rule("group: dev"), "0.group", 5, "is not a key"),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """V-1: one problem, with key, line and reason, and never a wider rule."""
    check_mistake(wrong)


def read(folder: Path, text: str) -> AccessControl:
    """Return the rules of *text*."""
    return load_text(folder, HEAD + text).access_control


def test_rules_are_read_in_order(tmp_path: Path) -> None:
    """Numbers count from 1; a domain may be one or a list."""
    text = """\
    - domain: www.example.com
      policy: bypass
    - domain: [Git.Example.com, "*.dev.example.com"]
      policy: one_factor
      groups: developers
      users: [alice]
    - domain: "*.example.com"
      policy: deny
"""

    rules = read(tmp_path, text).rules

    assert [r.number for r in rules] == [1, 2, 3]
    assert [r.policy for r in rules] == [Policy.BYPASS, Policy.ONE_FACTOR, Policy.DENY]
    assert [str(p) for p in rules[1].domains] == [
        "git.example.com",
        "*.dev.example.com",
    ]
    assert rules[0].subject == rules[2].subject == EVERYONE
    both = Together(users=frozenset({"alice"}), groups=frozenset({"developers"}))
    assert rules[1].subject == SubjectCriterion(together=(both,))


@pytest.mark.parametrize(
    ("text", "users", "groups"),
    [
        ('"user:alice"', {"alice"}, set[str]()),
        ('["group:dev", "group:ops"]', set[str](), {"dev", "ops"}),
        ('["user:alice", "group:dev"]', {"alice"}, {"dev"}),
        ('"group:a:b"', set[str](), {"a:b"}),
    ],
)
def test_subjects_of_authelia_are_users_and_groups(
    tmp_path: Path, text: str, users: set[str], groups: set[str]
) -> None:
    """A flat list means any of them, as it does there."""
    (only,) = read(tmp_path, rule(f"subject: {text}")).rules

    assert only.subject == SubjectCriterion(
        users=frozenset(users), groups=frozenset(groups)
    )


def test_lists_inside_the_list_are_all_of(tmp_path: Path) -> None:
    """The outer list is any of; a list of one is a plain name."""
    text = '[["user:alice", "group:dev"], ["group:ops"], "user:bob"]'

    (only,) = read(tmp_path, rule(f"subject: {text}")).rules

    both = Together(users=frozenset({"alice"}), groups=frozenset({"dev"}))
    assert only.subject == SubjectCriterion(
        users=frozenset({"bob"}), groups=frozenset({"ops"}), together=(both,)
    )


def test_every_criterion_reaches_the_rule(tmp_path: Path) -> None:
    """What is written is what is compared."""
    text = """\
    - domain: app.example.com
      domain_regex: 'App[0-9]+\\.example\\.com'
      policy: one_factor
      methods: [GET, HEAD]
      path: [/api/, /static]
      query: [[{operator: equal, key: a, value: "1"}]]
      networks: [internal, 192.0.2.7]
      preflight: allow
  networks:
    - name: internal
      networks: [10.0.0.0/8, "2001:db8::/32"]
"""

    (only,) = read(tmp_path, text).rules

    assert only == Rule(
        number=1,
        policy=Policy.ONE_FACTOR,
        domains=(parse_pattern("app.example.com"),),
        domain_regexes=(Regex(r"App[0-9]+\.example\.com", ignores_case=True),),
        methods=access.methods("GET", "HEAD"),
        path=access.paths("/api", "/static"),
        query=access.query("a equal 1"),
        networks=NetworkCriterion(
            networks=access.networks(
                "10.0.0.0/8", "2001:db8::/32", "192.0.2.7"
            ).networks,
            names=("internal", "192.0.2.7"),
        ),
        allows_preflight=True,
    )


def test_rule_may_name_hosts_by_expression_alone(tmp_path: Path) -> None:
    """One of the two keys is enough."""
    text = "    - domain_regex: 'app.*'\n      policy: one_factor\n"

    (only,) = read(tmp_path, text).rules

    assert (only.domains, only.hosts) == ((), "app.*")
    assert not only.allows_preflight


WARNINGS = {
    "shadowed": (
        rule() + "\n" + rule("methods: GET"),
        ("access_control.rules.1.policy", 6, "rule 1 before it"),
    ),
    "basic-behind-others": (
        rule("users: a") + "\n" + rule("users: b", "basic: true"),
        ("access_control.rules.1.basic", 9, "rule 1 before it is for certain people"),
    ),
    "preflight-behind-others": (
        rule("users: a") + "\n" + rule("users: b", "preflight: allow"),
        ("access_control.rules.1.preflight", 9, "lets no preflight pass"),
    ),
    "two-users-at-once": (
        rule('subject: [["user:a", "user:b"]]'),
        ("access_control.rules.0.subject", 5, "is nobody"),
    ),
}


@pytest.mark.parametrize(("text", "told"), WARNINGS.values(), ids=WARNINGS)
def test_a_rule_without_effect_is_a_warning(
    tmp_path: Path, text: str, told: tuple[str, int, str]
) -> None:
    """It is allowed, has its line, and is seldom meant."""
    (warning,) = warnings_in(tmp_path, HEAD + text)

    key, line, keyword = told
    assert warning.place.key == key
    assert warning.place.line == COMPLETE.count("\n") + line
    assert keyword in warning.reason


def test_names_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    """A group may be called 1001, and a user no."""
    (only,) = read(tmp_path, rule("users: [no, 007]", "groups: 1001")).rules

    assert only.subject.all_users == {"no", "007"}
    assert only.subject.all_groups == {"1001"}


def test_a_wildcard_above_a_cookie_domain_can_match(tmp_path: Path) -> None:
    """Hosts below the cookie domain are below the wildcard's name as well."""
    environ = {
        "FORWARDAUTH_COOKIES__0__DOMAIN": "home.example.com",
        "FORWARDAUTH_COOKIES__0__PORTAL": "https://auth.home.example.com",
    }
    text = HEAD + '    - domain: "*.example.com"\n      policy: one_factor\n'

    (only,) = load_text(tmp_path, text, environ).access_control.rules

    assert only.domains[0].matches("app.home.example.com")


def test_without_rules_everything_is_denied(tmp_path: Path) -> None:
    """V-1: the default is the strict one."""
    access_control = load_text(tmp_path, "").access_control

    assert access_control == AccessControl(default_policy=Policy.DENY, rules=())


def test_letting_everybody_in_by_default_is_a_warning(tmp_path: Path) -> None:
    """It is possible, and seldom meant."""
    (warning,) = warnings_in(tmp_path, "access_control: {default_policy: bypass}\n")

    assert warning.place.key == "access_control.default_policy"


def test_a_host_that_is_a_suffix_may_be_named_exactly() -> None:
    """Only the wildcard reaches strangers."""
    with pytest.raises(RefusedValueError):
        parse_pattern("*.github.io")

    assert str(parse_pattern("github.io")) == "github.io"
