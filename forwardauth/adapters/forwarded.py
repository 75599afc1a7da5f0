"""The family ``X-Forwarded-Method/-Proto/-Host/-Uri``, which several proxies send.

Law: these four, and nothing else of the verify request. Its own query least of all,
since Caddy appends the client's to it.
"""

from collections.abc import Mapping
from typing import Final

from forwardauth.adapters.base import ProxyRequest
from forwardauth.adapters.family import HeaderFamily
from forwardauth.adapters.headers import (
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PROTO,
    X_FORWARDED_URI,
)
from forwardauth.request import (
    OriginalRequest,
    parse_host,
    parse_method,
    parse_scheme,
    parse_uri,
)

FORWARDED: Final = (
    X_FORWARDED_PROTO,
    X_FORWARDED_HOST,
    X_FORWARDED_URI,
    X_FORWARDED_METHOD,
)
"""The names, in the order in which they are read."""


def read_forwarded(
    request: ProxyRequest,
    family: HeaderFamily,
    *,
    other_schemes: Mapping[str, str] | None = None,
) -> OriginalRequest:
    """Return the original request as the four headers tell it.

    Args:
        request: From the proxy.
        family: Of all four.
        other_schemes: What the proxy calls ``http`` or ``https`` besides.

    Raises:
        ProxyRequestError: One of the four is missing, repeated or malformed, or another
            header could be taken for it.
    """
    values = family.read(request.headers)
    proto = values[X_FORWARDED_PROTO]
    scheme = parse_scheme(
        (other_schemes or {}).get(proto, proto), header=X_FORWARDED_PROTO
    )
    host, port = parse_host(
        values[X_FORWARDED_HOST], scheme=scheme, header=X_FORWARDED_HOST
    )
    path, query = parse_uri(
        values[X_FORWARDED_URI],
        header=X_FORWARDED_URI,
        logout_paths=request.logout_paths,
    )
    return OriginalRequest(
        scheme=scheme,
        host=host,
        port=port,
        method=parse_method(values[X_FORWARDED_METHOD], header=X_FORWARDED_METHOD),
        path=path,
        query=query,
        client=request.client,
    )
