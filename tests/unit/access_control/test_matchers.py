"""The criteria of a rule, each for itself."""

import pytest

from forwardauth.access_control.matchers import (
    DomainPattern,
    SubjectCriterion,
    Together,
    parse_domain_pattern,
)
from forwardauth.request import ANONYMOUS, Subject
from tests.support.access import ALICE, BOB
from tests.support.targets import Listed, read_list


def together(users: str = "", groups: str = "") -> SubjectCriterion:
    """Return the criterion of these users and groups (by spaces), all at once."""
    both = Together(users=frozenset(users.split()), groups=frozenset(groups.split()))
    return SubjectCriterion(together=(both,))


BAD_HOSTS = [
    case for case in read_list("hosts-refused.txt") if case.text != "*.example.com"
]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("app.example.com", DomainPattern(name="app.example.com", is_wildcard=False)),
        ("*.example.com", DomainPattern(name="example.com", is_wildcard=True)),
        ("App.Example.COM", DomainPattern(name="app.example.com", is_wildcard=False)),
        ("*.EXAMPLE.com", DomainPattern(name="example.com", is_wildcard=True)),
        ("localhost", DomainPattern(name="localhost", is_wildcard=False)),
        (
            "xn--mnchen-3ya.de",
            DomainPattern(name="xn--mnchen-3ya.de", is_wildcard=False),
        ),
    ],
)
def test_pattern_is_read_in_lower_case(text: str, pattern: DomainPattern) -> None:
    """A host, or ``*.`` and a host; names do not differ by case (V-16)."""
    assert parse_domain_pattern(text) == pattern


@pytest.mark.parametrize("text", ["app.example.com", "*.example.com"])
def test_pattern_prints_as_it_is_written(text: str) -> None:
    """An explanation quotes the rule."""
    assert str(parse_domain_pattern(text)) == text


@pytest.mark.parametrize("case", BAD_HOSTS, ids=str)
def test_pattern_that_is_no_host_is_refused(case: Listed) -> None:
    """What no request may be for, no rule may be for."""
    with pytest.raises(ValueError, match="neither a host name"):
        parse_domain_pattern(case.text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "*", "*.", "*.*", "*.*.example.com", "*example.com", "app.*.com"),
        *("example.*", "**.example.com", "?.example.com", ".*", "*.example.com."),
        *("*.example.com:443", "*.example.com\n", "[a-z].example.com"),
    ],
    ids=ascii,
)
def test_other_wildcard_is_refused(text: str) -> None:
    """One star, in front, for whole labels: anything else would match a surprise."""
    with pytest.raises(ValueError, match="neither a host name"):
        parse_domain_pattern(text)


@pytest.mark.parametrize(
    ("pattern", "host", "is_match"),
    [
        ("example.com", "example.com", True),
        ("example.com", "app.example.com", False),
        ("example.com", "evilexample.com", False),
        ("example.com", "example.com.evil.test", False),
        ("*.example.com", "app.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "evilexample.com", False),
        ("*.example.com", "app.example.com.evil.test", False),
        ("*.example.com", "com", False),
        ("*.a.example.com", "b.example.com", False),
    ],
)
def test_pattern_is_dot_bounded(pattern: str, host: str, is_match: bool) -> None:
    """A wildcard means hosts below a name, never the name or a longer word."""
    assert parse_domain_pattern(pattern).matches(host) is is_match


@pytest.mark.parametrize(
    ("criterion", "is_alice", "is_bob"),
    [
        (SubjectCriterion(), True, True),
        (SubjectCriterion(users=frozenset({"alice"})), True, False),
        (SubjectCriterion(users=frozenset({"alice", "bob"})), True, True),
        (SubjectCriterion(groups=frozenset({"ops", "admins"})), True, False),
        (SubjectCriterion(groups=frozenset({"admins"})), False, False),
        (
            SubjectCriterion(users=frozenset({"bob"}), groups=frozenset({"dev"})),
            True,
            True,
        ),
        (SubjectCriterion(users=frozenset({"ALICE", "alic", "dev"})), False, False),
        (SubjectCriterion(groups=frozenset({"alice", "OPS", "op"})), False, False),
        (together(groups="ops dev"), True, False),
        (together(groups="ops admins"), False, False),
        (together(users="alice", groups="ops"), True, False),
        (together(users="bob", groups="ops"), False, False),
        (together(users="alice bob"), False, False),
        (together(users="bob"), False, True),
    ],
    ids=[
        "everyone",
        "user",
        "users",
        "any group of hers",
        "no group of hers",
        "user or group",
        "users alike",
        "groups alike",
        "both groups",
        "one of two groups",
        "user in group",
        "user out of group",
        "two users at once",
        "one user",
    ],
)
def test_subject_is_meant_by_name_or_group(
    criterion: SubjectCriterion, is_alice: bool, is_bob: bool
) -> None:
    """Either a name or one group does, and both are compared exactly."""
    assert (criterion.matches(ALICE), criterion.matches(BOB)) == (is_alice, is_bob)


@pytest.mark.parametrize(
    ("criterion", "is_for_everyone"),
    [
        (SubjectCriterion(), True),
        (SubjectCriterion(users=frozenset({"alice"})), False),
        (SubjectCriterion(groups=frozenset({"ops"})), False),
        (together(users="alice", groups="ops"), False),
    ],
    ids=["neither", "users", "groups", "together"],
)
def test_rule_without_people_is_for_everyone(
    criterion: SubjectCriterion, is_for_everyone: bool
) -> None:
    """Only with no user and no group it does not matter who asks."""
    assert criterion.is_for_everyone is is_for_everyone


@pytest.mark.parametrize("subject", [ANONYMOUS, Subject(level=1)], ids=["none", "odd"])
def test_empty_name_is_among_no_users(subject: Subject) -> None:
    """A list of users does not mean whoever has no name."""
    criterion = SubjectCriterion(users=frozenset({"alice"}), groups=frozenset({"ops"}))

    assert not criterion.matches(subject)


FOR_ALICE = SubjectCriterion(users=frozenset({"alice"}))
FOR_OPS = SubjectCriterion(groups=frozenset({"ops"}))
FOR_EITHER = SubjectCriterion(users=frozenset({"alice"}), groups=frozenset({"ops"}))


@pytest.mark.parametrize(
    ("mine", "theirs", "covers"),
    [
        (SubjectCriterion(), FOR_ALICE, True),
        (FOR_ALICE, SubjectCriterion(), False),
        (FOR_EITHER, FOR_OPS, True),
        (FOR_OPS, FOR_EITHER, False),
        (FOR_ALICE, FOR_OPS, False),
        (FOR_OPS, together(groups="ops dev"), True),
        (FOR_ALICE, together(users="alice", groups="x"), True),
        (together(groups="ops dev"), together(groups="ops dev"), True),
        (together(groups="ops dev"), FOR_OPS, False),
        (together(groups="ops dev"), together(groups="ops"), False),
    ],
)
def test_subject_covers_whom_it_surely_means(
    mine: SubjectCriterion, theirs: SubjectCriterion, covers: bool
) -> None:
    """Whoever is meant by names that are all here is meant here as well."""
    assert mine.covers(theirs) is covers


@pytest.mark.parametrize(
    ("mine", "theirs", "covers"),
    [
        ("a.test", "a.test", True),
        ("*.test", "a.test", True),
        ("*.test", "*.a.test", True),
        ("*.test", "*.test", True),
        ("*.test", "test", False),
        ("*.a.test", "*.test", False),
        ("a.test", "*.a.test", False),
        ("*.a.test", "ba.test", False),
    ],
)
def test_pattern_covers_the_hosts_it_matches(
    mine: str, theirs: str, covers: bool
) -> None:
    """A wildcard covers names and wildcards below it."""
    assert parse_domain_pattern(mine).covers(parse_domain_pattern(theirs)) is covers


def test_subjects_print_as_they_are_written() -> None:
    """An explanation quotes the rule, and names are all found for comparison."""
    both = Together(users=frozenset({"bob"}), groups=frozenset({"x", "dev"}))
    criterion = SubjectCriterion(
        users=frozenset({"alice"}), groups=frozenset({"ops"}), together=(both,)
    )

    text = "user:alice, group:ops, user:bob and group:dev and group:x"
    assert str(criterion) == text
    assert str(SubjectCriterion()) == "everybody"
    assert criterion.all_users == {"alice", "bob"}
    assert criterion.all_groups == {"ops", "dev", "x"}
