"""Who is connected, and what a proxy may say about the browser behind it."""

from collections.abc import Awaitable, Callable
from ipaddress import IPv4Network, ip_address, ip_network
from pathlib import Path

import pytest
from aiohttp import web

from forwardauth.adapters.headers import IPAddress
from forwardauth.domains import CookieDomain, CookieDomains, Origin
from forwardauth.errors import ProxyRequestError, UntrustedProxyError
from forwardauth.web.forwarded import (
    check_scheme,
    check_trusted_peer,
    comes_by_plain_http,
    get_domain,
    get_host,
    get_peer,
    get_portal_domain,
    lookup_browser_address,
)
from tests.support.probe import Probe

LOOPBACK = ip_address("127.0.0.1")
TRUSTED = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"))
OTHERS = (ip_network("10.0.0.0/8"),)
DOMAINS = CookieDomains(
    entries=(
        CookieDomain(
            name="example.com", portal=Origin(scheme="https", host="auth.example.com")
        ),
        CookieDomain(
            name="example.org", portal=Origin(scheme="https", host="login.example.org")
        ),
    )
)
HOST = ("Host", "auth.example.com")


async def ask_peer(request: web.Request) -> IPAddress:
    """Return who is connected."""
    return get_peer(request)


async def ask_trusted(request: web.Request) -> IPAddress:
    """Return who is connected, if loopback is trusted."""
    return check_trusted_peer(request, TRUSTED)


async def ask_others(request: web.Request) -> IPAddress:
    """Return who is connected, if another network is trusted."""
    return check_trusted_peer(request, OTHERS)


async def ask_browser(request: web.Request) -> IPAddress | None:
    """Return the browser's address by the word of loopback."""
    return lookup_browser_address(request, TRUSTED)


async def ask_browser_of_others(request: web.Request) -> IPAddress | None:
    """Return the browser's address where loopback is nobody."""
    return lookup_browser_address(request, OTHERS)


async def ask_host(request: web.Request) -> str:
    """Return the host that was asked."""
    return get_host(request)


async def ask_domain(request: web.Request) -> str:
    """Return the cookie domain that was asked."""
    return get_domain(request, DOMAINS).name


async def ask_portal(request: web.Request) -> str:
    """Return the cookie domain whose portal was asked."""
    return get_portal_domain(request, DOMAINS).name


async def ask_scheme(request: web.Request) -> None:
    """Return if nothing speaks against the portal's scheme, by the word of loopback."""
    check_scheme(request, DOMAINS.home, TRUSTED)


async def ask_scheme_of_others(request: web.Request) -> None:
    """The same where loopback is nobody."""
    check_scheme(request, DOMAINS.home, OTHERS)


@pytest.mark.parametrize(
    ("values", "is_refused"),
    [([], False), (["https"], False), (["http"], True), (["https", "http"], True)],
    ids=["silent", "same", "other", "twice"],
)
async def test_scheme_of_the_portal_is_needed(
    values: list[str], *, is_refused: bool
) -> None:
    """Nobody signs in over plain http, as far as a trusted proxy tells (V-11)."""
    headers = [HOST, *(("X-Forwarded-Proto", value) for value in values)]

    async with Probe(ask_scheme_of_others) as probe:
        await probe.ask(headers=headers)
    async with Probe(ask_scheme) as probe:
        if not is_refused:
            await probe.ask(headers=headers)
            return
        with pytest.raises(ProxyRequestError) as caught:
            await probe.ask(headers=headers)

    assert caught.value.reason == "scheme_not_portal"


async def test_peer_is_who_is_connected() -> None:
    """No header has a say in it (V-11)."""
    headers = [HOST, ("X-Forwarded-For", "192.0.2.1"), ("X-Real-IP", "192.0.2.2")]

    async with Probe(ask_peer) as probe:
        peer = await probe.ask(headers=headers)

    assert peer == LOOPBACK


async def test_peer_of_a_unix_socket_is_this_machine(tmp_path: Path) -> None:
    """Who may open the socket is decided by its file."""
    async with Probe(ask_peer, path=tmp_path / "s.sock") as probe:
        peer = await probe.ask()

    assert peer == LOOPBACK


async def test_trusted_peer_is_let_in(tmp_path: Path) -> None:
    """Over loopback and over a unix socket alike."""
    async with Probe(ask_trusted) as probe:
        over_tcp = await probe.ask()
    async with Probe(ask_trusted, path=tmp_path / "s.sock") as probe:
        over_unix = await probe.ask()

    assert (over_tcp, over_unix) == (LOOPBACK, LOOPBACK)


async def test_other_peer_is_turned_away() -> None:
    """A network that is not listed speaks for nobody, whatever it sends (V-11)."""
    headers = [HOST, ("X-Forwarded-For", "10.0.0.1"), ("Forwarded", "for=10.0.0.1")]

    async with Probe(ask_others) as probe:
        with pytest.raises(UntrustedProxyError):
            await probe.ask(headers=headers)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "127.0.0.1"),
        (["192.0.2.1"], "192.0.2.1"),
        (["192.0.2.66, 192.0.2.1"], "192.0.2.1"),
        (["192.0.2.66", "192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1, 10.0.0.5, 10.0.0.6"], "192.0.2.1"),
        (["192.0.2.66, 192.0.2.1", "10.0.0.5"], "192.0.2.1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["::ffff:192.0.2.1"], "192.0.2.1"),
        (["junk, 192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1, junk"], None),
        (["192.0.2.1,"], None),
        ([""], None),
        (["unknown"], None),
        (["192.0.2.1:1234"], None),
        (["[2001:db8::1]"], None),
        (["192.0.2.0/24"], None),
        (["0xc0000201"], None),
        (["192.0.2.01"], None),
        (["\udcff"], None),
    ],
    ids=str,
)
async def test_trusted_proxy_tells_the_address(
    values: list[str], expected: str | None
) -> None:
    """The last hop that no trusted proxy owns is the browser; junk is nobody (V-22)."""
    headers = [HOST, *(("X-Forwarded-For", value) for value in values)]

    async with Probe(ask_browser) as probe:
        found = await probe.ask(headers=headers)

    assert found == (None if expected is None else ip_address(expected))


@pytest.mark.parametrize("value", ["192.0.2.1", "10.0.0.1", "junk", ""])
async def test_untrusted_peer_is_the_browser_itself(value: str) -> None:
    """What it forwards is not read at all (V-11)."""
    async with Probe(ask_browser_of_others) as probe:
        found = await probe.ask(headers=[HOST, ("X-Forwarded-For", value)])

    assert found == LOOPBACK


@pytest.mark.parametrize(
    "name", ["X-Real-IP", "Forwarded", "X-Forwarded_For", "X_Forwarded_For", "True-IP"]
)
async def test_other_headers_tell_no_address(name: str) -> None:
    """One header has the address, in one spelling (V-12, V-24)."""
    async with Probe(ask_browser) as probe:
        found = await probe.ask(headers=[HOST, (name, "192.0.2.1")])

    assert found == LOOPBACK


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("auth.example.com", "auth.example.com"),
        ("AUTH.Example.COM", "auth.example.com"),
        ("auth.example.com:443", "auth.example.com"),
        ("auth.example.com:8443", "auth.example.com"),
    ],
)
async def test_host_is_lower_case_without_port(value: str, expected: str) -> None:
    """One host has one spelling (V-16)."""
    async with Probe(ask_host) as probe:
        assert await probe.ask(headers=[("Host", value)]) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "auth.example.com.",
        ".example.com",
        "auth..example.com",
        "auth.example.com:",
        "auth.example.com:x",
        "auth.example.com:99999",
        "auth.example.com:443:443",
        "user@auth.example.com",
        "auth.example.com/path",
        "auth.example.com, evil.example",
        "auth.example.com evil.example",
        "auth.example.com#",
        "auth.example.com?",
        "auth.example.com%00",
        "evil.example\\auth.example.com",
        "auth_.example.com",
        "-auth.example.com",
        "[::1]",
        "auth.ex\u0430mple.com",
        "auth.example.com\udcff",
        "a" * 300 + ".example.com",
    ],
    ids=ascii,
)
async def test_malformed_host_is_refused(value: str) -> None:
    """A host that two programs may read in two ways is read by none (V-16)."""
    async with Probe(ask_host) as probe:
        with pytest.raises(ProxyRequestError):
            await probe.ask(headers=[("Host", value)])


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host"]
)
async def test_forwarded_host_does_not_count(name: str) -> None:
    """Our pages go by ``Host`` alone (V-12)."""
    async with Probe(ask_host) as probe:
        found = await probe.ask(headers=[HOST, (name, "login.example.org")])

    assert found == "auth.example.com"


async def test_request_line_does_not_override_the_host() -> None:
    """An absolute request target names another host; ``Host`` counts."""
    async with Probe(ask_host) as probe:
        found = await probe.ask(target="http://login.example.org/x", headers=[HOST])

    assert found == "auth.example.com"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.com", "example.com"),
        ("auth.example.com", "example.com"),
        ("a.b.example.com:8443", "example.com"),
        ("app.example.org", "example.org"),
    ],
)
async def test_domain_goes_by_the_host(host: str, expected: str) -> None:
    """Every host has the cookie domain that it is at or below."""
    async with Probe(ask_domain) as probe:
        assert await probe.ask(headers=[("Host", host)]) == expected


@pytest.mark.parametrize(
    "host",
    ["com", "badexample.com", "example.com.evil.example", "127.0.0.1", "localhost"],
)
@pytest.mark.parametrize("question", [ask_domain, ask_portal], ids=["any", "portal"])
async def test_host_below_no_domain_is_refused(
    question: Callable[[web.Request], Awaitable[str]], host: str
) -> None:
    """A stranger's host has no portal here (V-1)."""
    async with Probe(question) as probe:
        with pytest.raises(ProxyRequestError):
            await probe.ask(headers=[("Host", host)])


async def test_portal_is_one_host() -> None:
    """Our pages have one place for each domain, and no protected host shows them."""
    async with Probe(ask_portal) as probe:
        found = await probe.ask(headers=[("Host", "Login.Example.org:443")])

        assert found == "example.org"
        for host in ("example.org", "app.example.org", "x.login.example.org"):
            with pytest.raises(ProxyRequestError):
                await probe.ask(headers=[("Host", host)])


INSECURE = CookieDomain(
    name="example.localhost",
    portal=Origin(scheme="http", host="auth.example.localhost"),
)


@pytest.mark.parametrize(
    ("domain", "values", "trusted", "is_plain"),
    [
        (DOMAINS.home, ["http"], TRUSTED, True),
        (DOMAINS.home, ["https", "http"], TRUSTED, True),
        (DOMAINS.home, ["https"], TRUSTED, False),
        (DOMAINS.home, [], TRUSTED, False),
        (DOMAINS.home, ["http"], OTHERS, False),
        (INSECURE, ["http"], TRUSTED, False),
    ],
    ids=["http", "twice", "https", "silent", "untrusted", "http portal"],
)
async def test_plain_http_is_what_a_trusted_proxy_calls_so(
    domain: CookieDomain,
    values: list[str],
    trusted: tuple[IPv4Network, ...],
    *,
    is_plain: bool,
) -> None:
    """Where the portal is https, and by nobody else's word (V-11, V-15)."""
    headers = [HOST, *(("X-Forwarded-Proto", value) for value in values)]

    async def ask(request: web.Request) -> bool:
        return comes_by_plain_http(request, domain, trusted)

    async with Probe(ask) as probe:
        assert await probe.ask(headers=headers) is is_plain
