"""The sockets that ``forwardauth serve`` listens on, bound before anything serves."""

import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forwardauth.config.addresses import Address, TcpAddress, UnixAddress
from forwardauth.config.schema import Settings

_BACKLOG: Final = 1024
_UNIX_MODE: Final = 0o660


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Bound sockets, and the files of unix sockets to remove at the end."""

    main: tuple[socket.socket, ...]
    management: tuple[socket.socket, ...]
    files: tuple[Path, ...]

    def close(self) -> None:
        """Close the sockets and remove their files."""
        for listener in (*self.main, *self.management):
            listener.close()
        for file in self.files:
            file.unlink(missing_ok=True)


def open_listeners(settings: Settings) -> Listeners:
    """Return every configured listener, bound.

    Raises:
        OSError: An address is taken or not ours; the message names it.
    """
    addresses = settings.server.listen
    management = settings.server.management
    wanted = (*addresses, *((management,) if management is not None else ()))
    opened: list[socket.socket] = []
    try:
        opened.extend(_bind(address) for address in wanted)
    except OSError:
        for listener in opened:
            listener.close()
        raise
    return Listeners(
        main=tuple(opened[: len(addresses)]),
        management=tuple(opened[len(addresses) :]),
        files=tuple(a.path for a in wanted if isinstance(a, UnixAddress)),
    )


def _bind(address: Address) -> socket.socket:
    listener, name = _create(address)
    try:
        listener.bind(name)
        if isinstance(address, UnixAddress):
            address.path.chmod(_UNIX_MODE)
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        message = f"cannot listen on {address}: {exc.strerror}"
        raise OSError(exc.errno, message) from exc
    listener.setblocking(False)
    return listener


def _create(address: Address) -> tuple[socket.socket, str | tuple[str, int]]:
    """Return an unbound socket for *address*, and the name to bind it to."""
    match address:
        case TcpAddress(host=host, port=port):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return listener, (host, port)
        case UnixAddress(path=path):
            _remove_stale(path)
            return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), str(path)


def _remove_stale(path: Path) -> None:
    """Remove the socket of a service that is gone; never another kind of file."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
