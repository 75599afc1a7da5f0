"""The first rule that matches wins, and what no rule matches is denied."""

from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.access_control.decision import Outcome, Policy
from forwardauth.access_control.matchers import SubjectCriterion
from forwardauth.access_control.regexes import Regex
from forwardauth.access_control.rule import Rule
from forwardauth.access_control.rules import MAX_HOSTS, AccessControl
from forwardauth.request import ANONYMOUS, OriginalRequest, Subject
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
    write_rules,
)

EVERYONE: Final = SubjectCriterion()
FOR_ALICE: Final = SubjectCriterion(users=frozenset({"alice"}))
FOR_OPS: Final = SubjectCriterion(groups=frozenset({"ops"}))

NAMES: Final = ("a.test", "b.a.test", "c.b.a.test", "b.test", "test", "xa.test")
HOSTS: Final = (*NAMES, "d.c.b.a.test", "x.test", "x.a.test", "x.b.a.test", "other")
PEOPLE: Final = (
    ANONYMOUS,
    ALICE,
    BOB,
    Subject(username="carol", groups=frozenset({"ops"}), level=2),
)
FACTORS: Final = {Policy.BYPASS: 0, Policy.ONE_FACTOR: 1, Policy.TWO_FACTOR: 2}

PATTERNS: Final = st.sampled_from([*NAMES, *(f"*.{name}" for name in NAMES)])
ENTRIES: Final = st.tuples(
    st.lists(PATTERNS, min_size=1, max_size=3).map(" ".join),
    st.sampled_from(Policy),
    st.sampled_from([SubjectCriterion(), SubjectCriterion(), FOR_ALICE, FOR_OPS]),
)


@pytest.mark.parametrize("subject", [ANONYMOUS, ALICE], ids=["nobody", "alice"])
@pytest.mark.parametrize(
    "rules",
    [AccessControl(), write_rules(("www.example.com", Policy.BYPASS))],
    ids=["no rules", "rules for others"],
)
def test_what_no_rule_matches_is_denied(rules: AccessControl, subject: Subject) -> None:
    """A miss is a denial, and not a way to the portal, for anybody (V-1)."""
    decision = rules.decide(subject, ask())

    assert decision.outcome is Outcome.FORBIDDEN
    assert (decision.rule, decision.reason) == (None, "default_policy")


@pytest.mark.parametrize(
    ("policy", "nobody", "alice"),
    [
        (Policy.DENY, Outcome.FORBIDDEN, Outcome.FORBIDDEN),
        (Policy.ONE_FACTOR, Outcome.SIGN_IN, Outcome.ALLOW),
        (Policy.TWO_FACTOR, Outcome.SIGN_IN, Outcome.SIGN_IN),
        (Policy.BYPASS, Outcome.ALLOW, Outcome.ALLOW),
    ],
)
def test_default_policy_applies_where_no_rule_does(
    policy: Policy, nobody: Outcome, alice: Outcome
) -> None:
    """The default policy asks for what a rule would."""
    rules = write_rules(default_policy=policy)

    outcomes = [rules.decide(who, ask()).outcome for who in (ANONYMOUS, ALICE)]

    assert outcomes == [nobody, alice]


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("app.example.com", "app.example.com", Outcome.FORBIDDEN),
        ("*.example.com", "app.example.com", Outcome.FORBIDDEN),
        ("app.example.com", "*.example.com", Outcome.FORBIDDEN),
        ("www.example.com", "*.example.com", Outcome.ALLOW),
        ("example.com", "*.example.com", Outcome.ALLOW),
        ("*.app.example.com", "*.example.com", Outcome.ALLOW),
        ("www.example.com *.example.com", "app.example.com", Outcome.FORBIDDEN),
    ],
)
def test_first_match_wins(first: str, second: str, outcome: Outcome) -> None:
    """Order decides, and not how exactly a rule names the host."""
    rules = write_rules((first, Policy.DENY), (second, Policy.BYPASS))

    assert rules.decide(ANONYMOUS, ask("app.example.com")).outcome is outcome


def test_rule_of_a_shorter_wildcard_is_not_hidden() -> None:
    """A longer wildcard further down does not overtake a shorter one."""
    rules = write_rules(
        ("*.example.com", Policy.DENY), ("*.dev.example.com", Policy.BYPASS)
    )

    decision = rules.decide(ANONYMOUS, ask("a.dev.example.com"))

    assert (decision.outcome, decision.rule) == (Outcome.FORBIDDEN, 1)


@pytest.mark.parametrize(
    ("criterion", "alice", "bob"),
    [(FOR_ALICE, 1, 2), (FOR_OPS, 1, 2)],
    ids=["user", "group"],
)
def test_rule_for_others_is_passed_over(
    criterion: SubjectCriterion, alice: int, bob: int
) -> None:
    """Who is signed in and not meant falls to the next rule."""
    rules = write_rules(
        ("*.example.com", Policy.ONE_FACTOR, criterion), ("*.example.com", Policy.DENY)
    )

    decisions = [rules.decide(who, ask()) for who in (ALICE, BOB)]

    assert [decision.rule for decision in decisions] == [alice, bob]
    assert [decision.outcome for decision in decisions] == [
        Outcome.ALLOW,
        Outcome.FORBIDDEN,
    ]


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("later", [Policy.BYPASS, Policy.DENY])
def test_nobody_is_asked_to_sign_in_before_a_rule_for_certain_people(
    policy: Policy, later: Policy
) -> None:
    """A later rule neither lets in nor turns away whom an earlier one may be for."""
    rules = write_rules(("*.example.com", policy, FOR_ALICE), ("*.example.com", later))

    decision = rules.decide(ANONYMOUS, ask())

    assert (decision.outcome, decision.rule) == (Outcome.SIGN_IN, 1)
    assert decision.policy is policy


def test_nobody_passes_by_a_rule_before_one_for_certain_people() -> None:
    """The order holds for anonymous people as well."""
    rules = write_rules(
        ("app.example.com", Policy.BYPASS),
        ("*.example.com", Policy.ONE_FACTOR, FOR_ALICE),
    )

    assert rules.decide(ANONYMOUS, ask()).outcome is Outcome.ALLOW


@pytest.mark.parametrize("policy", Policy)
def test_name_without_a_proven_factor_is_nobody(policy: Policy) -> None:
    """A half-finished login does not count as the user it names (V-3)."""
    pending = Subject(username="alice", groups=frozenset({"ops"}), level=0)
    rules = write_rules(("*.example.com", policy, FOR_ALICE))

    assert rules.decide(pending, ask()).outcome is Outcome.SIGN_IN


def test_answer_does_not_depend_on_who_asked_before() -> None:
    """Nothing is kept between two calls that could reach another person."""
    rules = write_rules(
        ("app.example.com", Policy.ONE_FACTOR, FOR_ALICE),
        ("*.example.com", Policy.DENY),
    )

    decisions = [rules.decide(who, ask()) for who in (*PEOPLE, *reversed(PEOPLE))]

    assert decisions[:4] == decisions[:3:-1]


def _walk(
    entries: list[tuple[str, Policy, SubjectCriterion]],
    default: Policy,
    subject: Subject,
    host: str,
) -> tuple[Outcome, int | None]:
    """Return outcome and rule as the documentation says it, rule by rule."""
    for number, (texts, policy, people) in enumerate(entries, start=1):
        if not any(
            host == text or (text[0] == "*" and host.endswith(text[1:]))
            for text in texts.split()
        ):
            continue
        is_open = people == SubjectCriterion()
        if not is_open and subject.level == 0:
            return Outcome.SIGN_IN, number
        if (
            is_open
            or subject.username in people.users
            or subject.groups & people.groups
        ):
            return _apply(policy, subject), number
    return _apply(default, subject), None


def _apply(policy: Policy, subject: Subject) -> Outcome:
    if policy is Policy.DENY:
        return Outcome.FORBIDDEN
    return Outcome.ALLOW if subject.level >= FACTORS[policy] else Outcome.SIGN_IN


@given(
    entries=st.lists(ENTRIES, max_size=6),
    default=st.sampled_from(Policy),
    subject=st.sampled_from(PEOPLE),
)
def test_index_agrees_with_a_walk_over_all_rules(
    entries: list[tuple[str, Policy, SubjectCriterion]],
    default: Policy,
    subject: Subject,
) -> None:
    """Looking rules up by host decides as trying every rule in order does."""
    rules = write_rules(*entries, default_policy=default)

    decisions = {host: rules.decide(subject, ask(host)) for host in HOSTS}

    assert {host: (d.outcome, d.rule) for host, d in decisions.items()} == {
        host: _walk(entries, default, subject, host) for host in HOSTS
    }


MATCHING: Final[dict[str, Any]] = {
    "methods": methods("GET"),
    "path": paths("/a"),
    "query": query("b equal 1"),
    "networks": networks("10.0.0.0/8"),
}
"""Criteria that all match ``ALL``."""

ALL: Final = {"uri": "/a?b=1", "method": "GET", "client": "10.0.0.1"}
MISSES: Final = {
    "methods": {"method": "PUT"},
    "path": {"uri": "/x?b=1"},
    "query": {"uri": "/a?b=2"},
    "networks": {"client": "192.0.2.1"},
}


def _ask(host: str = "app.example.com", **changes: str) -> OriginalRequest:
    asked: dict[str, Any] = {**ALL, **changes}
    return ask(host, **asked)


def test_number_of_hosts_is_bounded() -> None:
    """Names below a wildcard, of which there are as many as a client likes (V-42)."""
    rules = write_rules(("*.a.test", Policy.BYPASS))

    decisions = [
        rules.decide(ANONYMOUS, ask(f"h{number}.a.test"))
        for number in range(MAX_HOSTS * 2 + 1)
    ]

    assert {each.outcome for each in decisions} == {Outcome.ALLOW}
    assert 0 < len(rules._by_host) <= MAX_HOSTS  # noqa: SLF001


@pytest.mark.parametrize(
    ("host", "number"),
    [("app.example.com", 1), ("App1.example.com", 2), ("xapp1.example.com", None)],
)
def test_host_matches_by_name_or_by_expression(host: str, number: int | None) -> None:
    """Either will do, and an expression means the whole host (V-20)."""
    by_regex = (Regex(r"app[0-9]\.example\.com", ignores_case=True),)
    rules = in_order(
        rule("app.example.com", Policy.BYPASS),
        rule("www.example.com", Policy.BYPASS, domain_regexes=by_regex),
    )

    assert rules.decide(ANONYMOUS, ask(host)).rule == number


def test_all_criteria_together_match() -> None:
    """The request that fits each of them fits the rule."""
    rules = in_order(rule("*.example.com", Policy.BYPASS, **MATCHING))

    assert rules.decide(ANONYMOUS, _ask()).outcome is Outcome.ALLOW


@pytest.mark.parametrize("policy", [Policy.BYPASS, Policy.DENY])
@pytest.mark.parametrize("changes", MISSES.values(), ids=MISSES)
def test_every_criterion_is_needed(policy: Policy, changes: dict[str, str]) -> None:
    """One that does not match is enough for the rule to be passed over (V-20)."""
    rules = in_order(rule("*.example.com", policy, **MATCHING))

    decision = rules.decide(ANONYMOUS, _ask(**changes))

    assert (decision.rule, decision.reason) == (None, "default_policy")


@pytest.mark.parametrize("changes", MISSES.values(), ids=MISSES)
def test_nobody_is_stopped_by_a_rule_for_people_that_misses(
    changes: dict[str, str],
) -> None:
    """Only where all its other criteria match does such a rule ask who it is."""
    rules = in_order(
        rule("*.example.com", subject=FOR_ALICE, **MATCHING),
        rule("*.example.com", Policy.BYPASS),
    )

    assert rules.decide(ANONYMOUS, _ask()).rule == 1
    assert rules.decide(ANONYMOUS, _ask(**changes)).rule == 2


UNCLEAR: Final[dict[str, dict[str, Any]]] = {
    "address": {"client": None},
    "values that disagree": {"uri": "/a?b=1&b=2"},
    "semicolon": {"uri": "/a?b=1;c"},
}


@pytest.mark.parametrize("changes", UNCLEAR.values(), ids=UNCLEAR)
def test_what_cannot_be_told_counts_against_the_request(
    changes: dict[str, Any],
) -> None:
    """A rule that denies applies, and one that lets in does not (V-22)."""
    denies = in_order(
        rule("*.example.com", Policy.DENY, **MATCHING),
        rule("*.example.com", Policy.BYPASS),
    )
    admits = in_order(rule("*.example.com", Policy.BYPASS, **MATCHING))

    decision = denies.decide(ANONYMOUS, _ask(**changes))

    assert (decision.outcome, decision.rule) == (Outcome.FORBIDDEN, 1)
    assert admits.decide(ANONYMOUS, _ask(**changes)).rule is None


@pytest.mark.parametrize("subject", [ANONYMOUS, ALICE], ids=["nobody", "signed in"])
@pytest.mark.parametrize("policy", [Policy.BYPASS, Policy.ONE_FACTOR, Policy.DENY])
@pytest.mark.parametrize("changes", UNCLEAR.values(), ids=UNCLEAR)
def test_rule_that_asks_for_a_sign_in_is_not_passed_over(
    changes: dict[str, Any], policy: Policy, subject: Subject
) -> None:
    """What cannot be told is denied: the next rule may be more lenient (V-22)."""
    rules = in_order(
        rule("*.example.com", Policy.ONE_FACTOR, **MATCHING),
        rule("*.example.com", policy),
    )

    decision = rules.decide(subject, _ask(**changes))

    assert decision.outcome is Outcome.FORBIDDEN
    assert (decision.rule, decision.reason) == (1, "criterion_unclear")


@pytest.mark.parametrize("changes", UNCLEAR.values(), ids=UNCLEAR)
def test_rule_for_others_stops_nobody_by_what_cannot_be_told(
    changes: dict[str, Any],
) -> None:
    """For whom the rule is not meant, it does not matter whether it matches."""
    rules = in_order(
        rule("*.example.com", subject=FOR_ALICE, **MATCHING),
        rule("*.example.com", Policy.ONE_FACTOR),
    )

    assert rules.decide(BOB, _ask(**changes)).rule == 2
    assert rules.decide(ALICE, _ask(**changes)).outcome is Outcome.FORBIDDEN
    assert rules.decide(ANONYMOUS, _ask(**changes)).outcome is Outcome.FORBIDDEN


PATH_RULES: Final = {
    "prefix": rule("app.example.com", Policy.DENY, path=paths("/admin")),
    "expression": rule("app.example.com", Policy.DENY, path=paths(regexes=("/x",))),
    "wildcard": rule("*.example.com", Policy.DENY, path=paths("/admin")),
    "host by expression": rule(
        "", Policy.DENY, domain_regexes=(Regex("app.*"),), path=paths("/admin")
    ),
    "for somebody": rule(
        "app.example.com", Policy.DENY, path=paths("/admin"), subject=FOR_ALICE
    ),
}


@pytest.mark.parametrize("is_last", [False, True], ids=["first", "last"])
@pytest.mark.parametrize("subject", [ANONYMOUS, ALICE], ids=["nobody", "alice"])
@pytest.mark.parametrize("path_rule", PATH_RULES.values(), ids=PATH_RULES)
def test_ambiguous_path_is_denied_where_a_rule_looks_at_paths(
    path_rule: Rule, subject: Subject, is_last: bool
) -> None:
    """Whatever the order, whoever asks, and even where another rule lets in (V-19)."""
    both = [path_rule, rule("*.example.com", Policy.BYPASS)]
    rules = in_order(*(reversed(both) if is_last else both))

    decisions = [
        rules.decide(subject, ask(uri=uri))
        for uri in ("/x/..%2fadmin", "/x/../admin", "//admin", "/admin;x", "/%2561dmin")
    ]

    assert {(d.outcome, d.reason, d.rule) for d in decisions} == {
        (Outcome.FORBIDDEN, "path_ambiguous", None)
    }


@pytest.mark.parametrize("path_rule", PATH_RULES.values(), ids=PATH_RULES)
def test_ambiguous_path_passes_where_no_rule_looks_at_paths(path_rule: Rule) -> None:
    """Applications on other hosts keep their encoded slashes (V-19)."""
    rules = in_order(path_rule, rule("www.example.org", Policy.BYPASS))

    decision = rules.decide(ANONYMOUS, ask("www.example.org", "/x%2fy//z;w"))

    assert (decision.outcome, decision.rule) == (Outcome.ALLOW, 2)


@pytest.mark.parametrize("uri", ["/?x=/../a%2fb", "/?//;\\", "/?a=%00"])
def test_query_makes_no_path_ambiguous(uri: str) -> None:
    """It is no part of the path (V-20)."""
    rules = in_order(rule("app.example.com", Policy.BYPASS, path=paths("")))

    assert rules.decide(ANONYMOUS, ask(uri=uri)).outcome is Outcome.ALLOW


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("subject", [ANONYMOUS, ALICE], ids=["nobody", "alice"])
def test_preflight_is_denied_unless_its_rule_allows_it(
    policy: Policy, subject: Subject
) -> None:
    """No rule, a rule that says nothing, and no session make it pass (V-38)."""
    for rules in (
        in_order(rule("*.example.com", policy)),
        in_order(default_policy=policy),
    ):
        decision = rules.decide(subject, ask(is_preflight=True))

        assert decision.outcome is Outcome.FORBIDDEN
        assert decision.reason == "preflight"


@pytest.mark.parametrize("subject", [EVERYONE, FOR_ALICE], ids=["open", "for alice"])
@pytest.mark.parametrize("who", [ANONYMOUS, BOB], ids=["nobody", "bob"])
def test_allowed_preflight_passes_without_anybody(
    subject: SubjectCriterion, who: Subject
) -> None:
    """A browser sends no cookie, so the first rule that matches decides (V-38)."""
    rules = in_order(
        rule("*.example.com", methods=methods("GET"), allows_preflight=False),
        rule("*.example.com", subject=subject, allows_preflight=True),
        rule("*.example.com", Policy.DENY),
    )

    decision = rules.decide(who, ask(is_preflight=True))

    assert (decision.outcome, decision.rule) == (Outcome.ALLOW, 2)


def test_other_options_are_no_preflight() -> None:
    """What is allowed is the question of a browser, not the method (V-38)."""
    rules = in_order(rule("*.example.com", allows_preflight=True))

    decision = rules.decide(ANONYMOUS, ask(method="OPTIONS"))

    assert decision.outcome is Outcome.SIGN_IN


CRITERIA: Final = st.fixed_dictionaries(
    {},
    optional={
        "methods": st.sampled_from([methods("GET"), methods("GET", "PUT")]),
        "path": st.sampled_from([paths("/a"), paths("/a/b"), paths(regexes=("/x?",))]),
        "networks": st.sampled_from([networks("10.0.0.0/8")]),
        "subject": st.sampled_from([FOR_ALICE, FOR_OPS]),
        "domain_regexes": st.sampled_from([(Regex(r"[ab]\.test"),)]),
    },
)
RULES: Final = st.builds(
    lambda hosts, policy, criteria: rule(" ".join(hosts), policy, **criteria),
    st.lists(PATTERNS, min_size=1, max_size=2),
    st.sampled_from(Policy),
    CRITERIA,
)
AMBIGUOUS: Final = ("/a%2fb", "/a/../x", "/a;/b")
REQUESTS: Final = st.builds(
    lambda host, uri, method, client: ask(host, uri, method=method, client=client),
    st.sampled_from(HOSTS),
    st.sampled_from(["/", "/x", "/a", "/a/b/c", "/ab", "/%61/b", *AMBIGUOUS]),
    st.sampled_from(["GET", "PUT", "POST"]),
    st.sampled_from(["10.1.2.3", "192.0.2.1", None]),
)


def _matches(each: Rule, original: OriginalRequest) -> bool:
    """Return whether all but the subject matches, in the words of the documentation."""
    host = original.host
    texts = [str(pattern) for pattern in each.domains]
    named = any(t == host or (t[0] == "*" and host.endswith(t[1:])) for t in texts)
    if not (named or (each.domain_regexes and host in {"a.test", "b.test"})):
        return False
    if each.methods and original.method not in str(each.methods).split(", "):
        return False
    path = unquote(original.path)
    if each.path == paths(regexes=("/x?",)):
        if path not in {"/", "/x"}:
            return False
    elif each.path and not f"{path}/".startswith(f"{each.path}/"):
        return False
    if each.networks and original.client is None:
        return each.policy is not Policy.BYPASS
    return not each.networks or str(original.client).startswith("10.")


JUST_HOSTS: Final[dict[str, Any]] = {"methods": None, "path": None, "networks": None}


def _naive(
    rules: AccessControl, subject: Subject, original: OriginalRequest
) -> tuple[Outcome, int | None]:
    bare = (replace(each, **JUST_HOSTS) for each in rules.rules if each.path)
    is_path_in_play = any(_matches(each, original) for each in bare)
    if is_path_in_play and original.path in AMBIGUOUS:
        return Outcome.FORBIDDEN, None
    for each in rules.rules:
        if not _matches(each, original):
            continue
        people = each.subject
        is_open = people == EVERYONE
        is_meant = subject.username in people.users or (subject.groups & people.groups)
        is_told = original.client is not None or not each.networks
        if not is_told and (is_open or is_meant or subject.level == 0):
            if each.policy is Policy.DENY and not is_open and subject.level == 0:
                return Outcome.SIGN_IN, each.number
            return Outcome.FORBIDDEN, each.number
        if not is_open and subject.level == 0:
            return Outcome.SIGN_IN, each.number
        if is_open or is_meant:
            return _apply(each.policy, subject), each.number
    return _apply(rules.default_policy, subject), None


@given(
    rules=st.lists(RULES, max_size=6).map(lambda rules: in_order(*rules)),
    subject=st.sampled_from(PEOPLE),
    requests=st.lists(REQUESTS, min_size=1, max_size=10),
)
def test_every_criterion_decides_as_a_walk_over_all_rules(
    rules: AccessControl, subject: Subject, requests: list[OriginalRequest]
) -> None:
    """The index, and what is read once for all rules, change no decision."""
    for original in requests:
        decision = rules.decide(subject, original)

        assert (decision.outcome, decision.rule) == _naive(rules, subject, original)


PLAIN: Final = in_order(
    rule("www.example.com", Policy.BYPASS, allows_plain_http=True),
    rule("info.example.com", Policy.BYPASS),
    rule("acme.example.com", Policy.BYPASS, path=paths("/x"), allows_plain_http=True),
    rule("*.example.com"),
)


@pytest.mark.parametrize("subject", [ANONYMOUS, ALICE], ids=["nobody", "alice"])
@pytest.mark.parametrize(
    ("host", "uri", "number"),
    [
        ("info.example.com", "/", 2),
        ("acme.example.com", "/y", 4),
        ("app.example.com", "/", 4),
        ("other.test", "/", None),
    ],
    ids=["bypass", "another path", "one_factor", "no rule"],
)
def test_plain_http_is_denied_before_any_policy(
    host: str, uri: str, number: int | None, subject: Subject
) -> None:
    """Signing in is not offered either: no session could come by plain http (V-15)."""
    decision = PLAIN.decide(subject, ask(host, uri, is_plain_http=True))

    assert decision.outcome is Outcome.FORBIDDEN
    assert (decision.reason, decision.rule) == ("scheme_insecure", number)


@pytest.mark.parametrize(
    ("host", "uri"), [("www.example.com", "/"), ("acme.example.com", "/x/y")]
)
def test_plain_http_passes_where_its_rule_allows_it(host: str, uri: str) -> None:
    """It is the rule that matches which has to say so, and none further down (V-15)."""
    decision = PLAIN.decide(ANONYMOUS, ask(host, uri, is_plain_http=True))

    assert (decision.outcome, decision.reason) == (Outcome.ALLOW, "rule")


@pytest.mark.parametrize("default", Policy)
def test_plain_http_is_denied_whatever_the_default(default: Policy) -> None:
    """No default policy opens what no rule has opened on purpose (V-15)."""
    rules = in_order(default_policy=default)

    decision = rules.decide(ALICE, ask(is_plain_http=True))

    assert (decision.outcome, decision.rule) == (Outcome.FORBIDDEN, None)


@pytest.mark.parametrize(
    ("allows_plain_http", "allows_preflight", "reason", "outcome"),
    [
        (True, True, "preflight", Outcome.ALLOW),
        (True, False, "preflight", Outcome.FORBIDDEN),
        (False, True, "scheme_insecure", Outcome.FORBIDDEN),
        (False, False, "scheme_insecure", Outcome.FORBIDDEN),
    ],
)
def test_preflight_by_plain_http_needs_both(
    allows_plain_http: bool, allows_preflight: bool, reason: str, outcome: Outcome
) -> None:
    """Each of the two has its own word, and one does not stand for the other."""
    rules = in_order(
        rule(
            "app.example.com",
            Policy.BYPASS,
            allows_plain_http=allows_plain_http,
            allows_preflight=allows_preflight,
        )
    )

    decision = rules.decide(ANONYMOUS, ask(is_preflight=True, is_plain_http=True))

    assert (decision.reason, decision.outcome) == (reason, outcome)


BASIC: Final = in_order(
    rule("app.example.com", subject=FOR_OPS, allows_basic=True),
    rule("api.example.com", allows_basic=True),
    rule("*.example.com"),
)


@pytest.mark.parametrize(
    ("host", "subject", "allows_basic"),
    [
        ("app.example.com", ANONYMOUS, True),
        ("app.example.com", ALICE, True),
        ("app.example.com", BOB, False),
        ("api.example.com", ANONYMOUS, True),
        ("api.example.com", BOB, True),
        ("www.example.com", ANONYMOUS, False),
        ("other.test", ANONYMOUS, False),
    ],
    ids=["asks who", "meant", "not meant", "asks", "passes", "other rule", "no rule"],
)
def test_decision_tells_whether_its_rule_takes_basic(
    host: str, subject: Subject, allows_basic: bool
) -> None:
    """It is the word of the rule that decides, and of no other one (V-39)."""
    assert BASIC.decide(subject, ask(host)).allows_basic is allows_basic


@pytest.mark.parametrize(
    "original",
    [
        ask("api.example.com", is_preflight=True),
        ask("api.example.com", is_plain_http=True),
    ],
    ids=["preflight", "plain http"],
)
def test_what_is_refused_without_asking_takes_no_basic(
    original: OriginalRequest,
) -> None:
    """Neither a preflight nor plain http is a way to send a password (V-15, V-38)."""
    decision = BASIC.decide(ANONYMOUS, original)

    assert decision.outcome is Outcome.FORBIDDEN
    assert not decision.allows_basic
