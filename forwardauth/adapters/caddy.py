"""Caddy ``forward_auth``: reads ``X-Forwarded-Method/-Proto/-Host/-Uri``.

Caddy sets all four itself and asks by GET. It appends the query of the client to our
address, so that it reaches us a second time; only ``X-Forwarded-Uri`` counts. Any 2xx
passes; every other answer goes to the client as it is, each ``Set-Cookie`` too.

Law: a success names all four identity headers. Before 2.11.2 Caddy let the copy of the
client through where one was missing (CVE-2026-30851).
Source: https://caddyserver.com/docs/caddyfile/directives/forward_auth
"""

from typing import Final

from forwardauth.adapters.base import Answer, ProxyRequest, Verdict, answer_forwarded
from forwardauth.adapters.family import HeaderFamily, ShippedLine
from forwardauth.adapters.forwarded import FORWARDED, read_forwarded
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.request import OriginalRequest

_SOURCES: Final = dict.fromkeys(
    FORWARDED,
    ShippedLine(file="deploy/caddy/Caddyfile", text="forward_auth forwardauth:9091 {"),
)
"""The directive sends all four by itself."""


class CaddyAdapter:
    """Dialect of Caddy's forward_auth directive."""

    name: str = "caddy"
    paths: tuple[str, ...] = ("/verify/caddy",)
    appends_target: bool = False
    takes_over_logout: bool = True

    def __init__(self, identity: IdentityHeaders) -> None:
        """Answer with the names of *identity*."""
        self._identity = identity
        self._family = HeaderFamily(self.name, _SOURCES, identity=identity.names)
        self.header_names = tuple(_SOURCES)

    def read(self, request: ProxyRequest) -> OriginalRequest:
        """Return the original request; see ``Adapter.read``."""
        return read_forwarded(request, self._family)

    def answer(self, verdict: Verdict) -> Answer:
        """Return what Caddy passes on to the browser; see ``Adapter.answer``."""
        return answer_forwarded(verdict, self._identity)
