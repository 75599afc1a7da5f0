"""What every proxy of ``deploy/`` has to do, as shipped, with a browser in front.

One list of scenarios, run behind each proxy: real proxy, real service, real sites, TLS.
``TestSharedStore`` runs two instances of the service on one Redis.
"""

import asyncio
import contextlib
import hashlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from forwardauth.request import MAX_URI_CHARACTERS
from tests.support.certificates import Certificates
from tests.support.client import Client, Reply
from tests.support.hearsay import OPEN_PAGE, VERIFY_PATHS
from tests.support.html import check_page
from tests.support.installation import COOKIE, Installation, installation
from tests.support.processes import count_closed_connections, wait_for
from tests.support.proxies import PROXIES
from tests.support.redis_server import RedisServer
from tests.support.service import PASSWORD

IDENTITY = ("Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email")

FORGED = (
    ("Remote-User", "root"),
    ("remote-user", "root"),
    ("Remote_User", "root"),
    ("Remote.User", "root"),
    ("Remote-Groups", "admins"),
    ("Remote_Groups", "admins"),
    ("Remote-Name", "Root"),
    ("Remote-Email", "root@example.com"),
)
"""What a client claims to be, also in spellings that some applications fold."""

MISLEADING = (
    ("X-Forwarded-Host", "www.example.com"),
    ("X-Forwarded-Uri", "/"),
    ("X-Forwarded-Method", "GET"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Original-URL", "https://www.example.com/"),
    ("X-Original-Method", "GET"),
    ("X_Forwarded_Host", "www.example.com"),
    ("X_Original_URL", "https://www.example.com/"),
    ("Forwarded", "host=www.example.com;proto=https"),
)
"""A client's word that it asks for the site that everybody may see."""

NO_HANDSHAKE: Final = {
    "nginx": "UNRECOGNIZED_NAME",
    "traefik": "UNRECOGNIZED_NAME",
    "caddy": "ALERT_INTERNAL_ERROR",
    "haproxy": "UNRECOGNIZED_NAME",
    "envoy": "reset by peer|EOF",
}
"""How each proxy refuses a name without a certificate; no word for it is mandatory."""

CONTRADICTION: Final = {
    "nginx": b"403",
    "traefik": b"403",
    "caddy": b"403",
    "haproxy": b"400",
    "envoy": b"403",
}
"""What becomes of a request for one site that names another in ``Host``: four go by the
request line, which is for the site that bob may not see; HAProxy refuses to choose."""


@pytest.fixture(scope="module", params=list(PROXIES))
def site(
    request: pytest.FixtureRequest,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Run everything behind one proxy, with one instance on SQLite."""
    folder = tmp_path_factory.mktemp(request.param)
    with installation(request.param, folder, certificates) as running:
        yield running


def reached_identity(reply: Reply) -> dict[str, str]:
    """Return the identity that reached the application; empty and absent are one."""
    assert reply.status == 200, reply
    found = {name: reply.reached(name) for name in IDENTITY}
    assert all(len(values) <= 1 for values in found.values()), found
    return {name: "".join(values) for name, values in found.items()}


def names_that_reached(reply: Reply) -> set[str]:
    """Return the header names, as an application sees them that folds ``-_.``."""
    names = (name for name, _ in reply.json()["headers"])
    return {name.lower().replace("_", "-").replace(".", "-") for name in names}


def assert_signed_in(client: Client, url: str, username: str) -> None:
    """Check that *url* greets *client* as *username*."""
    assert reached_identity(client.navigate(url))["Remote-User"] == username


def assert_sent_to_portal(site: Installation, reply: Reply, url: str) -> None:
    """Check that a navigation to *url* was answered by the way to the portal."""
    assert reply.status in {302, 303}, reply
    location = urlsplit(reply.header("Location"))
    assert f"{location.scheme}://{location.netloc}" == site.url("auth", "")
    assert parse_qs(location.query)["rd"] == [url]


def assert_worth_nothing(site: Installation, token: str) -> None:
    """Check that the session cookie *token* opens nothing any more."""
    url = site.url("app1")
    assert_sent_to_portal(site, site.holding(token).navigate(url), url)


class TestScenarios:
    """Behind each real proxy, with one instance of the service (V-50)."""

    def test_navigation_without_session_is_sent_to_the_portal(
        self, site: Installation
    ) -> None:
        """The way to the portal holds the address and the method (V-28, V-30)."""
        url = site.url("app1", "/inbox/7?tab=new&q=a%20b")

        reply = site.client().navigate(url)

        assert_sent_to_portal(site, reply, url)
        assert parse_qs(urlsplit(reply.header("Location")).query)["rm"] == ["GET"]
        assert not reply.lines("Set-Cookie")

    def test_posting_navigation_without_session_becomes_a_get(
        self, site: Installation
    ) -> None:
        """After POST the browser must not repeat the body at the portal: 303 (V-29)."""
        reply = site.client().navigate(site.url("app1", "/form"), method="POST")

        assert reply.status == 303
        assert reply.header("Location").startswith(site.url("auth", ""))

    def test_fetch_without_session_gets_401_and_learns_where_to_sign_in(
        self, site: Installation
    ) -> None:
        """A script is not redirected to a page it cannot read (V-28)."""
        reply = site.client().fetch(site.url("app1", "/api/mail"))

        assert reply.status == 401
        assert reply.header("Content-Type") == "application/json"
        assert reply.json()["data"]["redirect"].startswith(site.url("auth", ""))
        assert not reply.lines("Location")

    def test_login_through_the_api_opens_every_site(self, site: Installation) -> None:
        """One login, and each site is told all four facts about the user."""
        client = site.signed_in("alice")

        replies = [client.navigate(site.url(name)) for name in ("www", "app1", "app2")]

        assert [reached_identity(reply) for reply in replies] == 3 * [
            {
                "Remote-User": "alice",
                "Remote-Groups": "admins,staff",
                "Remote-Name": "Alice Example",
                "Remote-Email": "alice@example.com",
            }
        ]

    def test_login_through_the_form_leads_back(self, site: Installation) -> None:
        """From the site to the portal's form and back to the very address."""
        client = site.client()
        url = site.url("app1", "/inbox?tab=new")
        page = client.navigate(client.navigate(url).header("Location"))

        form = check_page(page.body.decode()).find("main").find("form")
        fields = form.fields() | {"username": "alice", "password": PASSWORD}
        reply = client.send(
            "POST",
            site.url("auth", "/login"),
            headers=(
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Origin", site.url("auth", "")),
                ("Sec-Fetch-Site", "same-origin"),
                ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Dest", "document"),
            ),
            body=urlencode(fields).encode(),
        )

        assert (reply.status, reply.header("Location")) == (303, url)
        assert_signed_in(client, url, "alice")

    def test_forged_identity_is_overwritten(self, site: Installation) -> None:
        """Somebody who is signed in stays who they are, in every spelling (V-26)."""
        client = site.signed_in("bob")

        reply = client.navigate(site.url("app1"), headers=FORGED)

        assert reached_identity(reply) == {
            "Remote-User": "bob",
            "Remote-Groups": "",
            "Remote-Name": "Bob Example",
            "Remote-Email": "bob@example.com",
        }
        assert "root" not in str(reply.json()["headers"])

    def test_forged_identity_does_not_pass_where_everybody_may(
        self, site: Installation
    ) -> None:
        """A rule with ``bypass`` lets nobody in as somebody (V-26)."""
        reply = site.client().navigate(site.url("www"), headers=FORGED)

        assert set(reached_identity(reply).values()) == {""}
        assert "root" not in str(reply.json()["headers"])

    def test_client_cannot_name_another_site_than_it_asks_for(
        self, site: Installation
    ) -> None:
        """What is decided about is what is asked for, not what is told (V-12)."""
        anonymous = site.client().navigate(site.url("app1"), headers=MISLEADING)
        bob = site.signed_in("bob").navigate(site.url("app2"), headers=MISLEADING)

        assert_sent_to_portal(site, anonymous, site.url("app1"))
        assert bob.status == 403

    @pytest.mark.parametrize("path", VERIFY_PATHS)
    def test_client_cannot_ask_in_the_name_of_a_proxy(
        self, site: Installation, path: str
    ) -> None:
        """At the portal no verify path tells a client what a rule says (V-9)."""
        said = site.client().send("GET", site.url("auth", path), headers=OPEN_PAGE)

        assert said.status in {400, 401, 403, 404}

    def test_absolute_request_line_cannot_contradict_the_host(
        self, site: Installation
    ) -> None:
        """Site and decision go by the same name when a request holds two."""
        url = site.url("app2")
        head = f"GET {url} HTTP/1.1\r\nHost: www.example.com"

        answer = site.signed_in("bob").send_raw(url, head)

        assert answer.split(b" ", 2)[1] == CONTRADICTION[site.gateway.name]

    @pytest.mark.parametrize(
        "names", ["Cookie", "X-Forwarded-Host, X-Forwarded-Uri, X-Original-URL"]
    )
    def test_client_cannot_have_headers_dropped_on_the_way(
        self, site: Installation, names: str
    ) -> None:
        """``Connection`` may name headers to drop; none opens a door (V-23)."""
        client = site.signed_in("bob")

        reply = client.send(
            "GET", site.url("app2"), headers=[("Connection", f"close, {names}")]
        )

        assert reply.status in {400, 401, 403}

    def test_head_is_decided_as_get(self, site: Installation) -> None:
        """HEAD passes with a session and is refused without (V-37)."""
        url = site.url("app1", "/report")

        refused = site.client().send("HEAD", url)
        passed = site.signed_in("alice").send("HEAD", url)

        assert refused.status == 401
        assert passed.status == 200
        assert passed.body == b""

    def test_upload_reaches_the_application_whole(self, site: Installation) -> None:
        """The body goes to the application alone, every byte of it (V-37)."""
        body = bytes(range(256)) * 3900
        reply = site.signed_in("alice").send(
            "POST",
            site.url("app1", "/upload"),
            headers=[("Content-Type", "application/octet-stream")],
            body=body,
        )

        assert reached_identity(reply)["Remote-User"] == "alice"
        assert reply.json()["method"] == "POST"
        assert reply.json()["body_sha256"] == hashlib.sha256(body).hexdigest()

    def test_upload_without_session_is_refused(self, site: Installation) -> None:
        """A write that nobody has signed in for never reaches the application."""
        reply = site.client().send("PUT", site.url("app1", "/file"), body=b"x" * 4096)

        assert reply.status == 401

    def test_long_address_passes(self, site: Installation) -> None:
        """The longest address that is read at all is decided like any other."""
        path = "/" + "a" * 4000 + "?q="
        url = site.url("app1", path + "b" * (MAX_URI_CHARACTERS - len(path)))

        refused = site.client().navigate(url)
        passed = site.signed_in("alice").navigate(url)

        assert refused.status == 302
        assert passed.json()["target"].endswith("b" * 3900)

    async def test_websocket_passes_with_a_session(self, site: Installation) -> None:
        """An upgrade is decided like a request, and then runs in both directions."""
        client = site.signed_in("alice")

        async with (
            loopback_session(client.context()) as session,
            session.ws_connect(
                site.url("app1", "/websocket"),
                headers={"Cookie": client.jar.header("app1.example.com")},
            ) as websocket,
        ):
            user = await websocket.receive_str()
            await websocket.send_str("ping")
            echo = await websocket.receive_str()

        assert (user, echo) == ("alice", "ping")

    async def test_websocket_is_refused_without_a_session(
        self, site: Installation
    ) -> None:
        """An upgrade that nobody has signed in for gets 401 and no connection."""
        async with loopback_session(site.client().context()) as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(site.url("app1", "/websocket"))

        assert caught.value.status == 401

    @pytest.mark.parametrize(
        ("username", "status"), [(None, 401), ("alice", 200), ("bob", 403)]
    )
    def test_asking_keeps_its_connections_open(
        self, site: Installation, username: str | None, status: int
    ) -> None:
        """A connection for each question would cost most of the throughput."""
        client = site.client() if username is None else site.signed_in(username)
        (service,) = site.services
        (port,) = service.ports
        before = count_closed_connections(port)

        statuses = {client.fetch(site.url("app2")).status for _ in range(20)}

        assert statuses == {status}
        assert count_closed_connections(port) - before < 5

    def test_member_of_no_allowed_group_is_forbidden(self, site: Installation) -> None:
        """403 does not send somebody who is signed in to sign in again (V-31)."""
        reply = site.signed_in("bob").navigate(site.url("app2"))

        assert reply.status == 403
        assert not reply.lines("Location")
        page = check_page(reply.body.decode())
        assert "You are signed in as bob" in page.text
        assert "Sign out" in {link.text for link in page.find_all("a")}
        origin = site.url("auth", "")
        assert f"style-src {origin};" in reply.header("Content-Security-Policy")
        assert reply.lines("Cache-Control") == ["no-store"]
        assert not reply.lines("Set-Cookie")

    def test_other_account_opens_what_was_forbidden(self, site: Installation) -> None:
        """The page leads out, and back to the very address, to sign in (V-31)."""
        client = site.signed_in("bob")
        token = client.jar.value(COOKIE)
        url = site.url("app2", "/wiki?page=1&q=a%20b")
        page = check_page(client.navigate(url).body.decode())
        (link,) = (
            each.attributes["href"]
            for each in page.find_all("a")
            if each.text == "Sign in with another account"
        )

        reply = client.navigate(link, site="same-site")

        assert (reply.status, reply.header("Location")) == (303, url)
        assert_sent_to_portal(site, client.navigate(url), url)
        assert site.holding(token).fetch(url).status == 401

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_program_is_forbidden_in_json(
        self, site: Installation, method: str
    ) -> None:
        """A script is told what it can read, and nothing about the user (V-34)."""
        reply = site.signed_in("bob").fetch(site.url("app2"), method=method)

        assert reply.status == 403
        assert reply.header("Content-Type") == "application/json"
        assert reply.json() == {"status": "KO", "message": "forbidden"}
        assert reply.lines("Cache-Control") == ["no-store"]

    def test_page_of_a_denial_cannot_be_asked_for(self, site: Installation) -> None:
        """The paths behind it are an application's own, or nothing's."""
        alice = site.signed_in("alice")
        paths = ("/@forwardauth_forbidden", "/verify/nginx/forbidden")

        replies = [alice.navigate(site.url("app1", path)) for path in paths]

        assert [reply.json()["target"] for reply in replies] == list(paths)

    def test_own_403_of_an_application_stays_its_own(self, site: Installation) -> None:
        """Only the service's 403 becomes the service's page."""
        reply = site.signed_in("alice").navigate(site.url("app1", "/forbidden"))

        assert reply.status == 403
        assert reply.body == b"the application's own 403"

    def test_own_401_of_an_application_stays_its_own(self, site: Installation) -> None:
        """Only the service's 401 becomes the way to the portal."""
        reply = site.signed_in("alice").navigate(site.url("app1", "/unauthorized"))

        assert reply.status == 401
        assert reply.body == b"the application's own 401"
        assert reply.header("WWW-Authenticate") == 'Basic realm="application"'

    def test_cookies_of_an_application_pass_one_by_one(
        self, site: Installation
    ) -> None:
        """Asking the service does not fold the application's cookies into one line."""
        reply = site.signed_in("alice").navigate(site.url("app1", "/cookies"))

        assert reply.lines("Set-Cookie") == [
            "theme=dark; Path=/",
            "lang=en; Path=/; HttpOnly",
        ]

    def test_plain_http_leads_to_https(self, site: Installation) -> None:
        """Nothing is served, asked or decided without TLS."""
        gateway = site.gateway
        reply = site.client().send(
            "GET", f"http://app1.example.com:{gateway.plain_port}/inbox"
        )

        assert reply.status in {301, 308}
        assert reply.header("Location").startswith("https://app1.example.com")
        assert reply.header("Location").endswith("/inbox")

    def test_name_that_is_not_served_reaches_nothing(self, site: Installation) -> None:
        """An unknown name never falls through to some application, or the portal."""
        url = site.url("app1")
        head = f"GET / HTTP/1.1\r\nHost: unknown.example.com:{site.gateway.port}"

        answer = site.signed_in("alice").send_raw(url, head)

        assert answer.split(b" ", 2)[1] in {b"404", b"421"}

    def test_name_of_another_domain_gets_no_handshake(self, site: Installation) -> None:
        """Who asks for a name without a certificate learns nothing, not even a 404."""
        credulous = ssl.create_default_context()
        credulous.check_hostname = False
        credulous.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", site.gateway.port)) as plain,
            pytest.raises(OSError, match=NO_HANDSHAKE[site.gateway.name]),
        ):
            credulous.wrap_socket(plain, server_hostname="evil.example")


class TestLogout:
    """The link that people put in their applications, behind each proxy."""

    def test_logout_on_a_protected_host_ends_the_session_at_once(
        self, site: Installation
    ) -> None:
        """The old cookie is worth nothing, on any host (L-1, L-24, V-52)."""
        client = site.signed_in("alice")
        token = client.jar.value(COOKIE)
        target = site.url("app1", "/bye?from=mail")

        reply = client.navigate(
            site.url("app1", f"/logout?rd={quote(target, safe='')}"), site="same-origin"
        )

        assert (reply.status, reply.header("Location")) == (303, target)
        lines = [x for x in reply.lines("Set-Cookie") if x.startswith(f"{COOKIE}=;")]
        assert len(lines) >= 2, "a line each for the host and for the domain"
        assert sum("Domain=example.com" in line for line in lines) == 1
        assert all("Max-Age=0" in line and "Expires=" in line for line in lines)
        assert COOKIE not in client.jar.names()
        for name in ("app1", "app2"):
            again = site.holding(token).navigate(site.url(name))
            assert_sent_to_portal(site, again, site.url(name))

    def test_logout_on_the_portal_ends_the_session_at_once(
        self, site: Installation
    ) -> None:
        """The portal's own link does the same (L-1, V-52)."""
        client = site.signed_in("alice")
        token = client.jar.value(COOKIE)

        reply = client.navigate(site.url("auth", "/logout"), site="none")

        assert reply.status in {200, 303}
        assert COOKIE not in client.jar.names()
        assert_sent_to_portal(
            site, site.holding(token).navigate(site.url("app1")), site.url("app1")
        )

    def test_logout_leads_to_no_foreign_place(self, site: Installation) -> None:
        """A bad target is dropped and the session ends all the same (L-8, L-34)."""
        client = site.signed_in("alice")
        token = client.jar.value(COOKIE)

        reply = client.navigate(
            site.url("app1", "/logout?rd=https://evil.example/"), site="same-origin"
        )

        assert reply.status == 303
        assert reply.header("Location").startswith(site.url("auth", "/"))
        assert "evil" not in str(reply.headers)
        assert_worth_nothing(site, token)

    @pytest.mark.parametrize("name", ["app1", "www", "auth"])
    def test_request_from_another_site_ends_nothing(
        self, site: Installation, name: str
    ) -> None:
        """A foreign page cannot sign anybody out by a link (L-17, L-19)."""
        client = site.signed_in("alice")

        reply = client.navigate(site.url(name, "/logout"), site="cross-site")

        assert reply.status in {200, 303}
        assert COOKIE in client.jar.names()
        assert_signed_in(client, site.url("app1"), "alice")

    def test_image_of_the_logout_address_ends_nothing(self, site: Installation) -> None:
        """A sub-resource is no person who wants to leave (L-18)."""
        client = site.signed_in("alice")

        client.send(
            "GET",
            site.url("app1", "/logout"),
            headers=(
                ("Sec-Fetch-Site", "same-origin"),
                ("Sec-Fetch-Mode", "no-cors"),
                ("Sec-Fetch-Dest", "image"),
            ),
        )

        assert_signed_in(client, site.url("app1"), "alice")

    def test_logout_is_answered_where_everybody_may_pass(
        self, site: Installation
    ) -> None:
        """The takeover comes before any rule, ``bypass`` included (L-45)."""
        client = site.signed_in("alice")
        token = client.jar.value(COOKIE)

        reply = client.navigate(site.url("www", "/logout"), site="same-origin")

        assert reply.status == 303
        assert_worth_nothing(site, token)

    def test_logout_twice_is_the_same_answer(self, site: Installation) -> None:
        """Nobody is told off for leaving a second time (L-6)."""
        client = site.signed_in("alice")
        url = site.url("app1", f"/logout?rd={quote(site.url('www'), safe='')}")

        first = client.navigate(url, site="same-origin")
        second = client.navigate(url, site="same-origin")

        assert (first.status, second.status) == (303, 303)
        assert first.header("Location") == second.header("Location")


class TestOutage:
    """The service goes away and comes back, behind each proxy."""

    def test_stopped_service_closes_and_started_again_opens(
        self, site: Installation
    ) -> None:
        """Without an answer nothing passes; the session outlives the restart (V-2)."""
        client = site.signed_in("alice")
        (service,) = site.services

        service.stop()
        closed = [client.navigate(site.url(name)) for name in ("www", "app1")]
        service.start()

        assert all(500 <= reply.status < 600 for reply in closed)
        assert_signed_in(client, site.url("app1"), "alice")

    def test_logout_survives_a_restart(self, site: Installation) -> None:
        """What was ended stays ended when the service starts anew (L-15)."""
        client = site.signed_in("alice")
        token = client.jar.value(COOKIE)
        client.navigate(site.url("app1", "/logout"), site="same-origin")
        (service,) = site.services

        service.stop()
        service.start()

        assert_worth_nothing(site, token)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run a Redis that keeps what it has acknowledged."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module", params=list(PROXIES))
def cluster(
    request: pytest.FixtureRequest,
    certificates: Certificates,
    redis: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Run two instances on one Redis: Traefik asks the second, the portal is the first.

    nginx asks both in turn.
    """
    folder = tmp_path_factory.mktemp(f"{request.param}-cluster")
    stores = (redis.url, redis.url)
    with installation(request.param, folder, certificates, stores=stores) as running:
        yield running


class TestSharedStore:
    """Two instances on one Redis, behind each proxy."""

    def test_logout_at_one_instance_is_seen_by_the_other(
        self, cluster: Installation
    ) -> None:
        """The very next requests are refused, whoever answers them (L-15)."""
        client = cluster.signed_in("alice")
        token = client.jar.value(COOKIE)
        for _ in range(4):
            assert_signed_in(client, cluster.url("app1"), "alice")

        reply = client.post_json(cluster.url("auth", "/api/logout"), {})

        assert reply.status == 200
        late = cluster.holding(token)
        statuses = {late.fetch(cluster.url("app1")).status for _ in range(8)}
        assert statuses == {401}

    def test_stopped_store_closes_and_started_again_opens(
        self, cluster: Installation, redis: RedisServer
    ) -> None:
        """An outage is not "signed out": the cookie stays and works later (V-2)."""
        client = cluster.signed_in("alice")

        with redis.stopped():
            closed = [client.navigate(cluster.url("app1")) for _ in range(2)]

        assert {reply.status for reply in closed} <= {500, 503}
        assert not any(reply.lines("Set-Cookie") for reply in closed)
        assert_signed_in(client, cluster.url("app1"), "alice")

    def test_logout_during_an_outage_is_pending_and_then_done(
        self, cluster: Installation, redis: RedisServer
    ) -> None:
        """It does not claim success, and the session ends all the same (L-9)."""
        client = cluster.signed_in("alice")
        token = client.jar.value(COOKIE)

        with redis.stopped():
            reply = client.post_json(cluster.url("auth", "/api/logout"), {})

        assert reply.status == 503
        assert reply.json()["data"]["pending"] is True
        assert COOKIE not in client.jar.names()
        late = cluster.holding(token)
        wait_for(
            lambda: late.fetch(cluster.url("app1")).status == 401,
            "the pending revocation is done",
        )


class _Loopback(AbstractResolver):
    """Finds every name on this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: int = 0
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=family,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def loopback_session(
    context: ssl.SSLContext,
) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session that trusts the gateways, for WebSockets.

    No connection outlives it. Over TLS a side that closes waits for the other to do so,
    which Envoy takes its time for; the loop of a test does not.
    """
    sockets: list[socket.socket] = []

    def create_socket(address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        sockets.append(socket.socket(family, kind, protocol))
        return sockets[-1]

    connector = aiohttp.TCPConnector(
        resolver=_Loopback(), ssl=context, socket_factory=create_socket
    )
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session
    async with asyncio.timeout(10):
        while still_open := [each for each in sockets if each.fileno() >= 0]:
            for each in still_open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            await asyncio.sleep(0)
