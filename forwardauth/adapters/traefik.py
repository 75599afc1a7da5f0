"""Traefik ``ForwardAuth``: reads ``X-Forwarded-Method/-Proto/-Host/-Uri``.

Source: https://doc.traefik.io/traefik/middlewares/http/forwardauth/
"""

from typing import Final

from forwardauth.adapters.base import Answer, ProxyRequest, Verdict, answer_forwarded
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

_UPGRADE_SCHEMES: Final = {"ws": "http", "wss": "https"}
"""What Traefik calls the scheme of a request that asks for a WebSocket."""


class TraefikAdapter:
    """Dialect of Traefik's ForwardAuth middleware."""

    name: str = "traefik"
    paths: tuple[str, ...] = ("/verify/traefik", "/api/authz/forward-auth")
    takes_over_logout: bool = True

    def read(self, request: ProxyRequest) -> OriginalRequest:
        """Return the original request; see ``Adapter.read``."""
        headers = request.headers
        proto = get_header(headers, X_FORWARDED_PROTO)
        scheme = parse_scheme(
            _UPGRADE_SCHEMES.get(proto, proto), header=X_FORWARDED_PROTO
        )
        host, port = parse_host(
            get_header(headers, X_FORWARDED_HOST),
            scheme=scheme,
            header=X_FORWARDED_HOST,
        )
        path, query = parse_uri(
            get_header(headers, X_FORWARDED_URI), header=X_FORWARDED_URI
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

    def answer(self, verdict: Verdict) -> Answer:
        """Return what Traefik passes on to the browser; see ``Adapter.answer``."""
        return answer_forwarded(verdict)
