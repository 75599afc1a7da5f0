"""HAProxy: reads ``X-Forwarded-*``, however its script asks."""

import pytest

from forwardauth.adapters.base import Adapter, ProxyRequest
from forwardauth.adapters.haproxy import HaproxyAdapter
from forwardauth.adapters.identity import IdentityHeaders
from tests.unit.adapters.contract import (
    CLIENT,
    HEADERS,
    METHOD,
    PROTO,
    ForwardedContract,
)


class TestHaproxy(ForwardedContract):
    """The family as a script of HAProxy sends it."""

    def adapter(self) -> Adapter:
        """Return the adapter under test."""
        return HaproxyAdapter(IdentityHeaders())

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    def test_method_of_the_question_is_not_that_of_the_request(
        self, method: str
    ) -> None:
        """Scripts ask by HEAD or by GET, and mean what the header says (V-37)."""
        request = ProxyRequest(
            method=method,
            target="",
            headers=HEADERS.replaced(METHOD, "DELETE"),
            client=CLIENT,
        )

        assert self.adapter().read(request).method == "DELETE"

    @pytest.mark.parametrize("proto", ["ws", "wss", "1", "SSLv3"])
    def test_only_two_schemes_are_known(self, proto: str) -> None:
        """What a sample of HAProxy yields is no scheme by itself (V-15)."""
        assert self.refusal(HEADERS.replaced(PROTO, proto)) == (
            PROTO,
            "scheme_unknown",
        )
