"""The demonstration's names and ports."""

import socket
from collections.abc import Iterator

import pytest

from forwardauth.demo.addresses import Addresses, DemoError, check_port, free_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Return a port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("port", "url"),
    [
        pytest.param(8080, "http://app.example.localhost:8080", id="a port is written"),
        pytest.param(80, "http://app.example.localhost", id="the default port is not"),
    ],
)
def test_addresses_are_written_as_browsers_write_them(port: int, url: str) -> None:
    """The service compares hosts and ports, so there is one spelling of each."""
    assert Addresses(port=port).url("app") == url


def test_free_port_can_be_listened_on() -> None:
    """A port that is handed out passes the check that the proxy's port has to pass."""
    port = free_port()

    assert check_port(port) == port


def test_taken_port_is_told_with_a_way_out(taken_port: int) -> None:
    """The sentence names the port, and the option that chooses another one."""
    with pytest.raises(DemoError, match=rf"Port {taken_port} is taken.*--port"):
        check_port(taken_port)


def test_port_taken_on_the_other_loopback_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A browser that tries ``::1`` first would talk to the other program."""
    # An address that every machine has, also one without IPv6.
    monkeypatch.setattr("forwardauth.demo.addresses.OTHER_LOOPBACK", "127.0.0.2")
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(DemoError, match="is taken"):
            check_port(port)
