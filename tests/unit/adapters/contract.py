"""What every adapter of the family ``X-Forwarded-*`` has to do.

The tests of one adapter subclass it, and add what its proxy alone does.
"""

from abc import ABC, abstractmethod
from ipaddress import ip_address
from typing import Final

import pytest

from forwardauth.adapters.base import Adapter, ProxyRequest, RequestKind, Verdict
from forwardauth.errors import ProxyRequestError
from forwardauth.request import OriginalRequest
from tests.support.access import DENIALS, LOGIN_URL, PASSES, sign_in_needed
from tests.support.headers import FakeHeaders
from tests.support.targets import Listed, read_list

METHOD: Final = "X-Forwarded-Method"
PROTO: Final = "X-Forwarded-Proto"
HOST: Final = "X-Forwarded-Host"
URI: Final = "X-Forwarded-Uri"
NEEDED: Final = (METHOD, PROTO, HOST, URI)
HEADERS: Final = FakeHeaders(
    (METHOD, "POST"),
    (PROTO, "https"),
    (HOST, "App.example.com:8443"),
    (URI, "/a%20b?c=d"),
)
CLIENT: Final = ip_address("192.0.2.7")

FOREIGN: Final = (
    ("X-Original-URL", "http://public.example.com/public"),
    ("X-Original-Method", "DELETE"),
    ("X-Original-URI", "/public"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Port", "80"),
    ("X-Forwarded-Prefix", "/public"),
    ("X-Forwarded-Server", "evil.test"),
    ("X-Forwarded-Url", "/public"),
    ("X-Forwarded-Path", "/public"),
    ("X-Forwarded-Scheme", "http"),
    ("X_Original_URL", "http://public.example.com/public"),
    ("X_Forwarded_Path", "/public"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Real-IP", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.9;host=public.example.com;proto=http"),
    ("Host", "public.example.com"),
)
BAD_HOSTS: Final = list(read_list("hosts-refused.txt"))
BAD_URIS: Final = list(read_list("uris-refused.txt"))


class ForwardedContract(ABC):
    """The four headers in, status and headers for the browser out."""

    @abstractmethod
    def adapter(self) -> Adapter:
        """Return the adapter under test."""

    def read(self, headers: FakeHeaders, *, target: str = "") -> OriginalRequest:
        """Return what the adapter reads from a verify request with *headers*."""
        request = ProxyRequest(
            method="GET", target=target, headers=headers, client=CLIENT
        )
        return self.adapter().read(request)

    def refusal(self, headers: FakeHeaders) -> tuple[str, str]:
        """Return the header and the reason that *headers* are refused for."""
        with pytest.raises(ProxyRequestError) as refused:
            self.read(headers)
        return refused.value.header, refused.value.reason

    def test_original_request_is_read_from_four_headers(self) -> None:
        """Method, scheme, host and path are what the proxy says was asked for."""
        assert self.read(HEADERS) == OriginalRequest(
            scheme="https",
            host="app.example.com",
            port=8443,
            method="POST",
            path="/a%20b",
            query="c=d",
            client=CLIENT,
        )

    def test_other_families_are_ignored(self) -> None:
        """Whatever a client sends under other names changes nothing (V-12, V-24)."""
        assert self.read(HEADERS.beside(FOREIGN)) == self.read(HEADERS)

    def test_other_families_are_no_substitute(self) -> None:
        """A complete request in another family is a request without headers (V-12)."""
        assert self.refusal(FakeHeaders(*FOREIGN)) == (PROTO, "header_missing")

    def test_verify_request_itself_is_ignored(self) -> None:
        """Neither its method nor its query says anything (V-10, V-37)."""
        asked = self.read(HEADERS, target="?rd=https://evil.test/&auth=basic")

        assert asked == self.read(HEADERS)

    @pytest.mark.parametrize("name", NEEDED)
    @pytest.mark.parametrize(
        ("copies", "reason"),
        [(0, "header_missing"), (2, "header_repeated"), (3, "header_repeated")],
    )
    def test_each_header_is_needed_exactly_once(
        self, name: str, copies: int, reason: str
    ) -> None:
        """Missing or repeated, even with one value, it is refused (V-13, V-23)."""
        values = HEADERS.getall(name, []) * copies

        assert self.refusal(HEADERS.replaced(name, *values)) == (name, reason)

    @pytest.mark.parametrize("name", NEEDED)
    def test_empty_header_is_missing(self, name: str) -> None:
        """An empty value says nothing (V-13)."""
        assert self.refusal(HEADERS.replaced(name, "")) == (name, "header_missing")

    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            (METHOD, "post", "method_unknown"),
            (METHOD, "GET,POST", "method_unknown"),
            (METHOD, "FOO", "method_unknown"),
            (PROTO, "HTTPS", "scheme_unknown"),
            (PROTO, "https,http", "scheme_unknown"),
            (PROTO, "https://", "scheme_unknown"),
            (PROTO, "h2c", "scheme_unknown"),
            (URI, "/" + "a" * 8190, "uri_too_long"),
        ],
        ids=lambda value: value[:20],
    )
    def test_malformed_value_is_refused(
        self, name: str, value: str, reason: str
    ) -> None:
        """Each value has its grammar, and the refusal names the header (V-15, V-17)."""
        assert self.refusal(HEADERS.replaced(name, value)) == (name, reason)

    @pytest.mark.parametrize("case", BAD_HOSTS, ids=str)
    def test_malformed_host_is_refused(self, case: Listed) -> None:
        """A host that could be read in two ways is refused by name (V-16)."""
        refusal = self.refusal(HEADERS.replaced(HOST, case.text))

        assert refusal == (HOST, case.expected)

    @pytest.mark.parametrize("case", BAD_URIS, ids=str)
    def test_malformed_uri_is_refused(self, case: Listed) -> None:
        """A path that could be read in two ways is refused by name (V-18)."""
        assert self.refusal(HEADERS.replaced(URI, case.text)) == (URI, case.expected)

    @pytest.mark.parametrize(("proto", "port"), [("https", None), ("http", 443)])
    def test_default_port_is_that_of_the_scheme(
        self, proto: str, port: int | None
    ) -> None:
        """443 is left out where it is the default, and only there (V-16)."""
        headers = HEADERS.replaced(PROTO, proto).replaced(HOST, "app.example.com:443")

        assert self.read(headers).port == port

    @pytest.mark.parametrize("verdict", PASSES.values(), ids=PASSES)
    def test_pass_is_200(self, verdict: Verdict) -> None:
        """Exactly 200, without a body, for somebody and for nobody (V-25)."""
        answer = self.adapter().answer(verdict)

        assert (answer.status, answer.body) == (200, b"")

    @pytest.mark.parametrize(
        ("verdict", "status"),
        [
            ("navigation", 302),
            ("navigation by POST", 303),
            ("fetch", 401),
            ("forbidden page", 403),
            ("forbidden program", 403),
            ("malformed", 400),
            ("outage", 503),
        ],
    )
    def test_denial_reaches_the_browser_as_it_is(
        self, verdict: str, status: int
    ) -> None:
        """The proxy passes status, headers and body on, as they are (V-28)."""
        assert self.adapter().answer(DENIALS[verdict]).status == status

    def test_redirect_is_absolute(self) -> None:
        """Some proxies resolve a relative one against our own address (V-30)."""
        answer = self.adapter().answer(sign_in_needed(RequestKind.NAVIGATION))

        assert dict(answer.headers)["Location"] == LOGIN_URL

    def test_logout_is_taken_over(self) -> None:
        """The proxy passes the cookies of a denial on, so verify can sign out."""
        assert self.adapter().takes_over_logout is True
