"""Caddy: reads ``X-Forwarded-*``, and appends the client's query to our address."""

import pytest

from forwardauth.adapters.base import Adapter
from forwardauth.adapters.caddy import CaddyAdapter
from forwardauth.adapters.identity import IdentityHeaders
from tests.unit.adapters.contract import HEADERS, PROTO, URI, ForwardedContract


class TestCaddy(ForwardedContract):
    """The family as Caddy sends it."""

    def adapter(self) -> Adapter:
        """Return the adapter under test."""
        return CaddyAdapter(IdentityHeaders())

    def test_query_comes_from_the_header_alone(self) -> None:
        """The copy that Caddy appends to our own address is not read (V-10)."""
        headers = HEADERS.replaced(URI, "/x?a=b")

        asked = self.read(headers, target="?a=other&rd=https://evil.test/")

        assert (asked.path, asked.query) == ("/x", "a=b")

    @pytest.mark.parametrize("proto", ["ws", "wss"])
    def test_websocket_is_no_scheme(self, proto: str) -> None:
        """Caddy says ``http`` or ``https`` of an upgrade, so nothing else is (V-15)."""
        assert self.refusal(HEADERS.replaced(PROTO, proto)) == (
            PROTO,
            "scheme_unknown",
        )
