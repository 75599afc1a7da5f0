"""The family ``X-Forwarded-Method/-Proto/-Host/-Uri``, which several proxies send.

Law: these four, and nothing else of the verify request. Its own query least of all,
since Caddy appends the client's to it.
"""

from collections.abc import Mapping

from forwardauth.adapters.base import ProxyRequest
from forwardauth.adapters.headers import (
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PROTO,
    X_FORWARDED_URI,
    get_header,
)
from forwardauth.request import (
    OriginalRequest,
    parse_host,
    parse_method,
    parse_scheme,
    parse_uri,
)


def read_forwarded(
    request: ProxyRequest, *, other_schemes: Mapping[str, str] | None = None
) -> OriginalRequest:
    """Return the original request as the four headers tell it.

    Args:
        request: From the proxy.
        other_schemes: What the proxy calls ``http`` or ``https`` besides.

    Raises:
        ProxyRequestError: One of the four is missing, repeated or malformed.
    """
    headers = request.headers
    proto = get_header(headers, X_FORWARDED_PROTO)
    scheme = parse_scheme(
        (other_schemes or {}).get(proto, proto), header=X_FORWARDED_PROTO
    )
    host, port = parse_host(
        get_header(headers, X_FORWARDED_HOST), scheme=scheme, header=X_FORWARDED_HOST
    )
    path, query = parse_uri(
        get_header(headers, X_FORWARDED_URI),
        header=X_FORWARDED_URI,
        logout_paths=request.logout_paths,
    )
    method = get_header(headers, X_FORWARDED_METHOD)
    return OriginalRequest(
        scheme=scheme,
        host=host,
        port=port,
        method=parse_method(method, header=X_FORWARDED_METHOD),
        path=path,
        query=query,
        client=request.client,
    )
