"""The family ``X-Forwarded-*`` without a dialect; its contract tests the rest."""

from typing import Final

import pytest

from forwardauth.adapters.base import ProxyRequest
from forwardauth.adapters.family import HeaderFamily, ShippedLine
from forwardauth.adapters.forwarded import FORWARDED, read_forwarded
from forwardauth.errors import ProxyRequestError
from tests.support.headers import FakeHeaders
from tests.unit.adapters.contract import FOREIGN, HEADERS, PROTO

FAMILY: Final = HeaderFamily(
    "proxy",
    dict.fromkeys(FORWARDED, ShippedLine(file="proxy.conf", text="forward all")),
    identity=(),
)


def _ask(proto: str) -> ProxyRequest:
    headers = HEADERS.replaced(PROTO, proto)
    return ProxyRequest(method="GET", target="", headers=headers, client=None)


def test_dialect_may_have_other_words_for_a_scheme() -> None:
    """A word of the proxy's own is read as the scheme that it stands for."""
    original = read_forwarded(_ask("wss"), FAMILY, other_schemes={"wss": "https"})

    assert original.scheme == "https"


def test_word_of_no_dialect_is_refused() -> None:
    """Without other words there are two schemes (V-15)."""
    with pytest.raises(ProxyRequestError) as refused:
        read_forwarded(_ask("wss"), FAMILY)

    assert (refused.value.header, refused.value.reason) == (PROTO, "scheme_unknown")


def test_nothing_but_the_family_is_read() -> None:
    """Headers of other families are no substitute (V-12)."""
    request = ProxyRequest(
        method="GET", target="/x", headers=FakeHeaders(*FOREIGN), client=None
    )

    with pytest.raises(ProxyRequestError) as refused:
        read_forwarded(request, FAMILY)

    assert refused.value.reason == "header_missing"
