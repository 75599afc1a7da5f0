"""Criteria of rules: read as their author meant them, refused, or warned of."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.access_control.rule import Rule
from forwardauth.config.criteria import parse_prefix
from forwardauth.config.problems import RefusedValueError
from tests.support import access
from tests.support.configuration import COMPLETE, Mistake, load_text, warnings_in

HEAD = """\
access_control:
  rules:
    - domain: app.example.com
      policy: one_factor
"""


def mistake(criterion: str, name: str, keyword: str) -> Mistake:
    """Return a mistake in the last line of a criterion that starts on the fifth."""
    return Mistake(
        text=f"{HEAD}      {criterion}",
        key=f"access_control.rules.0.{name}",
        line=5 + criterion.count("\n"),
        keyword=keyword,
    )


MISTAKES = {
    "methods-empty": mistake("methods: []", "methods", "match more than it says"),
    "method-lower-case": mistake("methods: [get]", "methods.0", "not a method"),
    "method-unknown": mistake("methods: FETCH", "methods", "not a method"),
    "path-empty-list": mistake("path: []", "path", "match more than it says"),
    "path-null": mistake("path:", "path", "is empty"),
    "path-empty": mistake('path: ""', "path", "is not a path"),
    "path-relative": mistake("path: admin", "path", "is not a path"),
    "path-url": mistake("path: 'https://x/'", "path", "is not a path"),
    "path-with-query": mistake("path: '/a?b'", "path", "is not a path"),
    "path-with-fragment": mistake("path: '/a#b'", "path", "is not a path"),
    "path-with-dots": mistake("path: /a/../b", "path", "is not a path"),
    "path-with-parameter": mistake("path: /a;b", "path", "is not a path"),
    "path-with-backslash": mistake(r"path: '/a\b'", "path", "is not a path"),
    "path-with-empty-name": mistake("path: /a//b", "path", "is not a path"),
    "path-with-control": mistake(r'path: "/a\n"', "path", "is not a path"),
    "path-encoded": mistake("path: /a%20b", "path", "percent-encoded"),
    "path-with-star": mistake("path: /api/*", "path", "holds a *"),
    "regex-empty-list": mistake("path_regex: []", "path_regex", "match more"),
    "regex-broken": mistake("path_regex: '/(a'", "path_regex", "missing )"),
    "regex-lookahead": mistake("path_regex: '/(?!a).*'", "path_regex", "no lookaround"),
    "regex-backreference": mistake(
        r"resources: ['/x', '/(a)\1']", "resources.1", "no backreferences"
    ),
    "path-beside-regex": mistake(
        "path: /a\n      path_regex: /b", "path_regex", "both say which paths"
    ),
    "regex-beside-resources": mistake(
        "path_regex: /a\n      resources: ['/b$']", "resources", "both say which paths"
    ),
    "query-empty": mistake("query: []", "query", "match more than it says"),
    "query-empty-inside": mistake("query: [[]]", "query.0", "an empty list"),
    "query-text": mistake("query: a", "query", "list of lists"),
    "query-null": mistake("query:", "query", "list of lists"),
    "query-mapping": mistake(
        "query: [{operator: present, key: a}]", "query.0", "list of lists"
    ),
    "query-texts": mistake("query: [[a]]", "query.0.0", "must hold keys"),
    "query-without-operator": mistake(
        "query: [[{key: a}]]", "query.0.0.operator", "is missing"
    ),
    "query-without-key": mistake(
        "query: [[{operator: present}]]", "query.0.0.key", "is missing"
    ),
    "query-operator": mistake(
        "query: [[{operator: is, key: a}]]", "query.0.0.operator", "not an operator"
    ),
    "query-without-value": mistake(
        "query: [[{operator: equal, key: a}]]", "query.0.0.value", "needs it"
    ),
    "query-with-value": mistake(
        "query: [[{operator: absent, key: a, value: b}]]",
        "query.0.0.value",
        "means nothing",
    ),
    "query-pattern": mistake(
        "query: [[{operator: pattern, key: a, value: '(?=a)'}]]",
        "query.0.0.value",
        "no lookaround",
    ),
    "query-misspelt": mistake(
        "query: [[{operator: present, key: a, valeu: b}]]",
        "query.0.0.valeu",
        "is not a key",
    ),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """V-20: one problem with key, line, reason and remedy, and never a wider rule."""
    check_mistake(wrong)


def read(folder: Path, criterion: str) -> Rule:
    """Return the rule with *criterion*."""
    (only,) = load_text(folder, f"{HEAD}      {criterion}\n").access_control.rules
    return only


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("/", ""),
        ("/admin", "/admin"),
        ("/admin/", "/admin"),
        ("/a b", "/a b"),
        ("/café/日本", "/café/日本"),
        ("/.well-known", "/.well-known"),
    ],
)
def test_prefix_is_written_as_people_read_it(text: str, prefix: str) -> None:
    """Decoded, and with or without a slash at its end."""
    assert parse_prefix(text) == prefix


def test_prefix_that_looks_like_a_separator_is_refused() -> None:
    """No request with such a path is let through to be compared."""
    with pytest.raises(RefusedValueError):
        parse_prefix("/a\N{FULLWIDTH SOLIDUS}b")


@pytest.mark.parametrize("key", ["path_regex", "resources"])
def test_expressions_have_two_names(tmp_path: Path, key: str) -> None:
    """``resources`` is what Authelia calls them."""
    found = read(tmp_path, f"{key}: ['^/api/.*$', '/x.*']").path

    assert found == access.paths(regexes=("^/api/.*$", "/x.*"))


def test_queries_are_any_of_all_of(tmp_path: Path) -> None:
    """The outer list is or, the inner one and."""
    text = """\
query:
        - - {operator: equal, key: a, value: ""}
          - {operator: not pattern, key: b, value: "1|2"}
        - - {operator: present, key: no}
"""

    found = read(tmp_path, text).query

    assert found == access.query("a equal  & b not pattern 1|2", "no present")


def test_rule_without_criteria_compares_nothing(tmp_path: Path) -> None:
    """What is left out matches everything."""
    only = read(tmp_path, "")

    assert list(only.criteria()) == []


WARNINGS = {
    "regex without slash": ("path_regex: 'api/.*'", "path_regex", "matches no path"),
    "regex with query": (r"path_regex: '/a\?b=.*'", "path_regex", "question mark"),
    "resource with query": ("resources: '/a[?]b'", "resources", "question mark"),
    "resource with open end": ("resources: '^/api'", "resources", "Authelia"),
    "opposites": (
        "query: [[{operator: present, key: a}, {operator: absent, key: a}]]",
        "query",
        "at once",
    ),
}


@pytest.mark.parametrize(("text", "key", "keyword"), WARNINGS.values(), ids=WARNINGS)
def test_a_criterion_that_matches_less_than_it_seems_is_a_warning(
    tmp_path: Path, text: str, key: str, keyword: str
) -> None:
    """It is allowed, has its line, and is seldom meant."""
    (warning,) = warnings_in(tmp_path, f"{HEAD}      {text}\n")

    assert warning.place.key == f"access_control.rules.0.{key}"
    assert warning.place.line == COMPLETE.count("\n") + 5
    assert keyword in warning.reason


@pytest.mark.parametrize(
    "text",
    [
        "path_regex: '/api'",
        "resources: ['^/api$', '^/img/.*', '^/x(/.*)?$']",
        "query: [[{operator: present, key: a}], [{operator: absent, key: a}]]",
    ],
)
def test_a_criterion_that_says_what_it_means_is_no_warning(
    tmp_path: Path, text: str
) -> None:
    """A false alarm would teach people to ignore warnings."""
    assert warnings_in(tmp_path, f"{HEAD}      {text}\n") == ()


def test_queries_come_from_the_environment_as_well(tmp_path: Path) -> None:
    """As a whole in YAML, or key by key."""
    prefix = "FORWARDAUTH_ACCESS_CONTROL__RULES__0__QUERY"
    whole = {prefix: "[[{operator: present, key: a}]]"}
    single = {f"{prefix}__0__0__OPERATOR": "present", f"{prefix}__0__0__KEY": "a"}

    found = [
        load_text(tmp_path, HEAD, environ).access_control.rules[0].query
        for environ in (whole, single)
    ]

    assert found == [access.query("a present")] * 2
