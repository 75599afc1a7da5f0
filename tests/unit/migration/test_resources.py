"""Expressions that are searched in path and query, bounded by expressions for paths."""

import itertools

import pytest
import re2

from forwardauth.migration.resources import read_resources, search_whole

EXACT = {
    "open": ("^/api/", ("/api/.*",)),
    "open, spelled out": ("^/api/.*$", ("/api/.*",)),
    "as the documentation advises": ("^/api([/?].*)?$", ("/api[/?].*", "/api")),
    "with any query": (r"^/api(\?.*)?$", ("/api",)),
    "everything": (".*", (".*",)),
    "everything, anchored": ("^.*$", (".*",)),
    "a class without a question mark": ("^/u/[a-z]+/pub", ("/u/[a-z]+/pub.*",)),
    "an optional end": ("^/api(/.*)?", ("/api.*",)),
    "alternatives": ("^/a/|^/b/", ("/a/.*", "/b/.*")),
}


@pytest.mark.parametrize(("text", "wanted"), EXACT.values(), ids=EXACT)
def test_what_the_query_cannot_change_is_exact(
    text: str, wanted: tuple[str, ...]
) -> None:
    """Inside and outside are the same."""
    reading = read_resources([text])

    assert reading.inside == wanted
    assert reading.outside == wanted


BOUNDED = {
    "ends": ("^/health$", (), ("/health",)),
    "ends below": ("^/api(/.*)?$", ("/api/.*",), ("/api/.*", "/api")),
    "names the query": (r"^/index\.php\?page=x", (), (r"/index\.php",)),
    "not anchored": ("/admin", (".*/admin.*",), (".*",)),
    "flags": ("(?i)^/A", (), (".*",)),
    "a word boundary": (r"^/a\b", (), (".*",)),
    "who asks": ("^/u/(?P<User>b)/", (), ("/u/(?:b)/.*",)),
}


@pytest.mark.parametrize(("text", "inside", "outside"), BOUNDED.values(), ids=BOUNDED)
def test_what_the_query_changes_is_bounded(
    text: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    """From inside by what always holds, from outside by what may."""
    reading = read_resources([text])

    assert reading.inside == inside
    assert set(reading.outside) == set(outside)


def test_a_dollar_may_be_taken_for_the_end_of_the_path() -> None:
    """Where somebody has decided so."""
    reading = read_resources([r"^/.*\.png$"], any_query=True)

    assert reading.inside == (r"/.*\.png",)


def test_an_expression_about_the_query_stays_outside() -> None:
    """No decision about ``$`` makes the query part of the path."""
    reading = read_resources([r"^/index\.php\?page=x$"], any_query=True)

    assert reading.inside == ()
    assert reading.outside == (r"/index\.php",)


@pytest.mark.parametrize("text", ["(", "(?=a)", r"(a)\1"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    """RE2 does not read it, and neither does the source."""
    with pytest.raises(ValueError, match=r".{9}"):
        read_resources([text])


EXPRESSIONS = [
    *("^/a", "^/a$", "/a$", "^/a?$", "^/a([/?].*)?$", "^/a(/.*)?$", "^/a(/.*|)$"),
    *("^/a.b", "^/a.*b", "^/a.*b$", "^/[^/]+$", "^/[^/]+/b", r"^/a\?b=", "^/a[?]"),
    *("^/(a|b)$", "^/(a.|b)$", "a", "b$", "^", "$", r"^/a\.*$", "^/a/?(.*)?$", ""),
    *("^(/a)?$", "^/a(b.c)+", "^/a{1,2}", "(?i)^/A", r"\Aa|^/b\z", "^/a|b$", "^/a.?$"),
    *(r"^/a([/?]b)?$", r"^/a(\?b)?$", "^/a[^b]", "^/a[^b]$", "^/(?P<x>a)$", "^/a??$"),
]
PATHS = [
    "/" + "".join(p) for n in range(4) for p in itertools.product("ab/.", repeat=n)
]
QUERIES = [None, "a", "b", "b=", "/b", "x/a", "a?b", ".b", "ab"]


@pytest.mark.parametrize("any_query", [False, True])
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_bounds_hold_for_every_path_and_query(text: str, any_query: bool) -> None:
    """Inside is met whatever the query, outside wherever some query is met."""
    reading = read_resources([text], any_query=any_query)
    searched = re2.compile(text)

    for path in PATHS:
        met = {
            searched.search(path if query is None else f"{path}?{query}") is not None
            for query in QUERIES
        }
        is_inside = any(re2.fullmatch(each, path) for each in reading.inside)
        is_outside = any(re2.fullmatch(each, path) for each in reading.outside)
        if is_inside:
            assert met == {True} or (any_query and True in met), (path, reading)
        if True in met:
            assert is_outside, (path, reading)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_a_search_becomes_a_match_of_the_whole(text: str) -> None:
    """For hosts and values of a query, which have no query of their own."""
    whole = re2.compile(search_whole(text))

    for path in PATHS[:80]:
        is_found = re2.search(text, path) is not None
        assert (whole.fullmatch(path) is not None) is is_found, path
