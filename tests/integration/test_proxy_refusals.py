"""What is refused never reaches an application, behind every proxy as shipped.

The rules here look at paths and at preflights; the proxies' files are the shipped ones.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.certificates import create_certificates
from tests.support.client import FETCH, NAVIGATION, Headers
from tests.support.installation import Installation, installation
from tests.support.journal import Arrival, Journal
from tests.support.path_oracles import readings_below
from tests.support.proxies import PROXIES

RULES: Final = [
    {"domain": "www.example.com", "path": "/admin", "policy": "one_factor"},
    {"domain": "www.example.com", "policy": "bypass"},
    {"domain": "app1.example.com", "path": "/public", "policy": "bypass"},
    {"domain": "app1.example.com", "policy": "one_factor"},
    {"domain": "app2.example.com", "policy": "one_factor", "preflight": "allow"},
]
"""A closed place in an open site, an open place in a closed one, and preflights."""

ADMIN: Final = (
    *("/admin", "/admin/", "/admin/x", "/%61dmin", "/%61%64%6d%69%6e", "/adm%69n"),
    *("/%2561dmin", "//admin", "///admin", "/./admin", "/../admin", "/x/../admin"),
    *("/x/%2e%2e/admin", "/x/%2E%2e/admin", "/x/.%2e/admin", "/x/..%2fadmin"),
    *("/x/..%2Fadmin", "/x%2f..%2fadmin", "/%2fadmin", "/%2e/admin", "/.%2fadmin"),
    *("/admin;x", "/admin;x=1/y", "/;/admin", "/;x/admin", "/..;/admin"),
    *("/x/..;/admin", "/x;/../admin", "/x/..%3b/admin", "/admin%3bx", "\\admin"),
    *("/\\admin", "/x\\..\\admin", "/%5cadmin", "/%5Cadmin", "/x%5c..%5cadmin"),
    *("/admin%2f", "/admin%2Fx", "/admin%5cx", "/admin%3fx", "/admin%23x", "/admin#x"),
    *("/admin%00", "/admin%00.css", "/admin%0a", "/admin%09", "/admin%20/../admin"),
    *("/x/%252e%252e/admin", "/x/..%252fadmin", "/%c0%afadmin", "/%ef%bc%8fadmin"),
    *("/x/%c0%ae%c0%ae/admin", "/admin?", "/admin?x=/public", "/admin/?/../x"),
    *("/x/..//admin", "/x//../admin", "/x/./../admin", "/admin/.", "/admin/./x"),
    *("/x/../%61dmin", "/%2e%2e/%61dmin", "/%u0061dmin", "/x/../../admin"),
)
"""Spellings of ``/admin`` to some program; case of letters is not among them, since
paths are compared by character (docs/rules.md)."""

PRIVATE: Final = (
    *("/private", "/publicity", "/public.private", "/public-private", "/PUBLIC"),
    *("/public/../private", "/public/%2e%2e/private", "/public/..%2fprivate"),
    *("/public%2f..%2fprivate", "/public/.%2e/private", "/public/..;/private"),
    *("/public;/../private", "/public;/private", "/public%3b/../private"),
    *("/public/..%5cprivate", "/public\\..\\private", "/public/%252e%252e/private"),
    *("/public%2fprivate", "/public%5cprivate", "/public%00/private", "/public%23"),
    *("/private?/public", "/private?path=/public/", "/?/public", "/private#/public"),
    *("/private;/public", "/private%3f/public", "/private%23/public", "//public"),
    *("/public//../../private", "/public/./../private", "/public/../public/../x"),
    *("/%70ublic/../private", "/public/x/../../private", "/public/%c0%ae./private"),
)
"""What is not below ``/public``, or not to every program."""

LOOSE: Final = st.lists(
    st.sampled_from(
        [
            *("/", "/", "//", ".", "..", ";", "%2f", "%5c", "%2e", "%25", "%00", "%3b"),
            *("admin", "admin", "%61dmin", "x", "?", "#", "\\", "%c0%af", "%zz", "%2F"),
        ]
    ),
    max_size=6,
).map(lambda parts: "/" + "".join(parts))

PREFLIGHT: Final[Headers] = (
    ("Origin", "https://www.example.com"),
    ("Access-Control-Request-Method", "PUT"),
)
FORGED: Final[Headers] = (("Remote-User", "root"), ("Remote_User", "root"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One proxy, and what reaches the applications behind it."""

    site: Installation
    journal: Journal

    def ask_raw(self, name: str, target: str, *, method: str = "GET") -> list[Arrival]:
        """Send *target* as it is written, as nobody; return what has arrived."""
        url = self.site.url(name)
        authority = url.removeprefix("https://").rstrip("/")
        head = f"{method} {target} HTTP/1.1\r\nHost: {authority}"
        with self.journal.watch() as arrivals:
            # An application writes down what it hears before it answers; Envoy takes
            # another second to hang up on what it has refused.
            self.site.client().send_raw_for_status(url, head)
        return arrivals


@pytest.fixture(scope="module", params=list(PROXIES))
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Run everything behind one proxy, with rules that look at paths."""
    folder = tmp_path_factory.mktemp(request.param)
    certificates = create_certificates(
        folder / "certificates", "example.com", "*.example.com"
    )
    rules = {"FORWARDAUTH_ACCESS_CONTROL__RULES": json.dumps(RULES)}
    with installation(request.param, folder, certificates, settings=rules) as running:
        yield Stage(site=running, journal=Journal(path=folder / "applications.log"))


def path_of(arrival: Arrival) -> str:
    """Return the raw path that an application was asked for."""
    return arrival.target.partition("?")[0]


class TestPathRules:
    """One place that is closed, and one that is open, under every spelling."""

    @pytest.mark.parametrize("target", ADMIN)
    def test_no_spelling_of_a_closed_path_arrives(
        self, stage: Stage, target: str
    ) -> None:
        """To nobody's reading does an anonymous request arrive there (V-19, V-20)."""
        arrivals = stage.ask_raw("www", target)

        assert all(
            readings_below(path_of(each), "/admin") == {False} for each in arrivals
        )

    @pytest.mark.parametrize("target", PRIVATE)
    def test_only_the_open_path_arrives(self, stage: Stage, target: str) -> None:
        """What arrives is below the open path by every reading (V-19, V-20)."""
        arrivals = stage.ask_raw("app1", target)

        assert all(
            readings_below(path_of(each), "/public") == {True} for each in arrivals
        )

    @settings(max_examples=40, deadline=None)
    @given(target=LOOSE)
    def test_no_path_is_found_that_arrives_at_the_closed_one(
        self, stage: Stage, target: str
    ) -> None:
        """Nor is one put together from what the tricks are made of (V-19)."""
        arrivals = stage.ask_raw("www", target)

        assert all(
            readings_below(path_of(each), "/admin") == {False} for each in arrivals
        )

    @pytest.mark.parametrize("target", ["/admin", "/admin/x?y=1", "/%61dmin"])
    def test_closed_path_opens_for_who_has_signed_in(
        self, stage: Stage, target: str
    ) -> None:
        """The place is there, and the rule lets people in."""
        reply = stage.site.signed_in("bob").navigate(stage.site.url("www", target))

        assert reply.status == 200
        assert reply.reached("Remote-User") == ["bob"]

    @pytest.mark.parametrize(
        ("name", "target"),
        [
            ("www", "/administrator"),
            ("www", "/?next=/admin"),
            ("app1", "/public"),
            ("app1", "/%70ublic/x?y=/private"),
        ],
    )
    def test_open_path_arrives(self, stage: Stage, name: str, target: str) -> None:
        """Everybody may go where a rule says so, whatever the query holds (V-20)."""
        (arrival,) = stage.ask_raw(name, target)

        assert arrival.application == name
        assert "".join(arrival.values("Remote-User")) == ""


class TestRefusals:
    """A refusal is the proxy's to carry out: the application hears nothing."""

    @pytest.mark.parametrize(
        ("method", "headers", "body"),
        [
            pytest.param("GET", NAVIGATION, None, id="navigation"),
            pytest.param("GET", FETCH, None, id="fetch"),
            pytest.param("HEAD", (), None, id="HEAD"),
            pytest.param("POST", NAVIGATION, b"x" * 70_000, id="form"),
            pytest.param("PUT", FETCH, b"x" * 70_000, id="upload"),
            pytest.param("DELETE", FETCH, None, id="DELETE"),
            pytest.param("OPTIONS", FETCH, None, id="OPTIONS"),
            pytest.param("PROPFIND", (), None, id="PROPFIND"),
        ],
    )
    def test_refused_request_does_not_arrive(
        self, stage: Stage, method: str, headers: Headers, body: bytes | None
    ) -> None:
        """Neither its head nor a byte of its body (V-1, V-37)."""
        with stage.journal.watch() as arrivals:
            reply = stage.site.client().send(
                method, stage.site.url("app1", "/form"), headers=headers, body=body
            )

        assert reply.status in {302, 303, 401, 403}
        assert not arrivals

    def test_refused_upgrade_does_not_arrive(self, stage: Stage) -> None:
        """A WebSocket that nobody has signed in for is not even asked for (V-37)."""
        upgrade = (
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        )

        with stage.journal.watch() as arrivals:
            reply = stage.site.client().send(
                "GET", stage.site.url("app1", "/websocket"), headers=upgrade
            )

        assert reply.status == 401
        assert not arrivals

    @pytest.mark.parametrize("characters", [8_200, 12_000, 20_000, 70_000])
    def test_address_that_is_too_long_does_not_arrive(
        self, stage: Stage, characters: int
    ) -> None:
        """What is not read is not let through, signed in or not (V-18, V-42)."""
        url = stage.site.url("app1", "/" + "a" * (characters - 1))

        client = stage.site.signed_in("bob")

        with stage.journal.watch() as arrivals:
            try:
                status = client.navigate(url).status
            except OSError:
                status = 0

        # nginx may close before all of the address has been sent.
        assert status == 0 or 400 <= status < 600
        assert not arrivals

    def test_nothing_arrives_while_the_service_is_stopped(self, stage: Stage) -> None:
        """Not even where everybody may see everything (V-2)."""
        client = stage.site.signed_in("bob")
        (service,) = stage.site.services
        asked = [("www", "/"), ("app1", "/"), ("app1", "/public"), ("www", "/admin")]

        service.stop()
        with stage.journal.watch() as arrivals:
            replies = [client.navigate(stage.site.url(*each)) for each in asked]
        service.start()

        assert all(500 <= reply.status < 600 for reply in replies)
        assert not arrivals


class TestPreflight:
    """A browser asks what it may ask, without cookies."""

    def test_allowed_preflight_arrives_as_nobody(self, stage: Stage) -> None:
        """It passes where the rule says so, and is nobody's, forged or not (V-38)."""
        url = stage.site.url("app2", "/api")

        with stage.journal.watch() as arrivals:
            reply = stage.site.signed_in("bob").send(
                "OPTIONS", url, headers=(*PREFLIGHT, *FORGED)
            )

        (arrival,) = arrivals
        assert reply.status == 200
        assert (arrival.method, arrival.target) == ("OPTIONS", "/api")
        assert "".join(arrival.values("Remote-User")) == ""

    def test_preflight_without_a_rule_does_not_arrive(self, stage: Stage) -> None:
        """Nor where everybody may pass: only a rule opens it (V-38)."""
        with stage.journal.watch() as arrivals:
            replies = [
                stage.site.client().send(
                    "OPTIONS", stage.site.url(name, path), headers=PREFLIGHT
                )
                for name, path in (("app1", "/"), ("app1", "/public"), ("www", "/"))
            ]

        assert {reply.status for reply in replies} <= {401, 403}
        assert not arrivals

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "PROPFIND"])
    def test_other_method_in_the_dress_of_a_preflight_does_not_arrive(
        self, stage: Stage, method: str
    ) -> None:
        """The words of a preflight open nothing to a request that acts (V-38)."""
        with stage.journal.watch() as arrivals:
            reply = stage.site.client().send(
                method, stage.site.url("app2", "/api"), headers=PREFLIGHT
            )

        assert reply.status in {401, 403, 302, 303}
        assert not arrivals
