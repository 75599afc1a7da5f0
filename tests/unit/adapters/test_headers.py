"""One header exactly once, and the one address that trusted proxies vouch for."""

from ipaddress import ip_address, ip_network
from typing import Final

import pytest

from forwardauth.adapters.headers import (
    PlainHeaders,
    get_header,
    is_trusted,
    lookup_client,
    lookup_header,
    normalise_address,
)
from forwardauth.errors import ProxyRequestError
from tests.support.headers import FakeHeaders

NAME: Final = "X-Forwarded-Host"
PROXY: Final = ip_address("10.0.0.1")
TRUSTED: Final = (
    ip_network("10.0.0.0/8"),
    ip_network("127.0.0.0/8"),
    ip_network("fd00::/8"),
)


@pytest.mark.parametrize("spelling", [NAME, "x-forwarded-host", "X-FORWARDED-HOST"])
def test_one_value_is_read_whatever_the_case(spelling: str) -> None:
    """Field names do not differ by case (RFC 9110 5.1)."""
    headers = FakeHeaders((spelling, "app.example.com"))

    assert get_header(headers, NAME, hint="see the manual") == "app.example.com"
    assert lookup_header(headers, NAME) == "app.example.com"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "header_missing"),
        ([""], "header_missing"),
        (["a", "b"], "header_repeated"),
        (["a", "a"], "header_repeated"),
        (["", "a"], "header_repeated"),
        (["a", ""], "header_repeated"),
    ],
    ids=["missing", "empty", "two", "two alike", "empty first", "empty last"],
)
def test_needed_header_is_there_exactly_once(values: list[str], reason: str) -> None:
    """Missing, empty or repeated, it is refused by name: no first one wins (V-13)."""
    headers = FakeHeaders(*((NAME, value) for value in values))

    with pytest.raises(ProxyRequestError) as refused:
        get_header(headers, NAME, hint="see the manual")

    assert (refused.value.header, refused.value.reason) == (NAME, reason)
    assert str(refused.value).endswith("; see the manual")


@pytest.mark.parametrize("alias", ["X_Forwarded_Host", "X.Forwarded.Host", "Host"])
def test_other_spelling_is_another_header(alias: str) -> None:
    """What only some programs take for the header never counts."""
    headers = FakeHeaders((alias, "evil.test"), (NAME, "app.example.com"))

    assert get_header(headers, NAME, hint="see the manual") == "app.example.com"


@pytest.mark.parametrize(
    ("values", "found"),
    [([], None), (["a"], "a"), ([""], ""), (["a", "b"], None), (["a", "a"], None)],
    ids=["missing", "one", "empty", "two", "two alike"],
)
def test_optional_header_counts_when_it_is_there_once(
    values: list[str], found: str | None
) -> None:
    """Of several nobody can tell which one is meant."""
    headers = FakeHeaders(*((NAME, value) for value in values))

    assert lookup_header(headers, NAME) == found


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ([], "10.0.0.1"),
        (["192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7, 10.9.9.9"], "192.0.2.7"),
        (["192.0.2.7", "10.9.9.9, 10.8.8.8"], "192.0.2.7"),
        (["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
        (["203.0.113.9", "192.0.2.7"], "192.0.2.7"),
        (["127.0.0.1, 192.0.2.7, 10.9.9.9"], "192.0.2.7"),
        (["  192.0.2.7\t,10.9.9.9  "], "192.0.2.7"),
        (["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        (["2001:db8::7, fd00::1"], "2001:db8::7"),
        (["192.0.2.7, ::ffff:10.9.9.9"], "192.0.2.7"),
        (["::ffff:192.0.2.7"], "192.0.2.7"),
        (["garbage, 192.0.2.7"], "192.0.2.7"),
        ([", ".join(["garbage"] * 500 + ["192.0.2.7"])], "192.0.2.7"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_client_is_the_rightmost_hop_that_is_no_proxy(
    forwarded_for: list[str], client: str
) -> None:
    """What stands left of it was written by the client and is not read (V-22)."""
    found = lookup_client(forwarded_for, peer=PROXY, trusted=TRUSTED)

    assert found == ip_address(client)


@pytest.mark.parametrize(
    "forwarded_for",
    [
        [""],
        ["192.0.2.7,"],
        ["192.0.2.7, "],
        ["192.0.2.7", ""],
        ["192.0.2.7, unknown"],
        ["192.0.2.7, unknown, 10.9.9.9"],
        ["192.0.2.7:51234"],
        ["[2001:db8::7]"],
        ["192.0.2.07"],
        ["192.0.2"],
        ["3221225991"],
        ["0xc0000207"],
        ["192.0.2.7/32"],
        ["192.0.2.7\0"],
        ["192.0.2.7;10.0.0.1"],
        ["for=192.0.2.7"],
        ["\N{FULLWIDTH DIGIT ONE}92.0.2.7"],
    ],
    ids=ascii,
)
def test_unreadable_hop_makes_the_client_unknown(forwarded_for: list[str]) -> None:
    """The hop beside it is not believed in its place (V-22)."""
    assert lookup_client(forwarded_for, peer=PROXY, trusted=TRUSTED) is None


@pytest.mark.parametrize(
    ("proxies", "client"), [(32, "10.0.0.9"), (33, None)], ids=["all", "too many"]
)
def test_list_of_proxies_alone_is_read_to_its_end(
    proxies: int, client: str | None
) -> None:
    """Beyond 32 hops nobody looks, and nobody is taken for the client (V-22, V-42)."""
    hops = ["10.0.0.9", *["10.9.9.9"] * (proxies - 1)]

    found = lookup_client([",".join(hops)], peer=PROXY, trusted=TRUSTED)

    assert found == (client if client is None else ip_address(client))


@pytest.mark.parametrize("forwarded_for", [[], ["10.0.0.9"], ["garbage"]], ids=str)
def test_untrusted_peer_is_the_client_itself(forwarded_for: list[str]) -> None:
    """Whatever it claims to forward, it speaks for nobody (V-11, V-22)."""
    peer = ip_address("192.0.2.99")

    assert lookup_client(forwarded_for, peer=peer, trusted=TRUSTED) == peer


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [([], None), (["192.0.2.7"], ip_address("192.0.2.7"))],
    ids=["no list", "list"],
)
def test_peer_without_an_address_may_forward(
    forwarded_for: list[str], client: object
) -> None:
    """A unix socket is guarded by its file mode; without a list nobody is known."""
    assert lookup_client(forwarded_for, peer=None, trusted=TRUSTED) == client


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("10.255.0.1", True),
        ("11.0.0.1", False),
        ("127.0.0.1", True),
        ("fd12::1", True),
        ("::1", False),
        ("::10.0.0.1", False),
    ],
)
def test_trust_goes_by_network(address: str, found: bool) -> None:
    """An address is trusted in a network of its own family alone."""
    assert is_trusted(ip_address(address), TRUSTED) is found


def test_nobody_is_trusted_by_default() -> None:
    """Without networks no peer may speak for clients (V-11)."""
    assert not is_trusted(PROXY, ())


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::7", "2001:db8::7"),
        ("::1", "::1"),
    ],
)
def test_mapped_address_is_the_address_it_maps(address: str, normal: str) -> None:
    """A listener on ``::`` sees IPv4 in the clothes of IPv6."""
    assert normalise_address(ip_address(address)) == ip_address(normal)


def test_plain_headers_have_each_name_once() -> None:
    """Adapters read them as they read those of a parsed request."""
    headers = PlainHeaders({"x-original-method": "GET"})

    assert headers.getall("X-Original-Method", []) == ["GET"]
    assert headers.getall("X-Original-URL", []) == []
    assert list(headers) == ["x-original-method"]
