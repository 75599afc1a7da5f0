"""Addresses to listen on, and networks to believe."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from forwardauth.config.addresses import (
    TcpAddress,
    UnixAddress,
    is_everything,
    parse_address,
    parse_network,
)
from forwardauth.config.problems import RefusedValueError

FOLDER = Path("/etc/forwardauth")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9091", TcpAddress(host="127.0.0.1", port=9091)),
        ("localhost:80", TcpAddress(host="localhost", port=80)),
        ("LOCALHOST:80", TcpAddress(host="localhost", port=80)),
        ("[::1]:9091", TcpAddress(host="::1", port=9091)),
        ("[0:0:0:0:0:0:0:1]:9091", TcpAddress(host="::1", port=9091)),
        ("0.0.0.0:65535", TcpAddress(host="0.0.0.0", port=65535)),  # noqa: S104 - parsed only
        ("unix:/run/a.sock", UnixAddress(path=Path("/run/a.sock"))),
        ("unix:a.sock", UnixAddress(path=FOLDER / "a.sock")),
    ],
)
def test_addresses_are_read(text: str, address: TcpAddress | UnixAddress) -> None:
    """IPv4, IPv6, localhost and sockets, relative ones from the folder."""
    assert parse_address(text, folder=FOLDER) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9091",
        ":9091",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:9091/",
        "http://127.0.0.1:9091",
        "example.com:9091",
        "::1:9091",
        "[127.0.0.1:9091",
        "[fe80::1%eth0]:9091",
        "127.1:9091",
        "*:9091",
        "unix:",
        "unix:a\x00b",
        "unix:/" + "x" * 108,
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    """Nothing is resolved, completed or guessed."""
    with pytest.raises(RefusedValueError):
        parse_address(text, folder=FOLDER)


@pytest.mark.parametrize(
    ("text", "is_loopback"),
    [
        ("127.0.0.1:1", True),
        ("127.8.8.8:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("unix:/a", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("10.0.0.1:1", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(
    text: str, *, is_loopback: bool
) -> None:
    """Every address that others can connect to counts as exposed."""
    assert parse_address(text, folder=FOLDER).is_loopback is is_loopback


@pytest.mark.parametrize(
    ("first", "second", "collides"),
    [
        ("127.0.0.1:1", "127.0.0.1:1", True),
        ("127.0.0.1:1", "127.0.0.1:2", False),
        ("127.0.0.1:1", "127.0.0.2:1", False),
        ("0.0.0.0:1", "127.0.0.1:1", True),
        ("0.0.0.0:1", "[::]:1", False),
        ("[::]:1", "[::1]:1", True),
        ("localhost:1", "127.0.0.1:1", True),
        ("localhost:1", "[::1]:1", True),
        ("localhost:1", "10.0.0.1:1", False),
        ("unix:/a", "unix:/a", True),
        ("unix:/a", "unix:/b", False),
        ("unix:/a", "127.0.0.1:1", False),
    ],
)
def test_two_addresses_collide_when_the_kernel_refuses_the_second(
    first: str, second: str, *, collides: bool
) -> None:
    """Wildcards take the port of every address of their family."""
    one, two = (parse_address(text, folder=FOLDER) for text in (first, second))

    assert one.collides(two) is collides
    assert two.collides(one) is collides


@pytest.mark.parametrize("text", ["127.0.0.1:9091", "[::1]:9091", "unix:/run/a.sock"])
def test_an_address_prints_as_it_is_written(text: str) -> None:
    """Messages show what people wrote."""
    assert str(parse_address(text, folder=FOLDER)) == text


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("172.20.0.2", "172.20.0.2/32"),
        ("172.20.0.2/32", "172.20.0.2/32"),
        ("::1/128", "::1/128"),
        ("fd00::", "fd00::/128"),
        ("FD00:0::/8", "fd00::/8"),
    ],
)
def test_networks_are_read(text: str, network: str) -> None:
    """A single address is a network of its own."""
    assert parse_network(text) == ip_network(network)


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("", "not a network"),
        ("*", "not a network"),
        ("10.0.0.0/33", "not a network"),
        ("proxy.example.com", "not a network"),
        ("10.0.0.1/8", "beyond its prefix"),
        ("0.0.0.0/0", "every address"),
        ("::/0", "every address"),
        ("::ffff:0:0/96", "IPv4 addresses written as IPv6"),
        ("::ffff:10.0.0.1", "IPv4 addresses written as IPv6"),
        ("::/1", "IPv4 addresses written as IPv6"),
    ],
)
def test_networks_that_cannot_be_meant_are_refused(text: str, keyword: str) -> None:
    """V-11: nobody trusts everybody by a slip of the prefix."""
    with pytest.raises(RefusedValueError) as caught:
        parse_network(text)

    assert keyword in caught.value.reason


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["0.0.0.0/1", "128.0.0.0/1"], True),
        (["128.0.0.0/2", "0.0.0.0/1", "192.0.0.0/2", "fd00::/8"], True),
        (["0.0.0.0/1"], False),
        (["127.0.0.0/8", "::1/128"], False),
        ([], False),
    ],
)
def test_halves_make_a_whole(texts: list[str], *, expected: bool) -> None:
    """V-11: all addresses in pieces are still all addresses."""
    assert is_everything(tuple(map(parse_network, texts))) is expected
