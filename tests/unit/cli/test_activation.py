"""Sockets that somebody else has bound: taken by name, or refused with the remedy."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from forwardauth.cli.activation import (
    PassedSocket,
    check_passed_sockets,
    take_passed_sockets,
)
from forwardauth.cli.listeners import open_listeners
from forwardauth.config.addresses import Address, TcpAddress, UnixAddress
from forwardauth.config.load import load_settings
from forwardauth.config.schema import Settings
from forwardauth.errors import ConfigError
from tests.support.configuration import COMPLETE, write_config
from tests.support.processes import free_ports

FIRST: Final = 300
"""Where nobody else has a descriptor."""


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """Closes what a test has opened."""
    with ExitStack() as stack:
        yield stack


def bound(
    family: int = socket.AF_INET, address: tuple[str, int] | str | bytes | None = None
) -> socket.socket:
    """Return a listening socket, on loopback unless *address* says otherwise."""
    listener = socket.socket(family)
    listener.bind(address or ("127.0.0.1", 0))
    listener.listen()
    return listener


def passing(*sockets: socket.socket, names: str | None) -> dict[str, str]:
    """Put *sockets* where a manager does; return the environment that tells of them."""
    for number, each in enumerate(sockets, FIRST):
        os.dup2(each.fileno(), number, inheritable=True)
        each.close()
    told = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sockets))}
    return told if names is None else {**told, "LISTEN_FDNAMES": names}


def take(environment: dict[str, str], opened: ExitStack) -> list[PassedSocket]:
    """Return what *environment* tells of, closed with the test."""
    passed = take_passed_sockets(environment, first=FIRST)
    for each in passed:
        opened.enter_context(each.socket)
    return passed


def configured(
    folder: Path, *addresses: Address, management: Address | None = None
) -> Settings:
    """Return settings with these listeners."""
    settings = load_settings(write_config(folder, COMPLETE), {})
    server = replace(settings.server, listen=addresses, management=management)
    return replace(settings, server=server)


def at(listener: socket.socket) -> TcpAddress:
    """Return where *listener* is, as the configuration says it."""
    host, port = listener.getsockname()[:2]
    return TcpAddress(host=host, port=port)


def test_sockets_are_taken_by_name(opened: ExitStack) -> None:
    """No child inherits them or hears of them, and the loop is never blocked."""
    environment = passing(bound(), bound(), names="main:management")

    passed = take(environment, opened)

    assert [each.name for each in passed] == ["main", "management"]
    assert [each.socket.fileno() for each in passed] == [FIRST, FIRST + 1]
    assert not any(os.get_inheritable(each.socket.fileno()) for each in passed)
    assert not any(each.socket.getblocking() for each in passed)
    assert environment == {}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "main"},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "main"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
    ],
    ids=["none", "for nobody", "for another process", "no sockets"],
)
def test_what_is_for_somebody_else_is_left_alone(environment: dict[str, str]) -> None:
    """What another program forgot to remove is no socket of ours."""
    assert take_passed_sockets(environment) == []
    assert environment == {}


@pytest.mark.parametrize("names", [None, "main", "main:management:main"])
def test_sockets_without_names_are_refused(names: str | None) -> None:
    """The message says what to write, and where."""
    environment = passing(bound(), bound(), names=names)

    with pytest.raises(ConfigError) as caught:
        take_passed_sockets(environment, first=FIRST)

    for number in (FIRST, FIRST + 1):
        os.close(number)
    assert "of 2 sockets" in str(caught.value)
    assert "write FileDescriptorName=main or management" in str(caught.value)


@pytest.mark.parametrize("count", ["", "-1", "two", "65", "99999999999999999999", "٣"])
def test_senseless_count_is_refused(count: str) -> None:
    """No loop over what is no number, or no number of sockets."""
    environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": count}

    with pytest.raises(ConfigError, match="LISTEN_FDS is no number from 0 to 64"):
        take_passed_sockets(environment)


def _datagram() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def _connected() -> socket.socket:
    ours, theirs = socket.socketpair()
    theirs.close()
    return ours


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (bound, "forwardauth.socket", "does not say what it is for; write FileDesc"),
        (bound, "", "does not say what it is for"),
        (_datagram, "main", "does not listen for connections; use ListenStream="),
        (_connected, "main", "no Accept="),
    ],
    ids=["default name", "empty name", "datagrams", "a connection"],
)
def test_unfit_socket_is_refused(
    make: Callable[[], socket.socket], name: str, words: str, opened: ExitStack
) -> None:
    """Each problem names the socket, and what to write into the unit."""
    environment = passing(make(), bound(), names=f"{name}:other")

    with pytest.raises(ConfigError) as caught:
        take(environment, opened)

    for number in (FIRST, FIRST + 1):
        os.close(number)
    first, second = caught.value.problems
    assert str(first).startswith(f"socket {name!r} (descriptor {FIRST}) ")
    assert words in str(first)
    assert str(second).startswith(f"socket 'other' (descriptor {FIRST + 1}) ")


def test_file_is_no_socket(tmp_path: Path) -> None:
    """A descriptor that is something else is told, not served."""
    with (tmp_path / "file").open("w") as file:
        environment = {
            "LISTEN_PID": str(os.getpid()),
            "LISTEN_FDS": "1",
            "LISTEN_FDNAMES": "main",
        }
        with pytest.raises(ConfigError, match="is no socket"):
            take_passed_sockets(environment, first=file.fileno())


def test_passed_sockets_are_served_and_the_rest_is_bound(
    tmp_path: Path, opened: ExitStack
) -> None:
    """An address for which none was passed is listened on as ever."""
    (passed,) = take(passing(bound(), names="main"), opened)
    port, probes = free_ports(2)
    other = TcpAddress(host="127.0.0.1", port=port)
    management = TcpAddress(host="127.0.0.1", port=probes)
    settings = configured(tmp_path, other, at(passed.socket), management=management)

    listeners = open_listeners(settings, [passed])

    assert [at(each) for each in listeners.main] == [other, at(passed.socket)]
    assert [at(each) for each in listeners.management] == [management]
    assert listeners.main[1] is passed.socket
    listeners.close()


def test_file_of_a_passed_socket_is_left_to_who_made_it(
    tmp_path: Path, opened: ExitStack
) -> None:
    """The next start gets the same socket, so its file has to stay."""
    path = tmp_path / "socket"
    (tmp_path / "link").symlink_to(tmp_path)
    listener = bound(socket.AF_UNIX, str(path))
    (passed,) = take(passing(listener, names="main"), opened)
    settings = configured(tmp_path, UnixAddress(path=tmp_path / "link/socket"))

    listeners = open_listeners(settings, [passed])

    assert listeners.main == (passed.socket,)
    listeners.close()
    assert path.is_socket()


def test_localhost_is_either_loopback(tmp_path: Path, opened: ExitStack) -> None:
    """``localhost:PORT`` takes the socket of its IPv4 address."""
    (passed,) = take(passing(bound(), names="main"), opened)
    address = TcpAddress(host="localhost", port=at(passed.socket).port)

    check_passed_sockets([passed], configured(tmp_path, address))


@pytest.mark.parametrize(
    ("family", "address", "spelt"),
    [
        (socket.AF_INET, None, "127.0.0.1:"),
        (socket.AF_INET6, ("::1", 0), "[::1]:"),
        (socket.AF_UNIX, b"\0forwardauth-test", "unix:@forwardauth-test"),
    ],
    ids=["IPv4", "IPv6", "abstract"],
)
def test_socket_elsewhere_than_configured_is_refused(
    tmp_path: Path,
    opened: ExitStack,
    family: int,
    address: tuple[str, int] | bytes | None,
    spelt: str,
) -> None:
    """Both places are named, so that one of them can be put right."""
    (passed,) = take(passing(bound(family, address), names="main"), opened)
    settings = configured(tmp_path, TcpAddress(host="127.0.0.1", port=9091))

    with pytest.raises(ConfigError) as caught:
        open_listeners(settings, [passed])

    message = str(caught.value)
    assert message.startswith(f"socket 'main' listens on {spelt}")
    assert "but server.listen is 127.0.0.1:9091; write the same into" in message


def test_socket_for_management_is_none_for_people(
    tmp_path: Path, opened: ExitStack
) -> None:
    """A name counts as much as the address: metrics are never shown to everybody."""
    (passed,) = take(passing(bound(), names="management"), opened)
    settings = configured(tmp_path, at(passed.socket))

    with pytest.raises(ConfigError, match=r"but server\.management is null"):
        open_listeners(settings, [passed])
