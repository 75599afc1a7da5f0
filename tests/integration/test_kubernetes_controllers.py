"""The ways into a cluster, each with a real proxy set up from ``deploy/kubernetes``.

Custom resources set up a proxy whose scenarios ``test_proxies.py`` has run already, so
a short list is enough for them. ingress-nginx is a proxy of its own: it passes all of
those scenarios, but for what its template makes different, which is told here.
"""

from collections.abc import Iterator
from functools import partial
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.integration import test_proxies as shared
from tests.support.certificates import Certificates
from tests.support.controllers import CONTROLLERS, cluster, prepare_ingress_nginx
from tests.support.hearsay import OPEN_PAGE
from tests.support.installation import COOKIE, Installation
from tests.support.processes import count_closed_connections


@pytest.fixture(scope="module", params=list(CONTROLLERS))
def running(
    request: pytest.FixtureRequest,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Run everything behind what each kind of custom resource sets up."""
    folder = tmp_path_factory.mktemp(request.param)
    with cluster(
        request.param, CONTROLLERS[request.param], folder, certificates
    ) as found:
        yield found


class TestCustomResources:
    """What no way into a cluster may do without (V-50)."""

    def test_nobody_is_sent_to_the_portal(self, running: Installation) -> None:
        """The way to the portal holds the address, its query too (V-30)."""
        url = running.url("app1", "/inbox/7?tab=new&q=a%20b")

        reply = running.client().navigate(url)

        shared.assert_sent_to_portal(running, reply, url)

    def test_four_facts_reach_every_site(self, running: Installation) -> None:
        """The application learns who asks, and everybody may see www."""
        client = running.signed_in("alice")

        replies = [client.navigate(running.url(name)) for name in ("www", "app2")]

        assert [shared.reached_identity(reply) for reply in replies] == 2 * [
            {
                "Remote-User": "alice",
                "Remote-Groups": "admins,staff",
                "Remote-Name": "Alice Example",
                "Remote-Email": "alice@example.com",
            }
        ]

    @pytest.mark.parametrize(("name", "username"), [("www", None), ("app1", "bob")])
    def test_nobody_claims_to_be_somebody(
        self, running: Installation, name: str, username: str | None
    ) -> None:
        """A client's own identity is gone, in every spelling (V-26)."""
        client = running.signed_in(username) if username else running.client()

        reply = client.navigate(running.url(name), headers=shared.FORGED)

        assert shared.reached_identity(reply)["Remote-User"] == (username or "")
        assert "root" not in str(reply.json()["headers"])

    def test_client_cannot_name_another_site_than_it_asks_for(
        self, running: Installation
    ) -> None:
        """What is decided about is what is asked for, not what is told (V-12)."""
        url = running.url("app2")
        head = f"GET {url} HTTP/1.1\r\nHost: www.example.com"
        client = running.signed_in("bob")

        told = client.navigate(url, headers=shared.MISLEADING)
        answer = client.send_raw(url, head)

        assert told.status == 403
        assert answer.split(b" ", 2)[1] in {b"403", b"421"}

    def test_logout_on_a_protected_host_ends_the_session_at_once(
        self, running: Installation
    ) -> None:
        """The old cookie is worth nothing, and no line of the answer is lost (V-52)."""
        client = running.signed_in("alice")
        token = client.jar.value(COOKIE)
        target = running.url("app1", "/bye?from=mail")
        query = f"rd={quote(target, safe='')}"

        reply = client.navigate(
            running.url("app1", f"/logout?{query}"), site="same-origin"
        )

        assert (reply.status, reply.header("Location")) == (303, target)
        assert COOKIE not in client.jar.names()
        for name in ("app1", "app2"):
            again = running.holding(token).navigate(running.url(name))
            shared.assert_sent_to_portal(running, again, running.url(name))

    def test_foreign_page_ends_nothing(self, running: Installation) -> None:
        """The browser's word about who asks reaches the service (L-17)."""
        client = running.signed_in("alice")

        client.navigate(running.url("app1", "/logout"), site="cross-site")

        shared.assert_signed_in(client, running.url("app1"), "alice")

    def test_stopped_service_closes(self, running: Installation) -> None:
        """Without an answer nothing passes, not even where everybody may (V-2)."""
        client = running.signed_in("alice")
        (service,) = running.services

        service.stop()
        closed = [client.navigate(running.url(name)) for name in ("www", "app1")]
        service.start()

        assert all(reply.status in {403, 500, 502, 503} for reply in closed)
        shared.assert_signed_in(client, running.url("app1"), "alice")


@pytest.fixture(scope="module")
def site(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Run everything behind ingress-nginx, for the scenarios of every proxy."""
    folder = tmp_path_factory.mktemp("shared")
    with cluster("nginx", prepare_ingress_nginx, folder, certificates) as found:
        yield found


def assert_sent_away(site: Installation, status: int, location: str) -> None:
    """Check that ingress-nginx made its one answer to 401: the way to the portal."""
    assert status == 302
    assert location.startswith(site.url("auth", "/login?rd="))


class TestIngressNginx(shared.TestScenarios):
    """The scenarios of every proxy behind ingress-nginx, and what it does otherwise."""

    def test_navigation_without_session_is_sent_to_the_portal(
        self, site: Installation
    ) -> None:
        """``auth-signin`` knows the address, and not the method (V-28)."""
        url = site.url("app1", "/inbox/7?tab=new&q=a%20b")

        reply = site.client().navigate(url)

        shared.assert_sent_to_portal(site, reply, url)
        assert parse_qs(urlsplit(reply.header("Location")).query) == {"rd": [url]}
        assert not reply.lines("Set-Cookie")

    def test_posting_navigation_without_session_becomes_a_get(
        self, site: Installation
    ) -> None:
        """It is 302, after which browsers make a GET of a POST as well."""
        reply = site.client().navigate(site.url("app1", "/form"), method="POST")

        assert_sent_away(site, reply.status, reply.header("Location"))

    def test_fetch_without_session_gets_401_and_learns_where_to_sign_in(
        self, site: Installation
    ) -> None:
        """ingress-nginx redirects programs too: it looks at the status alone."""
        reply = site.client().fetch(site.url("app1", "/api/mail"))

        assert_sent_away(site, reply.status, reply.header("Location"))

    def test_head_is_decided_as_get(self, site: Installation) -> None:
        """HEAD passes with a session and is sent away without (V-37)."""
        url = site.url("app1", "/report")

        refused = site.client().send("HEAD", url)
        passed = site.signed_in("alice").send("HEAD", url)

        assert_sent_away(site, refused.status, refused.header("Location"))
        assert (passed.status, passed.body) == (200, b"")

    def test_upload_without_session_is_refused(self, site: Installation) -> None:
        """A write that nobody has signed in for never reaches the application."""
        reply = site.client().send("PUT", site.url("app1", "/file"), body=b"x" * 4096)

        assert_sent_away(site, reply.status, reply.header("Location"))

    async def test_websocket_is_refused_without_a_session(
        self, site: Installation
    ) -> None:
        """An upgrade that nobody has signed in for gets no connection."""
        context = site.client().context()
        async with shared.loopback_session(context) as session:
            response = await session.get(
                site.url("app1", "/websocket"),
                headers={"Connection": "Upgrade", "Upgrade": "websocket"},
                allow_redirects=False,
            )
            location = response.headers["Location"]

        assert_sent_away(site, response.status, location)

    def test_address_that_grows_by_encoding_fits(self, site: Installation) -> None:
        """The answer that holds it fits into ``proxy-buffer-size``: no 500."""
        url = site.url("app1", "/?" + "&" * 1900)

        reply = site.client().navigate(url)

        shared.assert_sent_to_portal(site, reply, url)

    def test_absolute_request_line_cannot_contradict_the_host(
        self, site: Installation
    ) -> None:
        """The controller's own setting refuses a request that names two hosts."""
        url = site.url("app2")
        head = f"GET {url} HTTP/1.1\r\nHost: www.example.com"

        answer = site.signed_in("bob").send_raw(url, head)

        assert answer.split(b" ", 2)[1] == b"421"

    @pytest.mark.parametrize(
        ("username", "status"), [(None, 302), ("alice", 200), ("bob", 403)]
    )
    def test_asking_keeps_its_connections_open(
        self, site: Installation, username: str | None, status: int
    ) -> None:
        """It does not, without ``auth-keepalive``, which needs the controller's Lua."""
        client = site.client() if username is None else site.signed_in(username)
        (port,) = site.services[0].ports
        before = count_closed_connections(port)

        statuses = {client.fetch(site.url("app2")).status for _ in range(20)}

        assert statuses == {status}
        assert count_closed_connections(port) - before >= 10

    def test_member_of_no_allowed_group_is_forbidden(self, site: Installation) -> None:
        """403 is nginx's own page, and no way to sign in again (V-31)."""
        reply = site.signed_in("bob").navigate(site.url("app2"))

        assert reply.status == 403
        assert not reply.lines("Location")

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_program_is_forbidden_in_json(
        self, site: Installation, method: str
    ) -> None:
        """A program gets the same page of nginx's: 403, and nothing about the user."""
        reply = site.signed_in("bob").fetch(site.url("app2"), method=method)

        assert reply.status == 403
        assert b"bob" not in reply.body

    def test_other_account_opens_what_was_forbidden(self, site: Installation) -> None:
        """The page has no way out, but ``/logout`` leads back to the address (V-31)."""
        client = site.signed_in("bob")
        url = site.url("app2", "/wiki?page=1&q=a%20b")
        query = f"rd={quote(url, safe='')}"

        reply = client.navigate(site.url("app2", f"/logout?{query}"), site="none")

        assert (reply.status, reply.header("Location")) == (303, url)
        shared.assert_sent_to_portal(site, client.navigate(url), url)


class TestIngressNginxLogout(shared.TestLogout):
    """Every way to sign out, behind ingress-nginx: the Ingress ``logout``."""


class TestIngressNginxOutage(shared.TestOutage):
    """The service goes away and comes back behind ingress-nginx."""


def test_without_the_snippets_the_host_header_is_believed(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What the warning says of ``server-snippet`` is so: bob gets to see app2."""
    prepare = partial(prepare_ingress_nginx, without=frozenset({"server-snippet"}))
    folder = tmp_path_factory.mktemp("open")
    with cluster("nginx", prepare, folder, certificates) as site:
        url = site.url("app2")
        head = f"GET {url} HTTP/1.1\r\nHost: www.example.com"

        answer = site.client().send_raw(url, head)

    assert answer.split(b" ", 2)[1] == b"200"
    assert b'"application": "app2"' in answer


def test_without_the_removed_headers_a_client_can_ask(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What the warning says of ``proxy-set-headers`` is so: the portal tells."""
    prepare = partial(prepare_ingress_nginx, without=frozenset({"proxy-set-headers"}))
    folder = tmp_path_factory.mktemp("telling")
    with cluster("nginx", prepare, folder, certificates) as site:
        reply = site.client().send(
            "GET", site.url("auth", "/verify/nginx"), headers=OPEN_PAGE
        )

    assert reply.status == 200
