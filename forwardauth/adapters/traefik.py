"""Traefik ``ForwardAuth``: reads ``X-Forwarded-Method/-Proto/-Host/-Uri``.

Source: https://doc.traefik.io/traefik/middlewares/http/forwardauth/
"""

from typing import Final

from forwardauth.adapters.base import Answer, ProxyRequest, Verdict, answer_forwarded
from forwardauth.adapters.family import HeaderFamily, ShippedLine
from forwardauth.adapters.forwarded import FORWARDED, read_forwarded
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.request import OriginalRequest

_UPGRADE_SCHEMES: Final = {"ws": "http", "wss": "https"}
"""What Traefik calls the scheme of a request that asks for a WebSocket."""

_SOURCES: Final = dict.fromkeys(
    FORWARDED,
    ShippedLine(
        file="deploy/traefik/dynamic/routes.yaml",
        text="address: http://forwardauth:9091/verify/traefik",
    ),
)
"""The middleware sends all four by itself."""


class TraefikAdapter:
    """Dialect of Traefik's ForwardAuth middleware."""

    name: str = "traefik"
    paths: tuple[str, ...] = ("/verify/traefik", "/api/authz/forward-auth")
    appends_target: bool = False
    takes_over_logout: bool = True

    def __init__(self, identity: IdentityHeaders) -> None:
        """Answer with the names of *identity*."""
        self._identity = identity
        self._family = HeaderFamily(self.name, _SOURCES, identity=identity.names)
        self.header_names = tuple(_SOURCES)

    def read(self, request: ProxyRequest) -> OriginalRequest:
        """Return the original request; see ``Adapter.read``."""
        return read_forwarded(request, self._family, other_schemes=_UPGRADE_SCHEMES)

    def answer(self, verdict: Verdict) -> Answer:
        """Return what Traefik passes on to the browser; see ``Adapter.answer``."""
        return answer_forwarded(verdict, self._identity)
