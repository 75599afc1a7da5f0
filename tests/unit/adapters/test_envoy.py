"""Envoy: reads the verify request's own line, ``Host`` and one header."""

from ipaddress import ip_address
from typing import Final

import pytest

from forwardauth.adapters.base import ProxyRequest, RequestKind, Verdict
from forwardauth.adapters.envoy import EnvoyAdapter
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.errors import ProxyRequestError
from forwardauth.request import METHODS, OriginalRequest
from tests.support.access import DENIALS, LOGIN_URL, PASSES, sign_in_needed
from tests.support.headers import FakeHeaders
from tests.support.targets import Listed, read_list

HOST: Final = "Host"
PROTO: Final = "X-Forwarded-Proto"
NEEDED: Final = (HOST, PROTO)
HEADERS: Final = FakeHeaders((HOST, "App.example.com:8443"), (PROTO, "https"))
ADAPTER: Final = EnvoyAdapter(IdentityHeaders())
CLIENT: Final = ip_address("192.0.2.7")

FOREIGN: Final = (
    ("X-Original-URL", "http://public.example.com/public"),
    ("X-Original-Method", "DELETE"),
    ("X-Forwarded-Host", "public.example.com"),
    ("X-Forwarded-Uri", "/public"),
    ("X-Forwarded-Method", "DELETE"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Port", "80"),
    ("X-Forwarded-Prefix", "/public"),
    ("X_Forwarded_Host", "public.example.com"),
    ("X_Original_URL", "http://public.example.com/public"),
    ("X-Envoy-Original-Path", "/public"),
    ("X-Envoy-Original-Host", "public.example.com"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Real-IP", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.9;host=public.example.com;proto=http"),
)
BAD_HOSTS: Final = list(read_list("hosts-refused.txt"))
BAD_URIS: Final = list(read_list("uris-refused.txt"))


def _read(
    headers: FakeHeaders = HEADERS, *, method: str = "POST", target: str = "/a%20b?c=d"
) -> OriginalRequest:
    request = ProxyRequest(method=method, target=target, headers=headers, client=CLIENT)
    return ADAPTER.read(request)


def _refusal(
    headers: FakeHeaders = HEADERS, *, method: str = "GET", target: str = "/"
) -> tuple[str, str]:
    with pytest.raises(ProxyRequestError) as refused:
        _read(headers, method=method, target=target)
    return refused.value.header, refused.value.reason


def test_original_request_is_the_verify_request() -> None:
    """Method, host and target are its own; a header tells the scheme."""
    assert _read() == OriginalRequest(
        scheme="https",
        host="app.example.com",
        port=8443,
        method="POST",
        path="/a%20b",
        query="c=d",
        client=CLIENT,
    )


def test_other_families_are_ignored() -> None:
    """Whatever a client sends under other names changes nothing (V-12, V-24)."""
    assert _read(HEADERS.beside(FOREIGN)) == _read()


def test_other_families_are_no_substitute() -> None:
    """A complete request in another family is a request without headers (V-12)."""
    assert _refusal(FakeHeaders(*FOREIGN)) == (PROTO, "header_missing")


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize(
    ("copies", "reason"),
    [(0, "header_missing"), (2, "header_repeated"), (3, "header_repeated")],
)
def test_each_header_is_needed_exactly_once(
    name: str, copies: int, reason: str
) -> None:
    """Missing or repeated, even with one value, it is refused by name (V-13, V-23)."""
    values = HEADERS.getall(name, []) * copies

    assert _refusal(HEADERS.replaced(name, *values)) == (name, reason)


@pytest.mark.parametrize("name", NEEDED)
def test_empty_header_is_missing(name: str) -> None:
    """An empty value says nothing (V-13)."""
    assert _refusal(HEADERS.replaced(name, "")) == (name, "header_missing")


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_known_method_is_the_original_one(method: str) -> None:
    """Envoy asks by the method that the client used (V-17)."""
    assert _read(method=method).method == method


@pytest.mark.parametrize("method", ["get", "FOO", "", "GET,POST"])
def test_unknown_method_is_refused(method: str) -> None:
    """Nothing is decided about a method that nobody knows (V-17)."""
    _, reason = _refusal(method=method)

    assert reason == "method_unknown"


@pytest.mark.parametrize(
    "path",
    ["/", "//x", "//", "/a//b/", "/%2e%2e/x", "/a/../b", "/./", "/%2Fa%2f", "/a;b=c"],
)
def test_path_is_taken_as_it_arrived(path: str) -> None:
    """Nothing is decoded or resolved on the way to the rules."""
    assert _read(target=path).path == path


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/x?", "/x", ""),
        ("/x?a=/verify/envoy/y", "/x", "a=/verify/envoy/y"),
        ("/verify/envoy/x", "/verify/envoy/x", None),
        ("/x?a?b", "/x", "a?b"),
    ],
)
def test_query_is_that_of_the_client(target: str, path: str, query: str | None) -> None:
    """What stands behind our path is the client's, query and all."""
    asked = _read(target=target)

    assert (asked.path, asked.query) == (path, query)


@pytest.mark.parametrize("proto", ["HTTPS", "https,http", "wss", "h2c", "https://"])
def test_malformed_scheme_is_refused(proto: str) -> None:
    """Envoy writes ``http`` or ``https``, of an upgrade as well (V-15)."""
    assert _refusal(HEADERS.replaced(PROTO, proto)) == (PROTO, "scheme_unknown")


@pytest.mark.parametrize("case", BAD_HOSTS, ids=str)
def test_malformed_host_is_refused(case: Listed) -> None:
    """A host that could be read in two ways is refused by name (V-16)."""
    assert _refusal(HEADERS.replaced(HOST, case.text)) == (HOST, case.expected)


@pytest.mark.parametrize(
    "target", ["", "x", "?a=b", "/" + "a" * 8190], ids=lambda value: value[:8]
)
def test_no_target_is_refused(target: str) -> None:
    """A question about nothing, or about more than is read, has no answer (V-18)."""
    _, reason = _refusal(target=target)

    assert reason in {"uri_malformed", "uri_too_long"}


@pytest.mark.parametrize("case", BAD_URIS, ids=str)
def test_malformed_target_is_refused(case: Listed) -> None:
    """A path that could be read in two ways is refused (V-18)."""
    _, reason = _refusal(target=case.text)

    assert reason == case.expected


@pytest.mark.parametrize("verdict", PASSES.values(), ids=PASSES)
def test_pass_is_exactly_200(verdict: Verdict) -> None:
    """Any other 2xx is a denial to Envoy (V-25)."""
    answer = ADAPTER.answer(verdict)

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
def test_denial_reaches_the_browser_as_it_is(verdict: str, status: int) -> None:
    """Envoy passes status, headers and body on, so they are meant for it (V-28)."""
    assert ADAPTER.answer(DENIALS[verdict]).status == status


def test_redirect_is_absolute() -> None:
    """It leads to another host than the one that was asked for (V-30)."""
    answer = ADAPTER.answer(sign_in_needed(RequestKind.NAVIGATION))

    assert dict(answer.headers)["Location"] == LOGIN_URL


def test_logout_is_taken_over() -> None:
    """Envoy passes the cookies of a denial on, so verify can sign out."""
    assert ADAPTER.takes_over_logout is True
