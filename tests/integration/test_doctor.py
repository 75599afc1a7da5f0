"""``forwardauth doctor`` before real proxies, set up rightly and in wrong ways."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.certificates import Certificates
from tests.support.consequences import Consequence
from tests.support.doctor import Clinic, clinic
from tests.support.proxies import Edit
from tests.support.shipped_lines import Given, Line, with_given, without


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One wrong set-up.

    Attributes:
        edit: Of the shipped files.
        check: Part of the name of the check that fails.
        line: Part of the remedy: what is to be changed.
        proxy: Name of a folder of ``deploy/``.
    """

    edit: Edit
    check: str
    line: str
    proxy: str = "nginx"


def missing(file: str, words: str, *, instead: str | None = None) -> Edit:
    """Return the edit that takes the line *words* out of *file*, or replaces it."""
    line = Line(words, Consequence.NO_DIFFERENCE, instead=instead)
    return without(file, line)


def both(one: Edit, other: Edit) -> Edit:
    """Return the edit that does what *one* does, then what *other* does."""
    return lambda file, text: other(file, one(file, text))


def given(file: str, below: str, text: str) -> Edit:
    """Return the edit that adds *text* to *file*."""
    return with_given(Given(file, below, text))


MISTAKES = {
    "nginx-site-not-protected": Mistake(
        edit=missing("forwardauth-location.conf", "auth_request /_forwardauth/verify;"),
        check="app1.example.com",
        line="auth_request /_forwardauth/verify;",
    ),
    "nginx-question-without-address": Mistake(
        edit=missing("forwardauth-server.conf", "proxy_set_header X-Original-URL …"),
        check="app1.example.com",
        line="proxy_set_header X-Original-URL $scheme://",
    ),
    "nginx-question-with-wrong-scheme": Mistake(
        edit=missing(
            "forwardauth-server.conf",
            "proxy_set_header X-Original-URL …",
            instead="proxy_set_header X-Original-URL https://$host$request_uri;",
        ),
        check="question about https://app1.example.com",
        line="proxy_set_header X-Original-URL $scheme://",
    ),
    "nginx-question-to-nobody": Mistake(
        edit=missing(
            "forwardauth-server.conf",
            "proxy_pass http://forwardauth/verify/nginx;",
            instead="proxy_pass http://forwardauth/verify/engine;",
        ),
        check="app1.example.com",
        line="proxy_pass http://forwardauth/verify/nginx;",
    ),
    "nginx-no-way-to-the-portal": Mistake(
        edit=missing(
            "forwardauth-location.conf", "error_page 401 = @forwardauth_sign_in;"
        ),
        check="app1.example.com",
        line="error_page 401 = @forwardauth_sign_in;",
    ),
    "nginx-client-says-who-it-is": Mistake(
        edit=missing("forwardauth-location.conf", "proxy_set_header Remote-User …"),
        check="forged headers at https://www.example.com",
        line="proxy_set_header Remote-User $forwardauth_user;",
    ),
    "nginx-client-says-where-it-is": Mistake(
        edit=missing(
            "forwardauth-portal.conf",
            "proxy_set_header X-Forwarded-For $remote_addr;",
            instead="proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        ),
        check="address of the client",
        line="proxy_set_header X-Forwarded-For $remote_addr;",
    ),
    "nginx-client-says-how-it-came": Mistake(
        edit=missing("forwardauth-portal.conf", "proxy_set_header X-Forwarded-Proto …"),
        check="scheme at https://auth.example.com",
        line="proxy_set_header X-Forwarded-Proto $scheme;",
    ),
    "nginx-host-not-kept": Mistake(
        edit=missing("forwardauth-portal.conf", "proxy_set_header Host …"),
        check="host at https://auth.example.com",
        line="proxy_set_header Host $forwardauth_authority;",
    ),
    "nginx-strangers-ask-verify": Mistake(
        edit=both(
            missing("forwardauth-portal.conf", 'proxy_set_header X-Original-URL "";'),
            missing(
                "forwardauth-portal.conf", 'proxy_set_header X-Original-Method "";'
            ),
        ),
        check="verify at https://auth.example.com",
        line='proxy_set_header X-Original-URL "";',
    ),
    "nginx-portal-elsewhere": Mistake(
        edit=missing(
            "nginx.conf",
            "proxy_pass http://forwardauth;",
            instead="proxy_pass http://www:80;",
        ),
        check="portal https://auth.example.com",
        line="proxy_pass http://forwardauth;",
    ),
    "nginx-portal-behind-itself": Mistake(
        edit=missing(
            "nginx.conf",
            "include /etc/nginx/forwardauth-portal.conf;",
            instead="include /etc/nginx/forwardauth-location.conf;\n}\n"
            "include /etc/nginx/forwardauth-server.conf;\nlocation /other {",
        ),
        check="portal https://auth.example.com",
        line="take the portal out of what is protected",
    ),
    "nginx-not-trusted": Mistake(
        # As seen by a service that trusts 127.0.0.1 alone.
        edit=given("nginx.conf", "server_tokens off;", "proxy_bind 127.0.0.9;"),
        check="trusted proxies",
        line="add 127.0.0.9 to FORWARDAUTH_SERVER__TRUSTED_PROXIES: "
        "server.trusted_proxies",
    ),
    "traefik-site-not-protected": Mistake(
        edit=missing("dynamic/routes.yaml", "middlewares: [forwardauth]"),
        check="app1.example.com",
        line="middlewares: [forwardauth]",
        proxy="traefik",
    ),
    "traefik-client-says-who-it-is": Mistake(
        edit=missing("dynamic/routes.yaml", "- Remote-User"),
        check="forged headers at https://www.example.com",
        line="authResponseHeaders:",
        proxy="traefik",
    ),
    "traefik-client-chooses-the-question": Mistake(
        edit=given(
            "traefik.yaml", 'address: ":443"', "    forwardedHeaders: {insecure: true}"
        ),
        check="forged headers at https://app1.example.com",
        line='address: ":443"',
        proxy="traefik",
    ),
    "traefik-strangers-ask-verify": Mistake(
        edit=missing("traefik.yaml", "middlewares: [clean@file]"),
        check="verify at https://auth.example.com",
        line="middlewares: [clean@file]",
        proxy="traefik",
    ),
}


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Clinic]:
    """Run the service and the applications, for all proxies."""
    with clinic(tmp_path_factory.mktemp("doctor"), certificates) as running:
        yield running


@pytest.mark.parametrize("proxy", ["nginx", "traefik"])
def test_right_set_up_has_nothing_wrong(place: Clinic, proxy: str) -> None:
    """As shipped, with a sign-in: every single check is ok, and none is left out."""
    report = place.look(proxy, is_signing_in=True)

    assert report.of("warn", "fail", "skip") == []
    assert report.status == 0
    assert {f"{place.url('app1')} after the sign-out", "trusted proxies"} <= {
        each["check"] for each in report.checks
    }


def test_plain_http_and_logout_are_no_open_doors(place: Clinic) -> None:
    """What leads to https, and what signs out, is no application."""
    plain = f"http://app1.example.com:{place.ports[1]}/"
    logout = f"{place.url('app1')}logout"

    report = place.look("nginx", sites=(), urls=(plain, logout))

    told = {each["check"]: each["outcome"] for each in report.checks}
    assert (told[plain], told[logout]) == ("ok", "skip")
    assert report.status == 0


@pytest.mark.parametrize("trust", [(), ("--insecure",)], ids=["none", "insecure"])
def test_certificate_that_nobody_vouches_for_is_found(
    place: Clinic, trust: tuple[str, ...]
) -> None:
    """The reason is told, and how to go on; whoever takes the risk sees the rest."""
    report = place.look("nginx", sites=(), trust=trust)

    told = {each["check"]: each for each in report.checks}
    portal = place.url("auth").rstrip("/")
    if trust:
        assert report.status == 0
        assert told[f"certificate of {portal}"]["outcome"] == "skip"
    else:
        assert report.blames(f"portal {portal}", "--ca FILE")
        assert "certificate is not accepted" in told[f"portal {portal}"]["detail"]


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
def test_wrong_set_up_is_found_and_names_the_line(
    place: Clinic, mistake: Mistake
) -> None:
    """What is wrong with a proxy fails a check, with the line that would mend it."""
    report = place.look(mistake.proxy, mistake.edit)

    assert report.blames(mistake.check, mistake.line), report.of("fail", "warn", "skip")
    assert report.status == 1


def test_cookie_that_the_proxy_rewrites_is_found(place: Clinic) -> None:
    """A sign-in shows that the session cookie no longer reaches all hosts."""
    edit = given(
        "forwardauth-portal.conf",
        "proxy_redirect off;",
        "proxy_cookie_domain example.com auth.example.com;",
    )

    report = place.look("nginx", edit, is_signing_in=True)

    (failed,) = (
        each for each in report.of("fail") if each["check"].startswith("session cookie")
    )
    assert "lacks domain=example.com" in failed["detail"]


def test_cookie_domain_that_is_too_narrow_is_found(place: Clinic) -> None:
    """By the rules that it makes useless, before anybody is asked."""
    settings = {
        "FORWARDAUTH_COOKIES__0__DOMAIN": "auth.example.com",
        "FORWARDAUTH_COOKIES__0__DEFAULT_TARGET": "null",
    }

    report = place.ask(settings=settings)

    assert report.blames("configuration", "add its parent domain to cookies")


def test_address_that_no_cookie_reaches_is_found(place: Clinic) -> None:
    """It is told with the key to change, and nobody asks for it."""
    report = place.ask("--url", "https://app.example.org/")

    assert report.blames("https://app.example.org/", "config.yaml:10: cookies")


def test_identity_that_is_lost_on_the_way_is_found(place: Clinic) -> None:
    """An application that shows its headers shows that the name is none of them."""
    edit = missing(
        "forwardauth-location.conf",
        "proxy_set_header Remote-User …",
        instead='proxy_set_header Remote-User "";',
    )

    report = place.look("nginx", edit, sites=("app1",), is_signing_in=True)

    assert report.blames("identity at", "proxy_set_header Remote-User $forwardauth")


def test_question_to_nobody_is_no_way_in(place: Clinic) -> None:
    """Whom nginx answers 500 has not passed, signed in or not."""
    edit = MISTAKES["nginx-question-to-nobody"].edit

    report = place.look("nginx", edit, sites=("app1",), is_signing_in=True)

    told = {each["check"]: each["outcome"] for each in report.checks}
    assert told[f"{place.url('app1')} as alice"] == "fail"
    assert f"{place.url('app1')} after the sign-out" not in told


def test_right_password_is_needed(place: Clinic) -> None:
    """A wrong one is said to be wrong, and is in no report."""
    report = place.look("nginx", is_signing_in=True, password="hunter2-hunter2")

    assert report.blames("sign-in", "name and password of the users file")
    assert "hunter2" not in str(report)
