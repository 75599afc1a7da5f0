"""The sockets: bound as configured, or a sentence and nothing left behind."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from forwardauth.cli.listeners import open_listeners, remedy_for
from forwardauth.config.addresses import Address, TcpAddress, UnixAddress
from forwardauth.config.load import load_settings
from forwardauth.config.schema import Settings
from tests.support.configuration import COMPLETE, write_config
from tests.support.processes import free_ports


@pytest.fixture
def taken() -> Iterator[TcpAddress]:
    """An address that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield TcpAddress(host="127.0.0.1", port=other.getsockname()[1])


def listening(
    folder: Path, *addresses: Address, management: Address | None = None
) -> Settings:
    """Return settings with these listeners."""
    settings = load_settings(write_config(folder, COMPLETE), {})
    server = replace(settings.server, listen=addresses, management=management)
    return replace(settings, server=server)


def tcp(host: str = "127.0.0.1") -> TcpAddress:
    """Return an address that is free."""
    return TcpAddress(host=host, port=free_ports(1)[0])


def accepts(address: Address) -> bool:
    """Whether a connection to *address* comes about."""
    family, name = (
        (socket.AF_UNIX, str(address.path))
        if isinstance(address, UnixAddress)
        else (socket.AF_INET, (address.host, address.port))
    )
    with socket.socket(family) as client:
        return client.connect_ex(name) == 0


def refusal(settings: Settings) -> str:
    """Return what is said about listeners that cannot be opened."""
    with pytest.raises(OSError, match="cannot listen on ") as caught:
        open_listeners(settings)
    return str(caught.value)


def test_every_address_is_listened_on(tmp_path: Path) -> None:
    """Several TCP addresses, a unix socket, and management apart (V-49)."""
    first, second, probes = tcp(), tcp(), tcp()
    path = UnixAddress(path=tmp_path / "socket")

    opened = open_listeners(listening(tmp_path, first, path, second, management=probes))

    everything: list[Address] = [first, second, path, probes]
    assert all(accepts(address) for address in everything)
    assert [each.getsockname() for each in opened.main] == [
        ("127.0.0.1", first.port),
        str(path.path),
        ("127.0.0.1", second.port),
    ]
    assert [each.getsockname()[1] for each in opened.management] == [probes.port]
    assert not any(each.getblocking() for each in (*opened.main, *opened.management))
    opened.close()
    assert not any(accepts(address) for address in everything)


def test_management_may_be_off(tmp_path: Path) -> None:
    """``null`` opens nothing for probes."""
    opened = open_listeners(listening(tmp_path, tcp()))

    assert opened.management == ()
    opened.close()


def test_unix_socket_is_for_owner_and_group(tmp_path: Path) -> None:
    """Others on the machine may not speak for clients, whatever the umask."""
    path = tmp_path / "socket"
    before = os.umask(0)
    try:
        opened = open_listeners(listening(tmp_path, UnixAddress(path=path)))
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    opened.close()


def test_unix_socket_goes_with_the_service(tmp_path: Path) -> None:
    """At the end its file is removed, and ending twice is no error."""
    path = tmp_path / "socket"
    opened = open_listeners(listening(tmp_path, UnixAddress(path=path)))

    opened.close()
    opened.close()

    assert not path.exists()


def test_stale_unix_socket_is_replaced(tmp_path: Path) -> None:
    """What a killed service left behind does not keep the next one from starting."""
    address = UnixAddress(path=tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(address.path))

    opened = open_listeners(listening(tmp_path, address))

    assert accepts(address)
    opened.close()


def test_live_unix_socket_is_left_alone(tmp_path: Path) -> None:
    """Another service that listens keeps its socket."""
    address = UnixAddress(path=tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(address.path))
        other.listen()

        message = refusal(listening(tmp_path, address))

        assert accepts(address)
    assert message.startswith(f"cannot listen on {address}: Address already in use; ")
    assert "stop the program" in message


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_other_kinds_of_files_are_left_alone(tmp_path: Path, kind: str) -> None:
    """A path that is no socket is refused, never removed."""
    path = tmp_path / "socket"
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")

    message = refusal(listening(tmp_path, UnixAddress(path=path)))

    assert "Address already in use" in message
    assert path.is_symlink() or path.exists()


def test_taken_port_is_told_with_what_to_do(tmp_path: Path, taken: TcpAddress) -> None:
    """The address, the reason and the remedy, without a number of the system's."""
    message = refusal(listening(tmp_path, taken))

    assert message == (
        f"cannot listen on {taken}: Address already in use; "
        "stop the program that listens there, or choose another port"
    )


@pytest.mark.parametrize(
    ("address", "reason", "remedy"),
    [
        (
            TcpAddress(host="192.0.2.1", port=9091),
            "Cannot assign requested address",
            "choose an address of this machine",
        ),
        (
            UnixAddress(path=Path("/nonexistent/socket")),
            "No such file or directory",
            "choose a path in a folder that the service may write to",
        ),
        (
            UnixAddress(path=Path("/dev/null/socket")),
            "Not a directory",
            "choose a path in a folder that the service may write to",
        ),
        (
            UnixAddress(path=Path("/tmp/" + "x" * 200)),  # noqa: S108 - never made
            "AF_UNIX path too long",
            "choose a path in a folder that the service may write to",
        ),
    ],
    ids=["foreign address", "no folder", "no folder either", "too long"],
)
def test_impossible_address_is_told_with_what_to_do(
    tmp_path: Path, address: Address, reason: str, remedy: str
) -> None:
    """Whatever the system says is put into a sentence with the address in it."""
    message = refusal(listening(tmp_path, address))

    assert message == f"cannot listen on {address}: {reason}; {remedy}"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM], ids=["13", "1"])
def test_missing_right_is_told_with_what_to_do(number: int) -> None:
    """A low port needs a right that the service should not have."""
    remedy = remedy_for(number, TcpAddress(host="127.0.0.1", port=80))

    assert remedy == "choose a port from 1024, or give the right to bind it"


def test_failure_leaves_nothing_open(tmp_path: Path, taken: TcpAddress) -> None:
    """What was bound before the failing address is released, its file removed."""
    first, path = tcp(), UnixAddress(path=tmp_path / "socket")

    refusal(listening(tmp_path, first, path, taken))

    assert not accepts(first)
    assert not path.path.exists()


def test_management_that_is_taken_fails_like_the_rest(
    tmp_path: Path, taken: TcpAddress
) -> None:
    """No service starts without the probes it was told to have."""
    first = tcp()

    message = refusal(listening(tmp_path, first, management=taken))

    assert str(taken) in message
    assert not accepts(first)


def test_both_families_can_have_one_port(tmp_path: Path) -> None:
    """``0.0.0.0`` and ``[::]`` stand beside each other, in either order."""
    port = free_ports(1)[0]
    both = [TcpAddress(host=host, port=port) for host in ("0.0.0.0", "::")]  # noqa: S104

    for addresses in (both, both[::-1]):
        opened = open_listeners(listening(tmp_path, *addresses))

        assert len(opened.main) == 2
        opened.close()


def test_restart_does_not_wait_for_old_connections(tmp_path: Path) -> None:
    """A port whose connections were closed by us can be bound again at once."""
    address = tcp()
    opened = open_listeners(listening(tmp_path, address))
    with socket.create_connection((address.host, address.port)) as client:
        opened.main[0].setblocking(True)
        opened.main[0].accept()[0].close()
        assert client.recv(1) == b""
        opened.close()

    again = open_listeners(listening(tmp_path, address))

    assert accepts(address)
    again.close()


def test_who_waits_to_be_accepted_can_be_taken(tmp_path: Path) -> None:
    """All of them, by every kind of listener of proxies; nobody is waited for."""
    port, path, probes = tcp(), UnixAddress(path=tmp_path / "socket"), tcp()
    opened = open_listeners(listening(tmp_path, port, path, management=probes))
    assert all(accepts(address) for address in (port, port, path, probes))

    taken = opened.accept_waiting()
    again = opened.accept_waiting()
    opened.close()

    families = [each.family for each in taken]
    for each in taken:
        each.close()
    assert families == [socket.AF_INET, socket.AF_INET, socket.AF_UNIX]
    assert again == []
