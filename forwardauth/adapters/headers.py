"""Names of the headers that proxies and we exchange, and how one is read.

Law: a header that an adapter needs is there exactly once, or the request is refused.
The first of several is never taken, since another program may take the last.
Source: CVE-2026-35051.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol

from forwardauth.errors import ProxyRequestError

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

X_ORIGINAL_URL: Final = "X-Original-URL"
X_ORIGINAL_METHOD: Final = "X-Original-Method"
X_FORWARDED_METHOD: Final = "X-Forwarded-Method"
X_FORWARDED_PROTO: Final = "X-Forwarded-Proto"
X_FORWARDED_HOST: Final = "X-Forwarded-Host"
X_FORWARDED_URI: Final = "X-Forwarded-Uri"
X_FORWARDED_FOR: Final = "X-Forwarded-For"

HOST: Final = "Host"

TARGET_HEADERS: Final = frozenset({X_ORIGINAL_URL, X_FORWARDED_URI})
"""What an adapter reads the target of the original request from, unless that stands in
its own request line: what differs from one question of a browser to the next."""

_MAX_HOPS: Final = 32


class HeaderSource(Protocol):
    """Header fields by name, whatever the case, with every repetition."""

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Return all values of *key* in the order of arrival, else *default*."""
        ...

    def __iter__(self) -> Iterator[str]:
        """Return the names as they were sent; one may come several times."""
        ...


class PlainHeaders:
    """A ``HeaderSource`` of headers that are there once each, all by plain names.

    Plain is a name of letters, digits and hyphens, which is nothing but itself.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        """Keep *values*, which are by names in lower case."""
        self._values = values

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Return the value of *key* as all of its values, else *default*."""
        value = self._values.get(key.lower())
        return default if value is None else [value]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._values)


def get_header(headers: HeaderSource, name: str, *, hint: str) -> str:
    """Return the value of the one header *name*.

    Args:
        headers: Of the verify request.
        name: Whatever its case.
        hint: Who sets the header and how, for the message.

    Raises:
        ProxyRequestError: The header is missing, empty or repeated.
    """
    values = headers.getall(name, [])
    if len(values) > 1:
        raise ProxyRequestError(
            name, "header_repeated", f"was sent more than once; {hint}"
        )
    if not values or not values[0]:
        raise ProxyRequestError(name, "header_missing", f"is missing; {hint}")
    return values[0]


def lookup_header(headers: HeaderSource, name: str) -> str | None:
    """Return the value of *name* when it is there exactly once, else ``None``."""
    values = headers.getall(name, [])
    return values[0] if len(values) == 1 else None


def lookup_client(
    forwarded_for: Sequence[str],
    *,
    peer: IPAddress | None,
    trusted: Sequence[IPNetwork],
) -> IPAddress | None:
    """Return the browser's address: the rightmost hop that no trusted proxy owns.

    Args:
        forwarded_for: Every ``X-Forwarded-For`` value in the order of arrival.
        peer: Who is connected; ``None`` for a unix socket, which counts as trusted.
        trusted: ``server.trusted_proxies``.

    Returns:
        *peer* itself when it is not trusted or sent no list. ``None`` when the list
        cannot be read up to that hop, or trusted proxies alone fill 32 places of it: an
        address that nobody vouches for must not match a network.

    Source: CVE-2024-47070, an unreadable hop that let the one beside it be believed.
    """
    if peer is not None and not is_trusted(peer, trusted):
        return peer
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    client = peer
    for hop in reversed(hops[-_MAX_HOPS:]):
        try:
            client = normalise_address(ip_address(hop))
        except ValueError:
            return None
        if not is_trusted(client, trusted):
            return client
    return client if len(hops) <= _MAX_HOPS else None


def is_trusted(address: IPAddress, trusted: Sequence[IPNetwork]) -> bool:
    """Whether *address* is in one of *trusted*; other families never match."""
    return any(address in network for network in trusted)


def normalise_address(address: IPAddress) -> IPAddress:
    """Return an IPv4 address that came mapped into IPv6 as the IPv4 address it is.

    A listener on ``::`` sees ``::ffff:10.0.0.1``; a rule says ``10.0.0.0/8``.
    """
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped
