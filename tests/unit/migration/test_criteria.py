"""Criteria: which hosts two of them share, and how they are written."""

import pytest

from forwardauth.migration.criteria import Criteria, Term
from forwardauth.migration.yaml_text import Entry

APP = Criteria(domain=("app.example.com",))
ANY = Criteria(domain=("*.example.com",))
REGEX = Criteria(domain_regex=("a.*",))

HOSTS = {
    "the same": (APP, APP, True, True),
    "wider": (ANY, APP, True, True),
    "narrower": (APP, ANY, True, False),
    "another": (APP, Criteria(domain=("b.example.com",)), False, False),
    "an expression": (APP, REGEX, True, False),
    "from an expression": (REGEX, APP, True, False),
}


@pytest.mark.parametrize(
    ("mine", "theirs", "shares", "covers"), HOSTS.values(), ids=HOSTS
)
def test_hosts_are_compared_by_name(
    mine: Criteria, theirs: Criteria, shares: bool, covers: bool
) -> None:
    """An expression may mean any host, and covers none for certain."""
    assert mine.shares_hosts(theirs) is shares
    assert mine.covers_hosts(theirs) is covers


def test_only_hosts_are_asked_for() -> None:
    """Unless any other key is there."""
    assert APP.is_for_hosts_alone
    assert not Criteria(domain=("a.example.com",), methods=("GET",)).is_for_hosts_alone


def test_single_texts_stand_without_brackets() -> None:
    """Lists of lists keep them where they mean something."""
    criteria = Criteria(
        domain=("a.example.com",),
        methods=("GET", "HEAD"),
        query=((Term(operator="present", key="x"),),),
        subject=(("user:a",), ("group:b", "group:c")),
    )

    assert criteria.entries() == (
        Entry(name="domain", value="a.example.com"),
        Entry(name="methods", value=["GET", "HEAD"]),
        Entry(
            name="query",
            value=[
                [
                    (
                        Entry(name="operator", value="present"),
                        Entry(name="key", value="x"),
                    )
                ]
            ],
        ),
        Entry(name="subject", value=["user:a", ["group:b", "group:c"]]),
    )
