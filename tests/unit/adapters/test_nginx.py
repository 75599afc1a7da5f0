"""nginx: reads ``X-Original-URL`` and ``-Method``, answers 200, 401 and 403."""

import json
from ipaddress import ip_address
from typing import Final

import pytest

from forwardauth.adapters.base import (
    Forbidden,
    Malformed,
    ProxyRequest,
    RequestKind,
    Unavailable,
    Verdict,
)
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.nginx import REQUEST_KIND_HEADER, NginxAdapter
from forwardauth.errors import ProxyRequestError
from forwardauth.request import OriginalRequest
from tests.support.access import DENIALS, LOGIN_URL, PASSES, sign_in_needed
from tests.support.headers import FakeHeaders
from tests.support.targets import Listed, read_list

URL: Final = "X-Original-URL"
METHOD: Final = "X-Original-Method"
HEADERS: Final = FakeHeaders(
    (URL, "https://App.example.com:8443/a%20b?c=d"), (METHOD, "POST")
)
ADAPTER: Final = NginxAdapter(IdentityHeaders())
CLIENT: Final = ip_address("192.0.2.7")

FOREIGN: Final = (
    ("X-Forwarded-Method", "DELETE"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Host", "public.example.com"),
    ("X-Forwarded-Uri", "/public"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Port", "80"),
    ("X-Forwarded-Prefix", "/public"),
    ("X-Forwarded-Server", "evil.test"),
    ("X-Original-URI", "https://public.example.com/"),
    ("X_Original_URI", "https://public.example.com/"),
    ("X_Forwarded_Host", "public.example.com"),
    ("X-Original-Host", "public.example.com"),
    ("X-Rewrite-URL", "/public"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Real-IP", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.9;host=public.example.com;proto=http"),
    ("Host", "public.example.com"),
)
# In a URL the host ends at the first slash.
BAD_HOSTS: Final = [
    case
    for case in read_list("hosts-refused.txt")
    if not case.text.startswith("app.example.com/")
]
BAD_URIS: Final = list(read_list("uris-refused.txt"))


def _read(headers: FakeHeaders, *, target: str = "/verify/nginx") -> OriginalRequest:
    request = ProxyRequest(method="GET", target=target, headers=headers, client=CLIENT)
    return ADAPTER.read(request)


def _refusal(headers: FakeHeaders) -> tuple[str, str]:
    with pytest.raises(ProxyRequestError) as refused:
        _read(headers)
    return refused.value.header, refused.value.reason


def test_original_request_is_read_from_two_headers() -> None:
    """Address and method are what nginx says the browser asked for."""
    assert _read(HEADERS) == OriginalRequest(
        scheme="https",
        host="app.example.com",
        port=8443,
        method="POST",
        path="/a%20b",
        query="c=d",
        client=CLIENT,
    )


@pytest.mark.parametrize(
    ("url", "rest"),
    [
        ("http://app.example.com/", ("http", None, "/", None)),
        ("https://app.example.com:443/", ("https", None, "/", None)),
        ("https://app.example.com/?", ("https", None, "/", "")),
        ("https://app.example.com//x/../y", ("https", None, "//x/../y", None)),
        (
            "https://app.example.com/a?u=https://b/c",
            ("https", None, "/a", "u=https://b/c"),
        ),
    ],
)
def test_url_is_taken_apart(
    url: str, rest: tuple[str, int | None, str, str | None]
) -> None:
    """The host ends at the first slash, and the path is kept as it came (V-18)."""
    original = _read(HEADERS.replaced(URL, url))

    assert original.host == "app.example.com"
    assert (original.scheme, original.port, original.path, original.query) == rest


def test_other_families_are_ignored() -> None:
    """Whatever a client sends under other names changes nothing (V-12, V-24)."""
    assert _read(HEADERS.beside(FOREIGN)) == _read(HEADERS)


def test_other_families_are_no_substitute() -> None:
    """A complete request in another family is a request without headers (V-12)."""
    assert _refusal(FakeHeaders(*FOREIGN)) == (URL, "header_missing")


def test_verify_request_itself_is_ignored() -> None:
    """Neither its method nor its query says anything (V-10, V-37)."""
    asked = _read(HEADERS, target="/verify/nginx?rd=https://evil.test/&auth=basic")

    assert asked == _read(HEADERS)


@pytest.mark.parametrize("name", [URL, METHOD])
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


@pytest.mark.parametrize("name", [URL, METHOD])
def test_empty_header_is_missing(name: str) -> None:
    """An empty value says nothing (V-13)."""
    assert _refusal(HEADERS.replaced(name, "")) == (name, "header_missing")


@pytest.mark.parametrize("method", ["post", "FOO", "GET,POST", "GET "])
def test_malformed_method_is_refused(method: str) -> None:
    """A method that no rule knows is refused by the header's name (V-17)."""
    assert _refusal(HEADERS.replaced(METHOD, method)) == (METHOD, "method_unknown")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/a", "url_malformed"),
        ("//app.example.com/", "url_malformed"),
        ("app.example.com/", "url_malformed"),
        ("https:/app.example.com/", "url_malformed"),
        ("https:\\\\app.example.com/", "url_malformed"),
        ("https://app.example.com", "url_malformed"),
        ("https://app.example.com?a=b", "url_malformed"),
        ("https://app.example.com?a=/b", "host_malformed"),
        ("https://app.example.com#/b", "host_malformed"),
        ("https:///a", "host_malformed"),
        ("https://public.example.com@app.example.com/", "host_malformed"),
        ("https://app.example.com,https://b.example.com/", "host_malformed"),
        ("://app.example.com/", "scheme_unknown"),
        ("HTTPS://app.example.com/", "scheme_unknown"),
        ("wss://app.example.com/", "scheme_unknown"),
        ("javascript://app.example.com/", "scheme_unknown"),
        (" https://app.example.com/", "scheme_unknown"),
        ("https://app.example.com/" + "a" * 8190, "uri_too_long"),
    ],
    ids=lambda value: value[:40],
)
def test_malformed_url_is_refused(url: str, reason: str) -> None:
    """An address that could be read in two ways is refused by name (V-15, V-18)."""
    assert _refusal(HEADERS.replaced(URL, url)) == (URL, reason)


@pytest.mark.parametrize("case", BAD_HOSTS, ids=str)
def test_malformed_host_is_refused(case: Listed) -> None:
    """No spelling of a host gets past the grammar by being in a URL (V-16)."""
    assert _refusal(HEADERS.replaced(URL, f"https://{case.text}/"))[0] == URL


@pytest.mark.parametrize(
    "case", [case for case in BAD_URIS if case.text.startswith("/")], ids=str
)
def test_malformed_path_is_refused(case: Listed) -> None:
    """No path gets past the grammar by being in a URL (V-18)."""
    url = f"https://app.example.com{case.text}"

    assert _refusal(HEADERS.replaced(URL, url)) == (URL, case.expected)


@pytest.mark.parametrize("verdict", PASSES.values(), ids=PASSES)
def test_pass_is_200(verdict: Verdict) -> None:
    """Exactly 200, without a body, for somebody and for nobody (V-25, V-28)."""
    answer = ADAPTER.answer(verdict)

    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("kind", RequestKind)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_sign_in_is_401_with_directions(kind: RequestKind, method: str) -> None:
    """nginx gets the address and the kind in headers, since it reads no body (V-28)."""
    answer = ADAPTER.answer(sign_in_needed(kind, method=method))

    headers = dict(answer.headers)
    assert (answer.status, answer.body) == (401, b"")
    assert headers["Location"] == LOGIN_URL
    assert headers[REQUEST_KIND_HEADER] == kind.value
    # nginx would hand it on to the browser, which would ask for a password.
    assert "WWW-Authenticate" not in headers


@pytest.mark.parametrize(
    "verdict",
    [Forbidden(), Forbidden(page=b"<p>No</p>", content_policy="default-src 'none'")],
    ids=["program", "browser"],
)
def test_forbidden_is_403_without_a_body(verdict: Forbidden) -> None:
    """nginx shows a page of its own, and does not lead to the portal (V-28, V-31)."""
    answer = ADAPTER.answer(verdict)

    assert (answer.status, answer.body) == (403, b"")
    assert "Location" not in dict(answer.headers)


def test_malformed_is_403_and_names_the_header() -> None:
    """nginx turns 400 into 500, so the proxy's mistake is a denial (V-13, V-28)."""
    error = ProxyRequestError(URL, "header_missing", "is missing")

    answer = ADAPTER.answer(Malformed(error=error))

    assert answer.status == 403
    assert URL in json.loads(answer.body)["message"]


def test_outage_is_503() -> None:
    """An outage is not "signed out": nginx fails closed and touches nothing (V-2)."""
    answer = ADAPTER.answer(Unavailable(retry_after_seconds=7))

    headers = dict(answer.headers)
    assert answer.status == 503
    assert headers["Retry-After"] == "7"
    assert "Location" not in headers


@pytest.mark.parametrize("verdict", DENIALS.values(), ids=DENIALS)
def test_denial_is_a_status_that_nginx_knows(verdict: Verdict) -> None:
    """401 and 403 deny; 503 for an outage denies as an error (V-28)."""
    answer = ADAPTER.answer(verdict)

    expected = {503} if isinstance(verdict, Unavailable) else {401, 403}
    assert answer.status in expected


def test_logout_is_left_to_a_location() -> None:
    """nginx passes no cookie of a denial on, so verify cannot sign out there."""
    assert ADAPTER.takes_over_logout is False
