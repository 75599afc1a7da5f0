"""Rules in the words of Traefik become criteria, bounded where they cannot be said."""

import pytest

from forwardauth.migration.criteria import Criteria, Term
from forwardauth.migration.traefik_rules import parse_rule

HOST = Criteria(domain=("a.example.com",))

EXACT = {
    "host": ("Host(`a.example.com`)", [HOST]),
    "hosts": (
        'Host("A.example.com", `b.example.com`)',
        [Criteria(domain=("a.example.com", "b.example.com"))],
    ),
    "host with a parameter": (
        "HostRegexp(`{sub:[a-z]{2}}.example.com`)",
        [Criteria(domain_regex=(r"(?:[a-z]{2})\.example\.com",))],
    ),
    "host with a bare parameter": (
        "HostRegexp(`{sub}.example.com`)",
        [Criteria(domain_regex=(r"(?:[^.]+)\.example\.com",))],
    ),
    "path": ("Path(`/a.b`)", [Criteria(path_regex=(r"/a\.b",))]),
    "prefix": (
        "PathPrefix(`/a/{id:[0-9]+}`)",
        [Criteria(path_regex=("/a/(?:[0-9]+).*",))],
    ),
    "methods": ("Method(`GET`, `post`)", [Criteria(methods=("GET", "POST"))]),
    "query": (
        "Query(`a=b`)",
        [Criteria(query=((Term(operator="equal", key="a", value="b"),),))],
    ),
    "and": (
        "Host(`a.example.com`) && Path(`/x`)",
        [Criteria(domain=("a.example.com",), path_regex=("/x",))],
    ),
    "or": (
        "Path(`/x`) || Host(`a.example.com`)",
        [Criteria(path_regex=("/x",)), HOST],
    ),
    "parentheses": (
        "Host(`a.example.com`)&&(Path(`/x`)||Method(`GET`))",
        [
            Criteria(domain=("a.example.com",), path_regex=("/x",)),
            Criteria(domain=("a.example.com",), methods=("GET",)),
        ],
    ),
}


@pytest.mark.parametrize(("text", "wanted"), EXACT.values(), ids=EXACT)
def test_what_can_be_said_is_exact(text: str, wanted: list[Criteria]) -> None:
    """Any of the clauses will do."""
    clauses = parse_rule(text)

    assert [clause.inside for clause in clauses] == wanted
    assert [clause.outside for clause in clauses] == wanted


BOUNDED = {
    "headers": ("Host(`a.example.com`) && Headers(`A`, `b`)", HOST),
    "not": ("Host(`a.example.com`) && !Path(`/x`)", HOST),
    "unknown": ("Host(`a.example.com`) && Foo(`x`)", HOST),
    "two hosts": ("Host(`a.example.com`) && Host(`b.example.com`)", HOST),
    "no host name": ("Host(`a_b`)", Criteria()),
    "an asterisk": (
        "Host(`*.example.com`)",
        Criteria(domain=("*.example.com",)),
    ),
    "an empty value": ("Query(`a=`)", Criteria()),
    "unpaired": ("Path(`/{a`)", Criteria()),
    "no expression": ("Path(`/{a:(}`)", Criteria()),
    "no method": ("Method(`BREW`)", Criteria()),
}


@pytest.mark.parametrize(("text", "outside"), BOUNDED.values(), ids=BOUNDED)
def test_what_cannot_be_said_has_nothing_inside(text: str, outside: Criteria) -> None:
    """And a reason for the report."""
    (clause,) = parse_rule(text)

    assert clause.inside is None
    assert clause.outside == outside
    assert clause.reasons


def test_an_asterisk_among_hosts_leaves_the_others() -> None:
    """It is no wildcard there, so it lets nobody in who has not been let in."""
    (clause,) = parse_rule("Host(`a.example.com`, `*.example.com`)")

    assert clause.inside == HOST
    assert clause.outside == Criteria(domain=("a.example.com", "*.example.com"))
    assert clause.reasons


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Host",
        "Host(",
        "Host(a)",
        "Host(`a`",
        "Host(`a`) &&",
        "Host(`a`) x",
        "(`a`)",
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    """Half of a rule would be another one."""
    with pytest.raises(ValueError, match=r"has no|cannot be read"):
        parse_rule(text)
