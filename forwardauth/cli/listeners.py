"""The sockets that ``forwardauth serve`` listens on, there before anything serves."""

import errno
import socket
import stat
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from forwardauth.cli.activation import (
    NAMES,
    PassedSocket,
    check_passed_sockets,
    configured,
)
from forwardauth.config.addresses import Address, TcpAddress, UnixAddress
from forwardauth.config.schema import Settings

_BACKLOG: Final = 1024
_UNIX_MODE: Final = 0o660
_FIRST_FREE_PORT: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Bound sockets, and the files of unix sockets to remove at the end."""

    main: tuple[socket.socket, ...]
    management: tuple[socket.socket, ...]
    files: tuple[Path, ...]

    def shared_with(self, worker: int) -> "Listeners":
        """Return what a process serves that was forked; the first has management, too.

        The files are those of the parent.
        """
        management = self.management if worker == 0 else ()
        return Listeners(main=self.main, management=management, files=())

    def accept_waiting(self) -> list[socket.socket]:
        """Return the connections that nobody has taken yet, before they are lost."""
        found: list[socket.socket] = []
        for listener in self.main:
            # Nobody accepts by the same listener in between, so that it has an end.
            with suppress(OSError):
                while len(found) < _BACKLOG:
                    found.append(listener.accept()[0])
        return found

    def close_main(self) -> None:
        """Take no more connections: who comes now may go to another instance."""
        _close(self.main, self.files)

    def close(self) -> None:
        """Close all sockets that are open, and remove their files."""
        _close((*self.main, *self.management), self.files)


def open_listeners(
    settings: Settings, passed: Collection[PassedSocket] = ()
) -> Listeners:
    """Return every configured listener: those of *passed*, the others bound here.

    Raises:
        ConfigError: One of *passed* is nowhere in *settings*.
        OSError: An address is taken or not ours. The message is a sentence that names
            it and says what to do; nothing is left open.
    """
    check_passed_sockets(passed, settings)
    wanted = [(name, at) for name in NAMES for at in configured(settings, name)]
    opened: dict[str, list[socket.socket]] = {name: [] for name in NAMES}
    files: list[Path] = []
    try:
        for name, address in wanted:
            given = [
                each.socket
                for each in passed
                if each.name == name and each.is_at(address)
            ]
            opened[name] += given
            if given:
                # Whoever made the file of a unix socket removes it.
                continue
            opened[name].append(_bind(address, beside=[at for _, at in wanted]))
            if isinstance(address, UnixAddress):
                files.append(address.path)
    except OSError:
        _close(chain.from_iterable(opened.values()), files)
        raise
    return Listeners(
        main=tuple(opened["main"]),
        management=tuple(opened["management"]),
        files=tuple(files),
    )


def _close(listeners: Iterable[socket.socket], files: Collection[Path]) -> None:
    for listener in listeners:
        if listener.fileno() < 0:
            continue  # Its file may be somebody else's by now.
        name = listener.getsockname() if listener.family is socket.AF_UNIX else None
        listener.close()
        if isinstance(name, str) and Path(name) in files:
            Path(name).unlink(missing_ok=True)


def _bind(address: Address, *, beside: Collection[Address]) -> socket.socket:
    try:
        match address:
            case TcpAddress():
                return _bind_tcp(address, beside)
            case UnixAddress(path=path):
                return _bind_unix(path)
    except OSError as exc:
        # Without the number, which says nothing to people that the words do not.
        message = f"cannot listen on {address}: {exc.strerror or exc}"
        raise OSError(f"{message}; {remedy_for(exc.errno, address)}") from exc


def _bind_tcp(address: TcpAddress, beside: Collection[Address]) -> socket.socket:
    is_six = ":" in address.host
    listener = socket.socket(socket.AF_INET6 if is_six else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_six and _has_ipv4(beside, address.port):
            # [::] takes the port of IPv4 as well unless it is told not to.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address.host, address.port))
        return _listen(listener)
    except OSError:
        listener.close()
        raise


def _bind_unix(path: Path) -> socket.socket:
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(_UNIX_MODE)
        return _listen(listener)
    except OSError:
        listener.close()
        raise


def _listen(listener: socket.socket) -> socket.socket:
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _has_ipv4(addresses: Collection[Address], port: int) -> bool:
    return any(
        isinstance(address, TcpAddress)
        and address.port == port
        and ":" not in address.host
        for address in addresses
    )


def remedy_for(number: int | None, address: Address) -> str:
    """Return what to do about the system's error *number* for *address*."""
    match number, address:
        case errno.EADDRINUSE, TcpAddress():
            return "stop the program that listens there, or choose another port"
        case errno.EADDRINUSE, UnixAddress():
            return "stop the program that listens there, or choose another path"
        case ((errno.EACCES | errno.EPERM), TcpAddress()):
            return (
                f"choose a port from {_FIRST_FREE_PORT}, or give the right to bind it"
            )
        case errno.EADDRNOTAVAIL, _:
            return "choose an address of this machine"
        case _, UnixAddress():
            return "choose a path in a folder that the service may write to"
        case _:
            return "choose another address in server.listen or server.management"


def _remove_stale(path: Path) -> None:
    """Remove the socket of a service that is gone; never another kind of file."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
