"""The portal below a path of its host: everything moves there, and works there."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.certificates import Certificates
from tests.support.installation import Installation, installation
from tests.support.proxies import Changes
from tests.support.visitor import Visitor

BASE: Final = "/authenticate"
CHANGES: Final[Changes] = {
    "nginx": {
        "nginx.conf": {
            r"location / \{\n( +proxy_pass http://forwardauth;)": (
                rf"location {BASE}/ {{\n\1"
            )
        },
        "forwardauth-server.conf": {
            r"http://forwardauth/(verify/nginx|logout);": (
                rf"http://forwardauth{BASE}/\1;"
            ),
            r"\^ /verify/nginx/forbidden": f"^ {BASE}/verify/nginx/forbidden",
        },
    },
    "traefik": {
        "dynamic/routes.yaml": {
            r"/verify/traefik": f"{BASE}/verify/traefik",
            r"Host\(`auth.example.com`\)": (
                rf"Host(`auth.example.com`) && PathPrefix(`{BASE}/`)"
            ),
        }
    },
}
"""Nothing but what lies below the path gets to the service."""


@pytest.fixture(scope="module")
def site(
    proxy: str, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Run everything behind one proxy, with the portal below ``BASE``."""
    folder = tmp_path_factory.mktemp(f"base-path-{proxy}")
    settings = {
        "FORWARDAUTH_SERVER__BASE_PATH": BASE,
        "FORWARDAUTH_COOKIES__0__DEFAULT_TARGET": "null",
    }
    with installation(
        proxy, folder, certificates, settings=settings, changes=CHANGES
    ) as running:
        yield running


def test_whole_walk_stays_below_the_path(visitor: Visitor) -> None:
    """In at an application, to my sessions, out by the button, and in again."""
    visitor.open("app1")
    visitor.sign_in()
    visitor.is_greeted("app1")
    visitor.open("auth", f"{BASE}/")
    visitor.sees("Your sessions")
    visitor.press("Sign out")
    visitor.sees("You are signed out")
    assert visitor.page.url == visitor.site.url("auth", f"{BASE}/signed-out")
    visitor.open("app2")
    visitor.is_asked_to_sign_in()
    visitor.open("auth", f"{BASE}/signed-out")
    visitor.click("Sign in again")
    visitor.sign_in()
    visitor.sees("Your sessions")
    assert visitor.page.url == visitor.site.url("auth", f"{BASE}/")
    visitor.click("End all sessions")
    visitor.press("End all sessions")
    visitor.sees("You are signed out everywhere")


def test_logout_of_an_application_is_taken_over(visitor: Visitor) -> None:
    """Its own path has no prefix, and it leads below the portal's."""
    visitor.has_signed_in()
    visitor.open("app1")

    visitor.click("Sign out")

    visitor.sees("You are signed out")
    assert visitor.page.url == visitor.site.url("auth", f"{BASE}/signed-out")
    visitor.open("app1")
    visitor.is_asked_to_sign_in()


def test_style_sheet_is_found(visitor: Visitor) -> None:
    """Static files lie below the path too, and the policy lets them in."""
    visitor.open("auth", f"{BASE}/login")

    sheets = visitor.page.evaluate(
        "[...document.styleSheets].map((sheet) => [sheet.href, sheet.cssRules.length])"
    )

    assert sheets
    assert all(
        href.startswith(visitor.site.url("auth", f"{BASE}/")) for href, _ in sheets
    )
    assert all(count > 0 for _, count in sheets)
