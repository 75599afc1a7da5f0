"""What a rule compares beyond the host, each criterion for itself."""

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.criteria import Criterion, Match
from tests.support.access import ask, methods, networks, paths


@pytest.mark.parametrize(
    ("method", "match"), [("GET", "yes"), ("HEAD", "no"), ("POST", "yes")]
)
def test_method_is_compared_exactly(method: str, match: Match) -> None:
    """A rule for GET is none for HEAD."""
    criterion = methods("GET", "POST")

    assert criterion.check(Asked(ask(method=method))) == match


@pytest.mark.parametrize(
    ("prefix", "uri", "match"),
    [
        ("/admin", "/admin", "yes"),
        ("/admin", "/admin/", "yes"),
        ("/admin", "/admin/users", "yes"),
        ("/admin", "/%61dmin/users", "yes"),
        ("/admin", "/administrator", "no"),
        ("/admin", "/admin.php", "no"),
        ("/admin", "/Admin", "no"),
        ("/admin", "/x/admin", "no"),
        ("/admin", "/x?next=/admin", "no"),
        ("/admin", "/?/admin", "no"),
        ("/a/b", "/a", "no"),
        ("/a/b", "/a/b/c", "yes"),
        ("/a/b", "/a/bc", "no"),
        ("/a b", "/a%20b/c", "yes"),
        ("/café", "/caf%c3%a9", "yes"),
        ("", "/", "yes"),
        ("", "/anything", "yes"),
        ("/admin", "/admin%2fusers", "unknown"),
        ("/admin", "/x/../admin", "unknown"),
    ],
)
def test_prefix_is_compared_by_segments(prefix: str, uri: str, match: Match) -> None:
    """The decoded path counts, by whole names, and never the query (V-19, V-20)."""
    assert paths(prefix).check(Asked(ask(uri=uri))) == match


@pytest.mark.parametrize(
    ("uri", "match"),
    [
        ("/img/a.png", "yes"),
        ("/img/%61.png", "yes"),
        ("/img/a.png/x", "no"),
        ("/x/img/a.png", "no"),
        ("/x?/img/a.png", "no"),
        ("/img/a%2fb.png", "unknown"),
    ],
)
def test_expression_is_compared_with_the_whole_path(uri: str, match: Match) -> None:
    """Nothing around it, and never the query (V-20)."""
    criterion = paths(regexes=(r"/css/.*", r"/img/[a-z]+\.png"))

    assert criterion.check(Asked(ask(uri=uri))) == match


@pytest.mark.parametrize(
    ("client", "match"),
    [
        ("10.1.2.3", "yes"),
        ("192.0.2.7", "yes"),
        ("::ffff:10.1.2.3", "yes"),
        ("192.0.2.8", "no"),
        ("2001:db8::1", "yes"),
        ("2001:db9::1", "no"),
        ("::1", "no"),
        (None, "unknown"),
    ],
)
def test_address_is_compared_with_each_network(
    client: str | None, match: Match
) -> None:
    """IPv4 in the form of IPv6 is IPv4; nobody's address is never guessed (V-22)."""
    criterion = networks("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32")

    assert criterion.check(Asked(ask(client=client))) == match


@given(
    st.lists(
        st.tuples(st.ip_addresses(), st.integers(0, 32)).map(
            lambda pair: ip_network(pair, strict=False)
        ),
        min_size=1,
        max_size=4,
    ),
    st.ip_addresses(),
    st.data(),
)
def test_address_is_in_a_network_as_the_library_says(
    found: list[IPv4Network | IPv6Network],
    other: IPv4Address | IPv6Address,
    data: st.DataObject,
) -> None:
    """Whatever the versions, at the ends of a network and beyond them."""
    chosen = data.draw(st.sampled_from(found))
    ends = (chosen.network_address, chosen.broadcast_address)
    client = data.draw(st.sampled_from((other, *ends)))
    mapped = client.ipv4_mapped if isinstance(client, IPv6Address) else None
    address = client if mapped is None else mapped

    match = networks(*map(str, found)).check(Asked(ask(client=str(client))))

    is_inside = any(address in network for network in found)
    assert match is (Match.YES if is_inside else Match.NO)


@pytest.mark.parametrize(
    ("mine", "theirs", "covers"),
    [
        (methods("GET", "HEAD"), methods("GET"), True),
        (methods("GET"), methods("GET", "HEAD"), False),
        (paths("/a"), paths("/a"), True),
        (paths("/a"), paths("/a/b", "/a"), True),
        (paths("/a"), paths("/ab"), False),
        (paths("/a/b"), paths("/a"), False),
        (paths(""), paths(regexes=("/x",)), True),
        (paths("/a"), paths(regexes=("/a/x",)), False),
        (paths(regexes=("/a", "/b")), paths(regexes=("/b",)), True),
        (paths(regexes=("/a",)), paths("/a"), False),
        (networks("10.0.0.0/8"), networks("10.1.0.0/16", "10.0.0.1/32"), True),
        (networks("10.1.0.0/16"), networks("10.0.0.0/8"), False),
        (networks("10.0.0.0/8"), networks("2001:db8::/32"), False),
        (networks("2001:db8::/32"), networks("10.0.0.0/8"), False),
        (networks("2001:db8::/32"), networks("2001:db8:1::/48"), True),
    ],
    ids=str,
)
def test_criterion_covers_what_it_surely_matches(
    mine: Criterion, theirs: Criterion, covers: bool
) -> None:
    """Only what is certain counts; expressions are compared as text."""
    assert mine.covers(theirs) is covers  # type: ignore[attr-defined]  # three kinds


@pytest.mark.parametrize(
    ("criterion", "text"),
    [
        (methods("POST", "GET"), "GET, POST"),
        (paths("/a", ""), "/a, /"),
        (paths(regexes=("/a.*",)), "/a.*"),
        (networks("10.0.0.0/8", "::1/128"), "10.0.0.0/8, ::1/128"),
    ],
    ids=str,
)
def test_criterion_prints_as_it_is_written(criterion: Criterion, text: str) -> None:
    """An explanation quotes the rule."""
    assert str(criterion) == text
