"""Where the service listens, and whom it lets speak for clients."""

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from pathlib import Path
from typing import Final, TypeAlias

from forwardauth.config.problems import RefusedValueError, quote

Network: TypeAlias = IPv4Network | IPv6Network

_TCP: Final = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[^\[\]:/@\s]+)):(?P<port>[0-9]{1,5})",
    re.ASCII,
)
_MAX_PORT: Final = 65_535
_MAX_UNIX_BYTES: Final = 107
"""``sun_path`` of Linux holds 108 bytes with the final NUL. Source: unix(7)."""

_UNIX: Final = "unix:"
_LOCALHOST: Final = "localhost"
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_LISTEN_REMEDY: Final = (
    "write ADDRESS:PORT such as 127.0.0.1:9091 or [::1]:9091, or unix:/PATH"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpAddress:
    """An address and port to listen on.

    Attributes:
        host: An IP address without brackets, or ``localhost``.
        port: 1 to 65535.
    """

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host == _LOCALHOST or ip_address(self.host).is_loopback

    def collides(self, other: "TcpAddress | UnixAddress") -> bool:
        """Whether the two cannot be listened on at once."""
        if isinstance(other, UnixAddress) or self.port != other.port:
            return False
        return any(
            mine == theirs
            or (
                mine.version == theirs.version
                and (mine.is_unspecified or theirs.is_unspecified)
            )
            for mine in _spread(self.host)
            for theirs in _spread(other.host)
        )

    def __str__(self) -> str:
        """Return the address as it is written in ``server.listen``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnixAddress:
    """A socket in the file system; only this machine can connect."""

    path: Path

    @property
    def is_loopback(self) -> bool:
        """Always true."""
        return True

    def collides(self, other: "TcpAddress | UnixAddress") -> bool:
        """Whether the two cannot be listened on at once."""
        return self == other

    def __str__(self) -> str:
        """Return the address as it is written in ``server.listen``."""
        return f"{_UNIX}{self.path}"


Address: TypeAlias = TcpAddress | UnixAddress


def parse_address(text: str, *, folder: Path) -> Address:
    """Return *text* as an address to listen on.

    Args:
        text: ``ADDRESS:PORT``, ``[ADDRESS]:PORT`` or ``unix:PATH``.
        folder: What a relative socket path is relative to; absolute.

    Raises:
        RefusedValueError: A host name other than ``localhost`` (which of its addresses
            is meant cannot be told before the start), a missing or impossible port, or
            a socket path longer than 107 bytes.
    """
    if text.startswith(_UNIX):
        return _parse_unix(text.removeprefix(_UNIX), folder)
    match = _TCP.fullmatch(text)
    if match is None:
        raise RefusedValueError(f"{quote(text)} is not an address", _LISTEN_REMEDY)
    port = int(match["port"])
    if not 1 <= port <= _MAX_PORT:
        raise RefusedValueError(
            f"port {port} does not exist", "write a port from 1 to 65535"
        )
    host = match["six"] or match["four"].lower()
    if host == _LOCALHOST:
        return TcpAddress(host=host, port=port)
    try:
        address = ip_address(host)
    except ValueError as exc:
        raise RefusedValueError(
            f"{quote(host)} is not an IP address", _LISTEN_REMEDY
        ) from exc
    return TcpAddress(host=str(address), port=port)


def _parse_unix(text: str, folder: Path) -> UnixAddress:
    if not text or "\0" in text:
        raise RefusedValueError("names no socket", "write unix:/run/forwardauth.sock")
    path = folder / text
    if len(bytes(path)) > _MAX_UNIX_BYTES:
        raise RefusedValueError(
            f"the socket's path is longer than {_MAX_UNIX_BYTES} bytes",
            "write a shorter path",
        )
    return UnixAddress(path=path)


def parse_network(text: str) -> Network:
    """Return *text* as the network of a proxy; a single address is one of its own.

    Raises:
        RefusedValueError: No network, bits set beyond the prefix, every address there
            is, or IPv4 written as IPv6.

    Source: CVE-2026-40575, where every peer could name a client.
    """
    try:
        network = ip_network(text, strict=False)
    except ValueError as exc:
        raise RefusedValueError(
            f"{quote(text)} is not a network", "write it as 10.0.0.0/8 or 172.20.0.2"
        ) from exc
    if "/" in text and str(ip_address(text.partition("/")[0])) != str(
        network.network_address
    ):
        raise RefusedValueError(
            f"{quote(text)} has bits set beyond its prefix", f"write {network}"
        )
    if network.prefixlen == 0:
        raise RefusedValueError(
            f"{network} trusts every address to name the client",
            "write the networks that your proxies connect from",
        )
    if isinstance(network, IPv6Network) and network.overlaps(_MAPPED):
        raise RefusedValueError(
            f"{network} covers IPv4 addresses written as IPv6",
            "write the IPv4 network itself",
        )
    return network


def is_everything(networks: tuple[Network, ...]) -> bool:
    """Whether *networks* together hold every address of either family."""
    four = collapse_addresses(n for n in networks if isinstance(n, IPv4Network))
    six = collapse_addresses(n for n in networks if isinstance(n, IPv6Network))
    return any(n.prefixlen == 0 for n in four) or any(n.prefixlen == 0 for n in six)


def _spread(host: str) -> tuple[IPv4Address | IPv6Address, ...]:
    """Return the addresses that listening on *host* takes."""
    if host == _LOCALHOST:
        return IPv4Address("127.0.0.1"), IPv6Address("::1")
    return (ip_address(host),)
