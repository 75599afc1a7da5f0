"""Envoy ``ext_authz`` over HTTP, and ``ExternalAuth`` of the Gateway API.

Envoy asks with the method and the host of the original request, and with its raw target
behind our own path; only the scheme needs a header, ``X-Forwarded-Proto``. So the query
here is the client's, and the one that counts.

Law: the target is taken as it arrived. Nothing is decoded, neither dots nor double
slashes are removed: what Envoy sends to the application is what is decided about.

Exactly 200 passes. Every other answer goes to the client as it is, each ``Set-Cookie``.
Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/ext_authz_filter
"""

from typing import Final

from forwardauth.adapters.base import Answer, ProxyRequest, Verdict, answer_forwarded
from forwardauth.adapters.family import HeaderFamily, ShippedLine
from forwardauth.adapters.headers import HOST, X_FORWARDED_PROTO
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.request import (
    OriginalRequest,
    parse_host,
    parse_method,
    parse_scheme,
    parse_uri,
)

_METHOD: Final = "the request's method"
_TARGET: Final = "the request's target"

_FILE: Final = "deploy/envoy/envoy.yaml"
_SOURCES: Final = {
    X_FORWARDED_PROTO: ShippedLine(file=_FILE, text="- {exact: x-forwarded-proto}"),
    # Envoy sends it by itself, with every question of this kind.
    HOST: ShippedLine(file=_FILE, text="http_service:"),
}


class EnvoyAdapter:
    """Dialect of Envoy's external authorization filter."""

    name: str = "envoy"
    paths: tuple[str, ...] = ("/verify/envoy", "/api/authz/ext-authz")
    appends_target: bool = True
    takes_over_logout: bool = True

    def __init__(self, identity: IdentityHeaders) -> None:
        """Answer with the names of *identity*."""
        self._identity = identity
        self._family = HeaderFamily(self.name, _SOURCES, identity=identity.names)
        self.header_names = tuple(_SOURCES)

    def read(self, request: ProxyRequest) -> OriginalRequest:
        """Return the original request; see ``Adapter.read``."""
        values = self._family.read(request.headers)
        scheme = parse_scheme(values[X_FORWARDED_PROTO], header=X_FORWARDED_PROTO)
        host, port = parse_host(values[HOST], scheme=scheme, header=HOST)
        path, query = parse_uri(
            request.target, header=_TARGET, logout_paths=request.logout_paths
        )
        return OriginalRequest(
            scheme=scheme,
            host=host,
            port=port,
            method=parse_method(request.method, header=_METHOD),
            path=path,
            query=query,
            client=request.client,
        )

    def answer(self, verdict: Verdict) -> Answer:
        """Return what Envoy passes on to the browser; see ``Adapter.answer``."""
        return answer_forwarded(verdict, self._identity)
