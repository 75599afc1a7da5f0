"""Verify as a proxy sees it, from bytes to bytes."""

import asyncio
import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from yarl import URL

from forwardauth.sessions.ids import MAX_PRESENTED, create_session_id, digest_of
from forwardauth.users.file import LookupUser, UsersFile
from forwardauth.users.model import User
from forwardauth.users.table import UserChange
from forwardauth.users.throttle import ACCOUNT_LIMIT
from forwardauth.web import keys
from forwardauth.web.identity import Identities
from forwardauth.web.metrics import BASIC
from tests.support.client import FETCH, NAVIGATION, Headers
from tests.support.clock import FakeClock
from tests.support.portal import (
    APP,
    COOKIE,
    HASH,
    PASSWORD,
    PORTAL,
    WEAK_HASH,
    Portal,
)
from tests.support.stores import DownStore

ADAPTERS = ["nginx", "traefik", "caddy", "haproxy", "envoy"]
IDENTITY = ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"]


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_live_session_passes_with_identity(portal: Portal, adapter: str) -> None:
    """A live session is exactly 200, empty, with all four headers (V-25, V-26)."""
    token, _ = await portal.create_session()

    reply = await portal.verify(token, adapter=adapter)

    assert reply.status == 200
    assert reply.body == b""
    assert [reply.header(name) for name in IDENTITY] == [
        "alice",
        "dev,ops",
        "Alice Liddell",
        "alice@example.com",
    ]
    assert reply.lines("Set-Cookie") == []
    assert reply.header("Cache-Control") == "no-store"


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_bypass_passes_with_empty_identity(portal: Portal, adapter: str) -> None:
    """An open host passes anonymously, with every identity header empty (V-26)."""
    reply = await portal.verify(None, host="public.example.com", adapter=adapter)

    assert reply.status == 200
    assert [reply.lines(name) for name in IDENTITY] == [[""]] * 4


@pytest.mark.parametrize(
    ("adapter", "method", "status"),
    [
        ("traefik", "GET", 302),
        ("traefik", "HEAD", 302),
        ("traefik", "POST", 303),
        ("traefik", "PUT", 401),
        ("nginx", "GET", 401),
        ("nginx", "POST", 401),
    ],
)
async def test_anonymous_navigation_is_sent_to_portal(
    portal: Portal, adapter: str, method: str, status: int
) -> None:
    """Nobody signed in: the portal's absolute URL, with the way back (V-28, V-30)."""
    reply = await portal.verify(
        None, adapter=adapter, method=method, uri="/a?b=c%20d", headers=NAVIGATION
    )

    expected = (
        "https://auth.example.com/login?rd=https%3A%2F%2Fapp.example.com%2Fa%3Fb%3Dc%2520d"
        f"&rm={method}"
    )
    assert reply.status == status
    if status == 401 and adapter == "traefik":
        assert reply.json()["data"]["redirect"] == expected
    else:
        assert reply.header("Location") == expected


async def test_program_gets_401_with_login_url(portal: Portal) -> None:
    """A request that is no navigation gets 401 and JSON (V-29)."""
    reply = await portal.verify(None, headers=[("Sec-Fetch-Mode", "cors")])

    assert reply.status == 401
    assert reply.json()["data"]["redirect"].startswith(
        "https://auth.example.com/login?"
    )
    assert reply.lines("WWW-Authenticate") == []
    assert reply.lines("Location") == []


async def test_second_domain_has_its_own_portal(portal: Portal) -> None:
    """The domain of a request is chosen by its host."""
    reply = await portal.verify(None, host="app.example.org", headers=NAVIGATION)

    assert reply.header("Location").startswith("https://login.example.org/login?")


async def test_session_counts_on_its_own_domain_only(portal: Portal) -> None:
    """A cookie of one cookie domain, replayed on another, is nobody's (V-8)."""
    token, _ = await portal.create_session(domain="example.com")

    reply = await portal.verify(token, host="app.example.org")

    assert reply.status == 401


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_wrong_group_is_forbidden(portal: Portal, adapter: str) -> None:
    """Signed in but not meant: 403, and never the portal (V-31)."""
    token, _ = await portal.create_session("bob")

    reply = await portal.verify(token, host="ops.example.com", adapter=adapter)

    assert reply.status == 403
    assert reply.lines("Location") == []
    assert b"bob" not in reply.body


async def test_forbidden_browser_is_told_who_it_is(portal: Portal) -> None:
    """A browser gets a page with the user's name and a way to sign out (V-31, V-36)."""
    token, _ = await portal.create_session("bob")

    reply = await portal.verify(token, host="ops.example.com", headers=NAVIGATION)

    assert reply.status == 403
    assert b"bob" in reply.body
    assert b"https://auth.example.com/logout" in reply.body
    policy = reply.header("Content-Security-Policy")
    assert "style-src https://auth.example.com" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_no_rule_denies(portal: Portal, adapter: str) -> None:
    """A deny rule forbids an anonymous request: signing in would not help (V-1)."""
    reply = await portal.verify(None, host="closed.example.com", adapter=adapter)

    assert reply.status == 403


@pytest.mark.parametrize(("adapter", "status"), [("nginx", 403), ("traefik", 400)])
async def test_host_below_no_domain_is_refused(
    portal: Portal, adapter: str, status: int
) -> None:
    """A host that nobody configured is malformed, 403 where nginx knows no 400."""
    reply = await portal.verify(None, host="app.example.net", adapter=adapter)

    assert reply.status == status


@pytest.mark.parametrize(
    "missing",
    ["X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Method"],
)
async def test_missing_header_is_named(portal: Portal, missing: str) -> None:
    """A header that the proxy forgot is 400 and named (V-13, V-23)."""
    lines = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "public.example.com",
        "X-Forwarded-Uri": "/",
        "X-Forwarded-Method": "GET",
    }
    del lines[missing]

    reply = await portal.send("GET", "/verify/traefik", headers=lines.items())

    assert reply.status == 400
    assert missing in reply.json()["message"]


async def test_other_header_family_is_ignored(portal: Portal) -> None:
    """The nginx adapter goes by X-Original-* whatever X-Forwarded-* says (V-12)."""
    reply = await portal.verify(
        None,
        adapter="nginx",
        headers=[
            ("X-Forwarded-Host", "public.example.com"),
            ("X-Forwarded-Uri", "/"),
            ("X-Original-URI", "https://public.example.com/"),
        ],
    )

    assert reply.status == 401


@pytest.mark.parametrize("path", ["/api/authz/auth-request", "/api/authz/forward-auth"])
async def test_authelia_paths_answer(portal: Portal, path: str) -> None:
    """The paths of Authelia's users reach the same adapters."""
    reply = await portal.send("GET", path)

    assert reply.status in {400, 403}
    assert "X-" in reply.json()["message"]


async def test_own_query_is_ignored(portal: Portal) -> None:
    """What a proxy appends to the verify address changes nothing (V-10)."""
    headers = [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "app.example.com"),
        ("X-Forwarded-Uri", "/x"),
        ("X-Forwarded-Method", "GET"),
        *NAVIGATION,
    ]

    reply = await portal.send(
        "GET", "/verify/traefik?rd=https://evil.example/&auth=basic", headers=headers
    )

    assert reply.status == 302
    assert "evil" not in reply.header("Location")


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"])
async def test_any_verify_method_gives_the_same_decision(
    portal: Portal, method: str
) -> None:
    """The method of the verify request itself does not matter (V-37)."""
    token, _ = await portal.create_session()
    headers = [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "app.example.com"),
        ("X-Forwarded-Uri", "/"),
        ("X-Forwarded-Method", "GET"),
    ]

    allowed = await portal.send(
        method, "/verify/traefik", headers=headers, cookie=token
    )
    refused = await portal.send(method, "/verify/traefik", headers=headers)

    assert (allowed.status, refused.status) == (200, 401)


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x",
        "a" * 43,
        "A" * 5000,
        '"quoted"',
        "é" * 20,
        create_session_id(),
        create_session_id() + "=",
        " " + create_session_id(),
    ],
    ids=lambda value: value[:12],
)
async def test_garbage_cookie_is_no_cookie(portal: Portal, cookie: str) -> None:
    """Malformed, oversized and unknown cookies are nobody's (V-4)."""
    reply = await portal.verify(None, headers=[("Cookie", f"{COOKIE}={cookie}")])

    assert reply.status == 401


async def test_planted_cookie_beside_the_live_one_passes(portal: Portal) -> None:
    """One live session among several values counts, in any order and header (V-5)."""
    token, _ = await portal.create_session()
    planted = create_session_id()
    orders = [
        [("Cookie", f"{COOKIE}={planted}; {COOKIE}={token}")],
        [("Cookie", f"{COOKIE}={token}; {COOKIE}={planted}")],
        [("Cookie", f"{COOKIE}={planted}"), ("Cookie", f"a=b; {COOKIE}={token}")],
    ]

    replies = [await portal.verify(None, headers=headers) for headers in orders]

    assert [reply.status for reply in replies] == [200, 200, 200]


async def test_two_live_sessions_are_nobodys(portal: Portal) -> None:
    """With two live sessions nobody can tell whose request it is (V-5)."""
    mine, _ = await portal.create_session("alice")
    planted, _ = await portal.create_session("bob")
    header = ("Cookie", f"{COOKIE}={mine}; {COOKIE}={planted}")

    reply = await portal.verify(None, headers=[header])

    assert reply.status == 401


async def test_many_cookies_are_nobodys(portal: Portal) -> None:
    """More cookies of our name than anybody has are refused unread (V-42)."""
    token, _ = await portal.create_session()
    others = "; ".join(f"{COOKIE}={create_session_id()}" for _ in range(MAX_PRESENTED))
    header = ("Cookie", f"{COOKIE}={token}; {others}")

    reply = await portal.verify(None, headers=[header])

    assert reply.status == 401


@pytest.mark.parametrize(
    ("elapsed", "status"),
    [(timedelta(minutes=59), 200), (timedelta(hours=1), 401)],
    ids=["within", "over"],
)
async def test_idle_timeout_ends_session(
    portal: Portal, elapsed: timedelta, status: int
) -> None:
    """A session that was not used for its idle timeout is over (V-6, L-58)."""
    token, _ = await portal.create_session()
    assert isinstance(portal.clock, FakeClock)
    portal.clock.advance(elapsed)

    reply = await portal.verify(token)

    assert reply.status == status


async def test_use_extends_session(portal: Portal) -> None:
    """A session that is used lives on, up to its absolute timeout (V-44)."""
    token, _ = await portal.create_session()
    assert isinstance(portal.clock, FakeClock)
    statuses = []
    for _ in range(50):
        portal.clock.advance(timedelta(minutes=30))
        statuses.append((await portal.verify(token)).status)
        await portal.app[keys.SESSIONS].close()

    assert statuses == [200] * 47 + [401] * 3


async def test_anonymous_verify_leaves_nothing(portal: Portal) -> None:
    """Anonymous traffic makes no record and no cookie."""
    reply = await portal.verify(None, headers=NAVIGATION)

    assert reply.lines("Set-Cookie") == []
    assert await portal.store.count() == 0


async def test_disabled_user_is_out_at_once(portal: Portal) -> None:
    """A session of somebody who may not sign in is ended by the next verify (V-7)."""
    token, session = await portal.create_session("carol")

    reply = await portal.verify(token)

    assert reply.status == 401
    assert await portal.store.list_owner(session.username) == ()


async def test_changed_password_ends_session(portal: Portal) -> None:
    """A session that was proven with another password has ended (L-12, V-7)."""
    token, _ = await portal.create_session()
    text = portal.users.read_text(encoding="utf-8")
    other = text.replace(HASH, WEAK_HASH, 1)
    portal.users.write_text(other, encoding="utf-8")
    await portal.app[keys.USERS].reload()

    reply = await portal.verify(token)

    assert reply.status == 401
    assert await portal.store.count() == 0


async def test_portal_page_is_not_verify(portal: Portal) -> None:
    """No path of the portal is a 2xx verify answer by accident (V-9)."""
    reply = await portal.send("GET", "/verify/unknown", host=PORTAL)

    assert reply.status == 404


async def test_two_people_are_never_mixed_up(portal: Portal) -> None:
    """A thousand interleaved requests of two people each get their own (V-45)."""
    tokens = {name: (await portal.create_session(name))[0] for name in ("alice", "bob")}
    names = ["alice", "bob"] * 500

    async def ask(name: str) -> tuple[str, str]:
        reply = await portal.verify(tokens[name])
        return name, reply.header("Remote-User")

    answers = [
        answer
        for start in range(0, len(names), 100)
        for answer in await asyncio.gather(*map(ask, names[start : start + 100]))
    ]

    assert not [pair for pair in answers if pair[0] != pair[1]]


@pytest.mark.parametrize(("adapter", "status"), [("nginx", 403), ("traefik", 400)])
async def test_alias_of_a_header_is_refused_and_logged(
    portal: Portal, caplog: pytest.LogCaptureFixture, adapter: str, status: int
) -> None:
    """An open host is no exception; the log names header and remedy (V-14)."""
    alias = [("Remote_User", "root")]

    with caplog.at_level("INFO", logger="forwardauth.verify"):
        reply = await portal.verify(
            None, host="public.example.com", adapter=adapter, headers=alias
        )

    assert reply.status == status
    assert "Remote_User" in reply.json()["message"]
    assert "outcome=refused reason=header_alias" in caplog.text
    assert "Remote_User: could be taken for Remote-User" in caplog.text
    assert "root" not in caplog.text


class _UncheckedUsers(UsersFile):
    """Users of a source that does not know what fits into a header."""

    def get(self, username: str) -> User | None:
        user = super().get(username)
        return None if user is None else replace(user, display_name="x" * 4097)


async def _ignore(_changes: tuple[UserChange, ...], _users: LookupUser) -> None:
    pass


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_identity_that_fits_no_header_is_forbidden(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, adapter: str
) -> None:
    """It is neither cut nor left out: nobody passes, and the log says why (V-27)."""
    service = Portal(tmp_path, extra="server: {short_way: off}\n")
    service.app[keys.IDENTITIES] = Identities(
        service.app[keys.SESSIONS],
        service.app[keys.REVOKER],
        _UncheckedUsers(service.users, on_change=_ignore),
    )

    async with service:
        token, _ = await service.create_session()
        with caplog.at_level("INFO", logger="forwardauth.verify"):
            reply = await service.verify(token, adapter=adapter)

    assert reply.status == 403
    assert [reply.lines(name) for name in IDENTITY] == [[]] * 4
    assert "outcome=forbidden reason=identity_too_long" in caplog.text
    assert "Remote-Name: is 4097 bytes long" in caplog.text


async def test_identity_is_sent_under_configured_names(tmp_path: Path) -> None:
    """An application may know the headers by names of its own (V-26)."""
    names = "headers: {user: X-WebAuth-User, groups: X-WebAuth-Groups}\n"

    async with Portal(tmp_path, extra=names) as service:
        token, _ = await service.create_session()
        reply = await service.verify(token)

    assert reply.lines("X-WebAuth-User") == ["alice"]
    assert reply.lines("X-WebAuth-Groups") == ["dev,ops"]
    assert reply.lines("Remote-Name") == ["Alice Liddell"]
    assert reply.lines("Remote-User") == reply.lines("Remote-Groups") == []


PREFLIGHT = [
    ("Origin", "https://other.example.com"),
    ("Access-Control-Request-Method", "PUT"),
]


@pytest.mark.parametrize("adapter", ["nginx", "traefik"])
@pytest.mark.parametrize("is_signed_in", [False, True], ids=["nobody", "alice"])
async def test_ambiguous_path_is_forbidden_where_a_rule_looks_at_it(
    portal: Portal,
    caplog: pytest.LogCaptureFixture,
    adapter: str,
    is_signed_in: bool,
) -> None:
    """403 with a stable reason, whoever asks; other hosts are left alone (V-19)."""
    token = (await portal.create_session())[0] if is_signed_in else None
    uri = "/public/..%2fadmin"

    with caplog.at_level("INFO", logger="forwardauth.verify"):
        here = await portal.verify(
            token, adapter=adapter, host="paths.example.com", uri=uri
        )
    there = await portal.verify(
        token, adapter=adapter, host="public.example.com", uri=uri
    )

    assert (here.status, there.status) == (403, 200)
    assert "outcome=forbidden reason=path_ambiguous" in caplog.text


@pytest.mark.parametrize("adapter", ["nginx", "traefik"])
async def test_path_rule_opens_what_is_below_it(portal: Portal, adapter: str) -> None:
    """By segments, decoded once, and never by the query (V-20)."""
    statuses = [
        (await portal.verify(None, adapter=adapter, host=host, uri=uri)).status
        for host, uri in [
            ("paths.example.com", "/public/a"),
            ("paths.example.com", "/%70ublic?a=/.."),
            ("paths.example.com", "/publicity"),
            ("paths.example.com", "/?/public"),
            ("xpaths.example.com", "/public"),
        ]
    ]

    assert statuses == [200, 200, 401, 401, 401]


@pytest.mark.parametrize("adapter", ["nginx", "traefik"])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("api.example.com", 200),
        ("public.example.com", 403),
        ("closed.example.com", 403),
        ("app.example.com", 403),
    ],
)
async def test_preflight_passes_where_its_rule_allows_it(
    portal: Portal, adapter: str, host: str, status: int
) -> None:
    """Denied by default, and never as somebody (V-38)."""
    token, _ = await portal.create_session()

    replies = [
        await portal.verify(
            cookie, adapter=adapter, host=host, method="OPTIONS", headers=PREFLIGHT
        )
        for cookie in (None, token)
    ]

    assert [reply.status for reply in replies] == [status] * 2
    if status == 200:
        identities = [[reply.header(name) for name in IDENTITY] for reply in replies]
        assert identities == [[""] * 4] * 2


async def test_options_that_ask_nothing_are_no_preflight(portal: Portal) -> None:
    """They need a session like any request (V-38)."""
    reply = await portal.verify(None, host="api.example.com", method="OPTIONS")

    assert reply.status == 401


_PROTO = ("X-Forwarded-Proto", "https")
_ENVOY_PATHS = ["/verify/envoy", "/api/authz/ext-authz"]
"""Where the original target stands behind our path."""


async def _ask_raw(portal: Portal, target: str) -> bytes:
    """Send *target* as it is written, and return the first line of the answer."""
    url = URL(portal.url("/"))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = (
        f"GET {target} HTTP/1.1",
        f"Host: {APP}",
        "X-Forwarded-Proto: https",
        "Connection: close",
    )
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.split(b"\r\n", 1)[0]


@pytest.mark.parametrize("path", _ENVOY_PATHS)
@pytest.mark.parametrize(
    "target",
    [
        "/",
        "//x",
        "///",
        "/a//b/",
        "/%2e%2e/x",
        "/../x",
        "/./x",
        "/a%2Fb%5Cc",
        "/%0Ax",
        "/%00",
        "/%25%32%65",
        "/%ff%fe",
        "/%C3%A4",
        "/a+b~c'd",
        "/a;b=c",
        "/x?a=b%20c&d",
        "/verify/envoy/x",
        "/api/health",
    ],
)
async def test_every_byte_of_the_target_comes_back(
    portal: Portal, path: str, target: str
) -> None:
    """Neither router nor parser touches what is decided about (V-30)."""
    reply = await portal.send(
        "GET", path + target, host="app.example.com", headers=[_PROTO, *NAVIGATION]
    )

    query = urlsplit(reply.header("Location")).query
    assert reply.status == 302
    assert query == f"rd={quote(f'https://{APP}{target}', safe='')}&rm=GET"


async def test_query_of_the_client_is_not_ours(portal: Portal) -> None:
    """A parameter behind the path goes along in ``rd`` and steers nothing (V-10)."""
    target = "/x?rd=https://evil.test/&rm=DELETE"

    reply = await portal.verify(None, adapter="envoy", uri=target, headers=NAVIGATION)

    location = urlsplit(reply.header("Location"))
    assert location.netloc == "auth.example.com"
    assert parse_qs(location.query)["rm"] == ["GET"]
    assert parse_qs(location.query)["rd"] == [f"https://{APP}{target}"]


@pytest.mark.parametrize(
    "method",
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"],
)
async def test_every_method_is_decided(portal: Portal, method: str) -> None:
    """Envoy asks by the client's method: with a session 200, without none (V-37)."""
    token, _ = await portal.create_session()

    passed = await portal.verify(token, adapter="envoy", method=method)
    refused = await portal.verify(None, adapter="envoy", method=method)

    assert (passed.status, passed.body) == (200, b"")
    assert refused.status == 401


@pytest.mark.parametrize("path", _ENVOY_PATHS)
async def test_no_target_is_malformed(portal: Portal, path: str) -> None:
    """Our own path alone asks about nothing, and is no success (V-13)."""
    token, _ = await portal.create_session()

    reply = await portal.send("GET", path, host=APP, headers=[_PROTO], cookie=token)

    assert reply.status == 400


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/verify/envoyx", b"404"),
        ("/verify/envoy?a=b", b"400"),
        ("/verify/env%6Fy/x", b"400"),
        ("/%76%65%72ify/envoy/x", b"400"),
        ("/verify/./envoy/x", b"404"),
        ("//verify/envoy/x", b"404"),
        ("/verify/envoy/a#b", b"400"),
        ("/verify/envoy/a\\b", b"400"),
        ("/verify/envoy/%zz", b"400"),
        ("http://public.example.com/verify/envoy/x", b"400"),
        ("*", b"400"),
    ],
)
async def test_other_spelling_of_our_path_passes_nobody(
    portal: Portal, target: str, status: bytes
) -> None:
    """What does not begin with our path, to the letter, asks about nothing (V-18)."""
    line = await _ask_raw(portal, target)

    assert line.split()[1] == status


async def test_base_path_is_no_part_of_the_target(tmp_path: Path) -> None:
    """What stands behind base path and our path is what was asked for."""
    extra = "server:\n  base_path: /authenticate\n"
    async with Portal(tmp_path, extra=extra) as portal:
        reply = await portal.send(
            "GET",
            "/authenticate/verify/envoy/x",
            host=APP,
            headers=[_PROTO, *NAVIGATION],
        )

    query = parse_qs(urlsplit(reply.header("Location")).query)
    assert query["rd"] == [f"https://{APP}/x"]


async def test_host_is_that_of_the_request(portal: Portal) -> None:
    """What other headers say of it is the client's own invention (V-12)."""
    reply = await portal.verify(
        None,
        adapter="envoy",
        headers=[("X-Forwarded-Host", "public.example.com"), ("X-Forwarded-Uri", "/")],
    )

    assert reply.status == 401


async def test_logout_below_our_path_is_taken_over(portal: Portal) -> None:
    """``/logout`` behind our path ends the session in place of a verdict (L-45)."""
    token, session = await portal.create_session()
    headers = [*NAVIGATION, ("Sec-Fetch-Site", "same-origin")]

    reply = await portal.verify(
        token,
        adapter="envoy",
        uri="/logout?rd=https://app.example.com/",
        headers=headers,
    )

    assert (reply.status, reply.header("Location")) == (303, "https://app.example.com/")
    assert any(line.startswith(f"{COOKIE}=;") for line in reply.lines("Set-Cookie"))
    assert await portal.store.list_owner(session.username) == ()


@pytest.mark.parametrize(
    "target", ["//logout", "/logout/", "/%6Cogout", "/x/../logout"]
)
async def test_other_spelling_of_logout_below_our_path_is_none(
    portal: Portal, target: str
) -> None:
    """The path is compared as it is; the session lives on."""
    token, session = await portal.create_session()
    headers = [*NAVIGATION, ("Sec-Fetch-Site", "same-origin")]

    await portal.verify(token, adapter="envoy", uri=target, headers=headers)

    assert len(await portal.store.list_owner(session.username)) == 1


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("is_signed_in", [False, True], ids=["nobody", "alice"])
@pytest.mark.parametrize("host", [APP, "public.example.com", "closed.example.com"])
async def test_plain_http_is_forbidden_to_everybody(
    portal: Portal,
    caplog: pytest.LogCaptureFixture,
    adapter: str,
    is_signed_in: bool,
    host: str,
) -> None:
    """Open hosts too, with a stable reason and no way to the portal (V-15)."""
    token = (await portal.create_session())[0] if is_signed_in else None

    with caplog.at_level("INFO", logger="forwardauth.verify"):
        reply = await portal.verify(
            token, adapter=adapter, host=host, scheme="http", headers=NAVIGATION
        )

    assert reply.status == 403
    assert reply.lines("Location") == []
    assert "outcome=forbidden reason=scheme_insecure" in caplog.text
    assert "user=" not in caplog.text
    if adapter != "nginx":
        assert "redirect http to https" in reply.json()["message"]


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_plain_http_passes_as_nobody_where_its_rule_allows_it(
    portal: Portal, adapter: str
) -> None:
    """A session cookie that came by plain http is nobody's word (V-15)."""
    token, _ = await portal.create_session()

    reply = await portal.verify(
        token, adapter=adapter, host="plain.example.com", scheme="http"
    )

    assert reply.status == 200
    assert [reply.header(name) for name in IDENTITY] == [""] * 4


async def test_plain_http_asks_no_store(tmp_path: Path) -> None:
    """A flood by plain http costs no look-up, not even with cookies (V-15)."""
    store = DownStore()
    store.go_down()
    async with Portal(tmp_path, store=store) as portal:
        reply = await portal.verify(create_session_id(), scheme="http")

    assert reply.status == 403


SCRIPTS = "scripts.example.com"
"""Whose rule takes Basic from everybody."""


def basic(username: str = "alice", password: str = PASSWORD) -> tuple[str, str]:
    """Return the header line of these credentials."""
    token = b64encode(f"{username}:{password}".encode()).decode()
    return ("Authorization", f"Basic {token}")


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_basic_passes_as_its_user_and_leaves_nothing(
    portal: Portal, adapter: str
) -> None:
    """200 with all four headers, no cookie, and no session in the store (V-3, V-39)."""
    reply = await portal.verify(
        None, adapter=adapter, host=SCRIPTS, headers=[basic(" ALICE")]
    )

    assert reply.status == 200
    assert reply.header("Remote-User") == "alice"
    assert reply.header("Remote-Groups") == "dev,ops"
    assert reply.lines("Set-Cookie") == []
    assert await portal.store.count() == 0


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    "line",
    [
        basic("alice", "wrong"),
        basic("nobody"),
        basic("carol"),
        ("Authorization", "Bearer abcdef"),
        ("Authorization", "Basic ???"),
    ],
    ids=["wrong", "unknown", "disabled", "bearer", "malformed"],
)
async def test_what_does_not_count_is_answered_like_nothing(
    portal: Portal, adapter: str, line: tuple[str, str]
) -> None:
    """401 with one challenge, byte for byte, whatever came (V-34, V-35)."""
    nothing = await portal.verify(None, adapter=adapter, host=SCRIPTS)

    reply = await portal.verify(None, adapter=adapter, host=SCRIPTS, headers=[line])

    assert reply.status == nothing.status == 401
    assert reply.body == nothing.body
    challenge = reply.header("WWW-Authenticate")
    assert challenge == f'Basic realm="{SCRIPTS}", charset="UTF-8"'


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    ("host", "headers"),
    [(SCRIPTS, NAVIGATION), (SCRIPTS, FETCH), (APP, ())],
    ids=["window", "fetch", "no basic here"],
)
async def test_nobody_else_is_challenged(
    portal: Portal, adapter: str, host: str, headers: Headers
) -> None:
    """No browser shows a dialogue, with wrong credentials either (V-35)."""
    lines = [*headers, basic("alice", "wrong")]

    reply = await portal.verify(None, adapter=adapter, host=host, headers=lines)

    assert reply.status in {302, 401}
    assert reply.lines("WWW-Authenticate") == []


@pytest.mark.parametrize(
    ("host", "status"),
    [(APP, 401), ("ops.example.com", 401), ("closed.example.com", 403)],
)
async def test_basic_is_not_looked_at_where_no_rule_takes_it(
    portal: Portal, host: str, status: int
) -> None:
    """No password is tried, so none can be guessed there (V-39)."""
    reply = await portal.verify(None, host=host, headers=[basic()])

    assert reply.status == status
    assert portal.app[keys.METRICS].samples(BASIC) == []


async def test_open_rule_does_not_look_at_basic(portal: Portal) -> None:
    """Whoever sends one to an open host passes as nobody, unverified."""
    reply = await portal.verify(None, host="public.example.com", headers=[basic()])

    assert (reply.status, reply.header("Remote-User")) == (200, "")
    assert portal.app[keys.METRICS].samples(BASIC) == []


async def test_session_comes_before_basic(portal: Portal) -> None:
    """A live session decides, whatever else came along (V-3)."""
    token, _ = await portal.create_session("bob")

    reply = await portal.verify(token, host=SCRIPTS, headers=[basic("alice")])

    assert reply.header("Remote-User") == "bob"
    assert portal.app[keys.METRICS].samples(BASIC) == []


async def test_dead_session_does_not_keep_basic_out(portal: Portal) -> None:
    """A cookie that is nobody's is no cookie (V-4)."""
    reply = await portal.verify(create_session_id(), host=SCRIPTS, headers=[basic()])

    assert reply.header("Remote-User") == "alice"


async def test_store_that_is_down_is_an_outage_with_basic_too(tmp_path: Path) -> None:
    """Nobody can count the attempt, or tell whose the cookie is (V-2)."""
    store = DownStore()
    store.go_down()
    async with Portal(tmp_path, store=store) as portal:
        replies = [
            await portal.verify(token, host=SCRIPTS, headers=[basic(password=password)])
            for token in (None, create_session_id())
            for password in (PASSWORD, "wrong")
        ]

    assert [reply.status for reply in replies] == [503] * 4


async def test_what_was_proven_a_moment_ago_outlives_an_outage(tmp_path: Path) -> None:
    """A program that calls again within seconds asks no store (V-39)."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        before = await portal.verify(None, host=SCRIPTS, headers=[basic()])
        store.go_down()
        after = await portal.verify(None, host=SCRIPTS, headers=[basic()])
        guess = await portal.verify(
            None, host=SCRIPTS, headers=[basic(password="guess")]
        )

    assert [before.status, after.status, guess.status] == [200, 200, 503]


@pytest.mark.parametrize(
    ("username", "status", "user"),
    [("alice", 200, "alice"), ("bob", 401, None)],
    ids=["meant", "not meant"],
)
async def test_basic_never_reaches_a_rule_that_does_not_take_it(
    portal: Portal, username: str, status: int, user: str | None
) -> None:
    """Bob would pass the next rule with a session; by Basic he is nobody (V-3)."""
    token, _ = await portal.create_session("bob")

    reply = await portal.verify(None, host="dev.example.com", headers=[basic(username)])
    by_session = await portal.verify(token, host="dev.example.com")

    assert reply.status == status
    assert reply.lines("Remote-User") == ([user] if user else [])
    assert by_session.status == 200


@pytest.mark.parametrize(
    ("adapter", "status"),
    [("nginx", 403), *((name, 429) for name in ADAPTERS[1:])],
)
async def test_guessing_by_basic_is_slowed_down(
    portal: Portal, adapter: str, status: int
) -> None:
    """With the count of the login form, and the wait where it can be told (V-39)."""
    place = ("X-Forwarded-For", "198.51.100.9")
    for n in range(ACCOUNT_LIMIT.free + 1):
        wrong = [basic("alice", f"guess {n}"), place]
        await portal.verify(None, adapter=adapter, host=SCRIPTS, headers=wrong)

    right = await portal.verify(
        None, adapter=adapter, host=SCRIPTS, headers=[basic(), place]
    )
    form = await portal.post_json(
        "/api/firstfactor",
        json.dumps({"username": "alice", "password": PASSWORD}).encode(),
        headers=[place],
    )

    assert right.status == status
    assert int(right.header("Retry-After")) > 0
    assert right.lines("WWW-Authenticate") == []
    assert form.status == 429


async def test_logout_leaves_basic_alone(portal: Portal) -> None:
    """It is no session, and nothing of it could be ended."""
    headers = [*NAVIGATION, ("Sec-Fetch-Site", "same-origin"), basic()]

    out = await portal.verify(None, host=SCRIPTS, uri="/logout", headers=headers)
    after = await portal.verify(None, host=SCRIPTS, headers=[basic()])

    assert (out.status, after.status) == (303, 200)


@pytest.mark.parametrize(
    ("host", "outcome"),
    [("app.example.com", "allow"), ("closed.example.com", "forbidden")],
)
async def test_line_of_a_decision_names_the_session(
    portal: Portal, caplog: pytest.LogCaptureFixture, host: str, outcome: str
) -> None:
    """By the first digits of its digest, the same as when it began (V-48)."""
    token, _ = await portal.create_session()
    name = digest_of(token).hex()[:8]

    with caplog.at_level("DEBUG", logger="forwardauth.verify"):
        await portal.verify(token, host=host)
        await portal.verify(None, host=host)

    (known, nobody) = [
        line for line in caplog.messages if line.startswith("event=verify")
    ]
    assert f"outcome={outcome} " in known
    assert f" session={name} " in known
    assert token not in known
    assert "session=" not in nobody
