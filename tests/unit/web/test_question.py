"""What is asked: the adapter's reading, the cookie domain, and what a browser does."""

from typing import Final

import pytest

from forwardauth.adapters.base import Adapter, ProxyRequest
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.nginx import NginxAdapter
from forwardauth.adapters.traefik import TraefikAdapter
from forwardauth.domains import CookieDomain, CookieDomains, Origin
from forwardauth.errors import ProxyRequestError
from forwardauth.web.question import Question, read_question
from tests.support.headers import FakeHeaders

DOMAINS: Final = CookieDomains(
    entries=(
        CookieDomain(
            name="example.com", portal=Origin(scheme="https", host="auth.example.com")
        ),
        CookieDomain(
            name="example.localhost",
            portal=Origin(scheme="http", host="auth.example.localhost"),
        ),
    )
)
PREFLIGHT: Final = (
    ("Origin", "https://a.test"),
    ("Access-Control-Request-Method", "PUT"),
)


def ask(
    url: str,
    *,
    method: str = "GET",
    others: tuple[tuple[str, str], ...] = (),
    adapter: Adapter | None = None,
) -> Question:
    """Return what is asked about *url* by nginx, with *others* of the browser's."""
    headers = FakeHeaders(
        ("X-Original-URL", url), ("X-Original-Method", method), *others
    )
    request = ProxyRequest(method="GET", target="", headers=headers, client=None)
    return read_question(adapter or NginxAdapter(IdentityHeaders()), request, DOMAINS)


def test_question_holds_what_the_adapter_has_read() -> None:
    """Host, path, query and method, and the domain that the host is below."""
    question = ask("https://app.example.com/a?b", method="PUT")

    original = question.original
    assert (original.host, original.path, original.query) == (
        "app.example.com",
        "/a",
        "b",
    )
    assert original.method == "PUT"
    assert question.domain.name == "example.com"


def test_host_below_no_domain_is_refused() -> None:
    """No rule is asked about what nobody has configured (V-1)."""
    with pytest.raises(ProxyRequestError) as caught:
        ask("https://app.example.net/")

    assert (caught.value.header, caught.value.reason) == ("host", "host_unknown")


def test_what_the_adapter_refuses_stays_refused() -> None:
    """The headers of another family are none (V-12)."""
    with pytest.raises(ProxyRequestError):
        ask("https://app.example.com/", adapter=TraefikAdapter(IdentityHeaders()))


@pytest.mark.parametrize(
    ("method", "others", "is_preflight"),
    [
        ("OPTIONS", PREFLIGHT, True),
        ("OPTIONS", PREFLIGHT[:1], False),
        ("GET", PREFLIGHT, False),
    ],
    ids=["preflight", "half of one", "other method"],
)
def test_preflight_is_told_by_method_and_headers(
    method: str, others: tuple[tuple[str, str], ...], is_preflight: bool
) -> None:
    """Whatever proxy asks (V-38)."""
    question = ask("https://app.example.com/", method=method, others=others)

    assert question.original.is_preflight is is_preflight


@pytest.mark.parametrize(
    ("url", "is_plain_http"),
    [
        ("http://app.example.com/", True),
        ("http://app.example.com:443/", True),
        ("https://app.example.com/", False),
        ("http://app.example.localhost/", False),
        ("https://app.example.localhost/", False),
    ],
)
def test_plain_http_is_less_than_the_portal_has(url: str, is_plain_http: bool) -> None:
    """Where the portal itself is http, there is nothing to lose (V-15)."""
    assert ask(url).original.is_plain_http is is_plain_http
