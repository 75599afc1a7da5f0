"""What every adapter that is served keeps, whatever its proxy."""

import re
from ipaddress import ip_address
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.adapters.base import (
    Adapter,
    Allowed,
    ProxyRequest,
    Unavailable,
    Verdict,
)
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.kinds import classify, is_preflight
from forwardauth.adapters.registry import create_adapters
from forwardauth.errors import ProxyRequestError, UnfitIdentityError
from forwardauth.request import Subject
from tests.support.access import CHALLENGE, DENIALS, PASSES
from tests.support.headers import FakeHeaders
from tests.support.repository import ROOT

NAMES: Final = IdentityHeaders()
CUSTOM: Final = IdentityHeaders(
    user="X-WebAuth-User",
    groups="X-WebAuth-Groups",
    name="X-WebAuth-Name",
    email="X-WebAuth-Email",
)
ADAPTERS: Final = create_adapters(NAMES)

_FORWARDED: Final = FakeHeaders(
    ("X-Forwarded-Method", "POST"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "app.example.com"),
    ("X-Forwarded-Uri", "/admin?a=b"),
)
OWN: Final = {
    "nginx": FakeHeaders(
        ("X-Original-URL", "https://app.example.com/admin?a=b"),
        ("X-Original-Method", "POST"),
    ),
    "traefik": _FORWARDED,
    "caddy": _FORWARDED,
    "haproxy": _FORWARDED,
    "envoy": FakeHeaders(("X-Forwarded-Proto", "https"), ("Host", "app.example.com")),
}
"""What each adapter needs of its proxy; Envoy tells the rest in its request line."""

NEEDED: Final = [
    pytest.param(adapter, name, id=f"{adapter.name}-{name}")
    for adapter in ADAPTERS
    for name in OWN[adapter.name]
]
GUARDED: Final = [
    pytest.param(adapter, name, id=f"{adapter.name}-{name}")
    for adapter in ADAPTERS
    for name in (*OWN[adapter.name], "X-Forwarded-For", *NAMES.names)
    if "-" in name
]
FAMILIES: Final = (
    *("X-Forwarded-Prefix", "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-IP"),
    *("Forwarded", "X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host"),
    *("X-Forwarded-Uri", "X-Forwarded-For", "X-Forwarded-Scheme", "X-Forwarded-Ssl"),
    *("X-Forwarded-Path", "X-Original-URL", "X-Original-Method", "X-Original-URI"),
    *("X-Original-Host", "X-Rewrite-URL", "X-HTTP-Method-Override", "Via"),
    *("X-Envoy-Original-Path", "X-Envoy-External-Address", "X-Client-IP", "Host"),
)
"""Names by which some proxy or other tells what was asked for, and by whom."""

MEANINGFUL: Final = st.sampled_from(
    (
        *("/public", "http", "80", "public.example.com", "203.0.113.9", "DELETE", ""),
        *("for=203.0.113.9;host=public.example.com;proto=http", "127.0.0.1", "a, b"),
    )
)


def _names(adapter: Adapter) -> str:
    return adapter.name


def _ask(adapter: Adapter, headers: FakeHeaders) -> ProxyRequest:
    target = "/admin?a=b" if adapter.appends_target else ""
    return ProxyRequest(
        method="POST", target=target, headers=headers, client=ip_address("192.0.2.7")
    )


def _refusal(adapter: Adapter, headers: FakeHeaders) -> ProxyRequestError:
    with pytest.raises(ProxyRequestError) as refused:
        adapter.read(_ask(adapter, headers))
    return refused.value


def test_names_and_paths_are_no_two_adapters() -> None:
    """A path leads to one dialect, and a name in the logs means one."""
    names = [adapter.name for adapter in ADAPTERS]
    paths = [path for adapter in ADAPTERS for path in adapter.paths]

    assert len(set(names)) == len(names)
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
def test_first_path_is_named_after_the_adapter(adapter: Adapter) -> None:
    """Who knows the proxy knows the address."""
    assert adapter.paths[0] == f"/verify/{adapter.name}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/authz/auth-request", "nginx"),
        ("/api/authz/forward-auth", "traefik"),
        ("/api/authz/ext-authz", "envoy"),
    ],
)
def test_path_of_authelia_leads_to_the_same_dialect(path: str, name: str) -> None:
    """People who come from there keep the configuration of their proxy."""
    assert [adapter.name for adapter in ADAPTERS if path in adapter.paths] == [name]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
def test_request_without_headers_is_refused(adapter: Adapter) -> None:
    """No adapter guesses what its proxy did not say (V-13)."""
    request = ProxyRequest(
        method="GET", target=adapter.paths[0], headers=FakeHeaders(), client=None
    )

    with pytest.raises(ProxyRequestError):
        adapter.read(request)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
@given(others=st.lists(st.tuples(st.sampled_from(FAMILIES), MEANINGFUL | st.text())))
def test_other_families_decide_nothing(
    adapter: Adapter, others: list[tuple[str, str]]
) -> None:
    """No value of theirs changes what is asked for, by whom, or how (V-12, V-24)."""
    own = OWN[adapter.name]
    needed = {name.lower() for name in own}
    headers = own.beside(line for line in others if line[0].lower() not in needed)

    asked = adapter.read(_ask(adapter, headers))

    assert asked == adapter.read(_ask(adapter, own))
    assert asked.host == "app.example.com"
    assert classify("GET", headers) is classify("GET", own)
    assert not is_preflight("OPTIONS", headers)


@pytest.mark.parametrize(("adapter", "name"), NEEDED)
@pytest.mark.parametrize("copies", [0, 2], ids=["missing", "repeated"])
def test_refusal_quotes_a_line_that_is_shipped(
    adapter: Adapter, name: str, copies: int
) -> None:
    """What the message tells to write is in the file that it names (V-13)."""
    own = OWN[adapter.name]
    headers = own.replaced(name, *own.getall(name, []) * copies)

    error = _refusal(adapter, headers)

    assert error.header == name
    told = re.search(r"; (deploy/\S+) sets it with `(.+)`$", str(error))
    assert told is not None, str(error)
    assert told[1].startswith(f"deploy/{adapter.name}/")
    shipped = (ROOT / told[1]).read_text("utf-8").splitlines()
    assert told[2] in [" ".join(line.split()) for line in shipped]


@pytest.mark.parametrize(("adapter", "name"), GUARDED)
@pytest.mark.parametrize("mark", ["_", "."])
def test_alias_of_a_header_that_counts_is_refused(
    adapter: Adapter, name: str, mark: str
) -> None:
    """An application may take it for the header that was checked (V-14)."""
    alias = name.lower().replace("-", mark)

    error = _refusal(adapter, OWN[adapter.name].beside([(alias, "x")]))

    assert (error.header, error.reason) == (alias, "header_alias")


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
def test_alias_is_explained_on_the_page_of_the_proxy(adapter: Adapter) -> None:
    """The page that the message names tells how the proxy drops such headers (V-14)."""
    error = _refusal(adapter, OWN[adapter.name].beside([("Remote_User", "root")]))

    told = re.search(r"see (docs/\S+)$", str(error))
    assert told is not None, str(error)
    assert "`Remote_User`" in (ROOT / told[1]).read_text("utf-8")


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
def test_literal_identity_header_of_a_client_is_no_alias(adapter: Adapter) -> None:
    """The proxy overwrites or removes it; refusing would lock people out."""
    own = OWN[adapter.name]

    asked = adapter.read(_ask(adapter, own.beside([("remote-user", "root")])))

    assert asked == adapter.read(_ask(adapter, own))


@pytest.mark.parametrize("adapter", create_adapters(CUSTOM), ids=_names)
def test_configured_names_are_answered_and_guarded(adapter: Adapter) -> None:
    """The names of the configuration take the place of ours, all four (V-14, V-26)."""
    answer = adapter.answer(PASSES["nobody"])

    error = _refusal(adapter, OWN[adapter.name].beside([("X_WebAuth_User", "root")]))
    assert tuple(name for name, _ in answer.headers[:4]) == CUSTOM.names
    assert not [name for name, _ in answer.headers if name in NAMES.names]
    assert error.reason == "header_alias"


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
def test_identity_that_fits_no_header_is_no_pass(adapter: Adapter) -> None:
    """Nobody passes of whom the application would be told something else (V-27)."""
    subject = Subject(username="alice", display_name="a\r\nRemote-User: root", level=1)

    with pytest.raises(UnfitIdentityError):
        adapter.answer(Allowed(subject=subject))


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
@pytest.mark.parametrize("verdict", PASSES.values(), ids=PASSES)
def test_pass_is_exactly_200(adapter: Adapter, verdict: Verdict) -> None:
    """200 and nothing else, with all four identity headers (V-25, V-26)."""
    answer = adapter.answer(verdict)

    names = [name for name, _ in answer.headers if name.startswith("Remote-")]
    assert (answer.status, answer.body) == (200, b"")
    assert names == ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
@pytest.mark.parametrize("verdict", DENIALS.values(), ids=DENIALS)
def test_denial_is_no_success(adapter: Adapter, verdict: Verdict) -> None:
    """2xx is for ``Allowed`` alone, and a denial says nothing of who asked (V-2)."""
    answer = adapter.answer(verdict)

    assert answer.status >= 300
    assert not [name for name, _ in answer.headers if name.startswith("Remote-")]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
@pytest.mark.parametrize(
    "verdict", [*PASSES.values(), *DENIALS.values()], ids=[*PASSES, *DENIALS]
)
def test_no_answer_may_be_kept(adapter: Adapter, verdict: Verdict) -> None:
    """No cache gives one verdict to another request, and nothing validates (V-33)."""
    headers = adapter.answer(verdict).headers

    names = {name for name, _ in headers}
    assert ("Cache-Control", "no-store") in headers
    assert ("Vary", "Cookie, Authorization") in headers
    assert not names & {"ETag", "Last-Modified", "Expires", "Age"}


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
@pytest.mark.parametrize(
    "verdict", [*PASSES.values(), *DENIALS.values()], ids=[*PASSES, *DENIALS]
)
def test_no_verdict_touches_the_browser(adapter: Adapter, verdict: Verdict) -> None:
    """No cookie, no cleared site data, no password prompt (V-32, V-34, V-35)."""
    names = {name.lower() for name, _ in adapter.answer(verdict).headers}

    assert not names & {"set-cookie", "clear-site-data", "www-authenticate"}


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
def test_outage_is_503_for_every_proxy(adapter: Adapter) -> None:
    """Nobody is sent to sign in because the store is down (V-2)."""
    answer = adapter.answer(Unavailable())

    names = {name for name, _ in answer.headers}
    assert answer.status == 503
    assert "Retry-After" in names
    assert "Location" not in names


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda each: each.name)
def test_challenge_goes_out_as_it_is(adapter: Adapter) -> None:
    """401 with one line, which every proxy hands to the program (V-35)."""
    answer = adapter.answer(CHALLENGE)

    lines = [value for name, value in answer.headers if name == "WWW-Authenticate"]
    assert answer.status == 401
    assert lines == [CHALLENGE.challenge]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda each: each.name)
def test_throttled_is_told_when_to_come_again(adapter: Adapter) -> None:
    """429 where the proxy can carry it, and 403 where it cannot (V-28, V-39)."""
    answer = adapter.answer(DENIALS["throttled"])

    assert answer.status == (403 if adapter.name == "nginx" else 429)
    assert ("Retry-After", "9") in answer.headers
