"""Who is connected, and what a trusted proxy says about the browser behind it.

Law: what an untrusted peer forwards is not read at all.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from aiohttp import web

from forwardauth.adapters.headers import (
    X_FORWARDED_FOR,
    X_FORWARDED_PROTO,
    IPAddress,
    IPNetwork,
    is_trusted,
    lookup_client,
    normalise_address,
)
from forwardauth.domains import CookieDomain, CookieDomains
from forwardauth.errors import ProxyRequestError, UntrustedProxyError
from forwardauth.request import parse_host

_LOCAL = ip_address("127.0.0.1")


def get_peer(request: web.BaseRequest) -> IPAddress:
    """Return the address of whoever is connected.

    A unix socket has no address; who may open it is decided by its file mode, so its
    peers count as this machine.

    Raises:
        UntrustedProxyError: The connection is gone, so nobody can tell.
    """
    return get_transport_peer(request.transport)


def get_transport_peer(transport: asyncio.BaseTransport | None) -> IPAddress:
    """Return the address of whoever is connected by *transport*; see ``get_peer``.

    Raises:
        UntrustedProxyError: As ``get_peer``.
    """
    connected = None if transport is None else transport.get_extra_info("socket")
    if transport is None or connected is None:
        message = "the connection is closed"
        raise UntrustedProxyError(message)
    if connected.family == socket.AF_UNIX:
        return _LOCAL
    address = str(transport.get_extra_info("peername")[0])
    return normalise_address(ip_address(address.partition("%")[0]))


def check_trusted_peer(
    request: web.BaseRequest, trusted: Sequence[IPNetwork]
) -> IPAddress:
    """Return the peer's address when it may speak for clients.

    Raises:
        UntrustedProxyError: It is not in ``server.trusted_proxies``.
    """
    peer = get_peer(request)
    if not is_trusted(peer, trusted):
        message = f"{peer} is not in server.trusted_proxies"
        raise UntrustedProxyError(message)
    return peer


def lookup_browser_address(
    request: web.BaseRequest, trusted: Sequence[IPNetwork]
) -> IPAddress | None:
    """Return the browser's address as far as trusted proxies vouch for it."""
    return lookup_client(
        request.headers.getall(X_FORWARDED_FOR, []),
        peer=get_peer(request),
        trusted=trusted,
    )


def get_host(request: web.BaseRequest) -> str:
    """Return the host of the ``Host`` header, lower case, without port.

    Not ``request.host``, which an absolute request line overrides.

    Raises:
        ProxyRequestError: The header is malformed.
    """
    value = request.headers.get("Host", "")
    host, _ = parse_host(value, scheme="https", header="Host")
    return host


def get_domain(request: web.BaseRequest, domains: CookieDomains) -> CookieDomain:
    """Return the cookie domain that the request's host is at or below.

    Raises:
        ProxyRequestError: It is below none; the proxy has to keep ``Host``.
    """
    domain = domains.lookup(get_host(request))
    if domain is None:
        raise ProxyRequestError(
            "Host", "host_unknown", "is below no configured cookie domain"
        )
    return domain


def get_portal_domain(request: web.BaseRequest, domains: CookieDomains) -> CookieDomain:
    """Return the cookie domain whose portal the request is made to.

    Raises:
        ProxyRequestError: The host is no portal: our pages have one place each, and a
            protected host that leads to them is a mistake in the proxy.
    """
    domain = get_domain(request, domains)
    if get_host(request) != domain.portal.host:
        raise ProxyRequestError("Host", "host_not_portal", "is not that of a portal")
    return domain


def check_scheme(
    request: web.BaseRequest, domain: CookieDomain, trusted: Sequence[IPNetwork]
) -> None:
    """Return unless a trusted proxy says that the browser came by another scheme.

    Raises:
        ProxyRequestError: Nobody signs in over plain http where cookies are for https.
    """
    schemes = request.headers.getall(X_FORWARDED_PROTO, [])
    is_believed = bool(schemes) and is_trusted(get_peer(request), trusted)
    if is_believed and schemes != [domain.portal.scheme]:
        raise ProxyRequestError(
            X_FORWARDED_PROTO,
            "scheme_not_portal",
            f"is not {domain.portal.scheme}, by which people come to {domain.portal}",
        )


def comes_by_plain_http(
    request: web.BaseRequest, domain: CookieDomain, trusted: Sequence[IPNetwork]
) -> bool:
    """Whether a trusted proxy says other than https where *domain*'s portal is https.

    What several lines say, or an unknown word, is not https either.
    """
    schemes = request.headers.getall(X_FORWARDED_PROTO, [])
    is_believed = bool(schemes) and is_trusted(get_peer(request), trusted)
    return domain.is_secure and is_believed and schemes != ["https"]
