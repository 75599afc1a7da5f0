"""Listening sockets that the service was started with, as systemd passes them.

So a restart refuses nobody, and a low port needs no right. Each socket says by its name
what it is for, ``main`` or ``management`` (``FileDescriptorName=`` of the unit).

Law: the configuration still says where the service listens, since what it checks, such
as whom to trust beyond this machine, depends on it. A socket that it does not name is
an error; an address for which none was passed is bound as ever.

Source: sd_listen_fds(3) and systemd.socket(5), the description of the protocol.
"""

import os
import socket
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forwardauth.config.addresses import Address, TcpAddress, UnixAddress
from forwardauth.config.schema import Settings
from forwardauth.errors import ConfigError

FIRST_DESCRIPTOR: Final = 3
"""``SD_LISTEN_FDS_START``."""

_MAX_COUNT: Final = 64
_PID: Final = "LISTEN_PID"
_COUNT: Final = "LISTEN_FDS"
_NAMES: Final = "LISTEN_FDNAMES"
_KEYS: Final = {"main": "server.listen", "management": "server.management"}
"""What a socket may be called, and the key that says where it listens."""

NAMES: Final = tuple(_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedSocket:
    """A listening socket that somebody else has bound.

    Attributes:
        name: What it is for, ``main`` or ``management``.
        socket: Ours from now on.
    """

    name: str
    socket: socket.socket

    def is_at(self, address: Address) -> bool:
        """Whether it listens on *address*."""
        bound = self.socket.getsockname()
        match address:
            case TcpAddress(host=host, port=port):
                hosts = ("127.0.0.1", "::1") if host == "localhost" else (host,)
                return (
                    isinstance(bound, tuple) and bound[0] in hosts and bound[1] == port
                )
            case UnixAddress(path=path):
                # The name of one without a file is bytes.
                return isinstance(bound, str) and _are_same(bound, path)


def take_passed_sockets(
    environment: MutableMapping[str, str], *, first: int = FIRST_DESCRIPTOR
) -> list[PassedSocket]:
    """Return the sockets that this process was started with, often none.

    Their names are taken from *environment*, and no program that this one starts gets
    the sockets.

    Args:
        environment: That of this process.
        first: The first descriptor; the others follow it.

    Raises:
        ConfigError: What was passed is no listening socket, or does not say what it is
            for.
    """
    found = {name: environment.pop(name, "") for name in (_PID, _COUNT, _NAMES)}
    # Meant for another process, which has started this one without removing them.
    if found[_PID] != str(os.getpid()):
        return []
    count = found[_COUNT]
    if not (count.isascii() and count.isdecimal() and int(count) <= _MAX_COUNT):
        raise ConfigError([f"{_COUNT} is no number from 0 to {_MAX_COUNT}"])
    names = found[_NAMES].split(":") if found[_NAMES] else []
    if len(names) != int(count):
        told = f"{_NAMES} names {len(names)} of {count} sockets that were passed"
        raise ConfigError([f"{told}; {_remedy()}"])
    passed: list[PassedSocket] = []
    problems: list[str] = []
    for descriptor, name in enumerate(names, first):
        try:
            passed.append(_adopt(descriptor, name))
        except _UnfitSocketError as exc:
            problems.append(f"socket {name!r} (descriptor {descriptor}) {exc}")
    if problems:
        _close(passed)
        raise ConfigError(problems)
    return passed


def check_passed_sockets(passed: Iterable[PassedSocket], settings: Settings) -> None:
    """Return when each of *passed* listens where *settings* say.

    Raises:
        ConfigError: One of them is somewhere else; names both places.
    """
    problems = list(_misplaced(passed, settings))
    if problems:
        raise ConfigError(problems)


def _misplaced(passed: Iterable[PassedSocket], settings: Settings) -> Iterator[str]:
    for each in passed:
        wanted = configured(settings, each.name)
        if any(each.is_at(address) for address in wanted):
            continue
        here = _spell(each.socket)
        places = ", ".join(map(str, wanted)) or "null"
        yield (
            f"socket {each.name!r} listens on {here}, but {_KEYS[each.name]} is "
            f"{places}; write the same into ListenStream= and {_KEYS[each.name]}"
        )


def configured(settings: Settings, name: str) -> tuple[Address, ...]:
    """Return the addresses that sockets called *name* may listen on."""
    if name == "main":
        return settings.server.listen
    management = settings.server.management
    return () if management is None else (management,)


class _UnfitSocketError(Exception):
    """What was passed cannot be served; the text says why."""


def _adopt(descriptor: int, name: str) -> PassedSocket:
    if name not in _KEYS:
        raise _UnfitSocketError(f"does not say what it is for; {_remedy()}")
    try:
        adopted = socket.socket(fileno=descriptor)
    except OSError as exc:
        raise _UnfitSocketError("is no socket") from exc
    # Descriptors that are passed outlive an exec, which no child of ours needs.
    adopted.set_inheritable(False)
    adopted.setblocking(False)
    if adopted.type != socket.SOCK_STREAM or not _is_listening(adopted):
        adopted.detach()
        raise _UnfitSocketError(
            "does not listen for connections; use ListenStream= and no Accept="
        )
    return PassedSocket(name=name, socket=adopted)


def _is_listening(candidate: socket.socket) -> bool:
    return bool(candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _are_same(bound: str, path: Path) -> bool:
    """Whether both lead to one file, as ``/run`` and ``/var/run`` do."""
    return os.path.realpath(bound) == os.path.realpath(path)


def _spell(bound: socket.socket) -> str:
    """Return where *bound* listens, as ``server.listen`` would say it."""
    match bound.getsockname():
        case bytes(name):
            return f"unix:@{os.fsdecode(name[1:])}"
        case str(path):
            return str(UnixAddress(path=Path(path)))
        case (str(host), int(port), *_):
            return str(TcpAddress(host=host, port=port))
        case other:
            return str(other)


def _remedy() -> str:
    return f"write FileDescriptorName={' or '.join(_KEYS)} into the socket unit"


def _close(passed: Iterable[PassedSocket]) -> None:
    for each in passed:
        each.socket.close()
