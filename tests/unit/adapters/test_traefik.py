"""Traefik: reads ``X-Forwarded-*``, and what it is answered reaches the browser."""

import pytest

from forwardauth.adapters.base import Adapter
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.traefik import TraefikAdapter
from tests.support.headers import FakeHeaders
from tests.unit.adapters.contract import HEADERS, HOST, PROTO, ForwardedContract


class TestTraefik(ForwardedContract):
    """The family as Traefik sends it."""

    def adapter(self) -> Adapter:
        """Return the adapter under test."""
        return TraefikAdapter(IdentityHeaders())

    @pytest.mark.parametrize(
        ("proto", "scheme"),
        [("http", "http"), ("https", "https"), ("ws", "http"), ("wss", "https")],
    )
    def test_websocket_has_the_scheme_of_its_handshake(
        self, proto: str, scheme: str
    ) -> None:
        """Traefik calls an upgrade ``ws``; it is decided as the request it is."""
        assert self.read(HEADERS.replaced(PROTO, proto)).scheme == scheme

    def test_default_port_of_a_websocket_is_that_of_its_handshake(self) -> None:
        """``wss`` has the port of ``https`` (V-16)."""
        headers = HEADERS.replaced(PROTO, "wss").replaced(HOST, "app.example.com:443")

        assert self.read(headers).port is None

    @pytest.mark.parametrize("proto", ["WSS", "wss,https", "wss://"])
    def test_other_spelling_of_a_websocket_is_refused(self, proto: str) -> None:
        """The scheme is one of four words, to the letter (V-15)."""
        headers: FakeHeaders = HEADERS.replaced(PROTO, proto)

        assert self.refusal(headers) == (PROTO, "scheme_unknown")
