"""Signing out in a real browser, behind each proxy of ``deploy/``."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.browser import fresh_context, no_complaints
from tests.support.installation import COOKIE, Installation
from tests.support.visitor import PAGE, Visitor

SIGNED_OUT: Final = "You are signed out"

Leave = Callable[[Visitor], None]


def leave_by_link(visitor: Visitor) -> None:
    """Follow the link that an application shows."""
    visitor.open("app1")
    visitor.click("Sign out")


def leave_by_form(visitor: Visitor) -> None:
    """Press the button that an application shows."""
    visitor.open("app1")
    visitor.press("Leave")


def leave_by_open_site(visitor: Visitor) -> None:
    """Follow the link of a site that everybody may see."""
    visitor.open("www")
    visitor.click("Sign out")


def leave_by_portal(visitor: Visitor) -> None:
    """Press the portal's own button."""
    visitor.open("auth", "/")
    visitor.press("Sign out")


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(leave_by_link, id="link"),
        pytest.param(leave_by_form, id="form"),
        pytest.param(leave_by_open_site, id="open-site"),
        pytest.param(leave_by_portal, id="portal"),
    ],
)
def test_every_way_out_closes_every_application(visitor: Visitor, leave: Leave) -> None:
    """The very next request to any is asked to sign in (L-1, L-27, L-45, V-52)."""
    visitor.has_signed_in()
    visitor.open("app2")
    visitor.is_greeted("app2")
    token = visitor.token()

    leave(visitor)

    visitor.sees(SIGNED_OUT)
    assert not visitor.cookie_names()
    visitor.open("app2")
    visitor.is_asked_to_sign_in()
    thief = visitor.site.holding(token)
    assert thief.fetch(visitor.site.url("app1")).status == 401


def test_target_of_the_link_is_where_the_browser_ends(visitor: Visitor) -> None:
    """It arrives byte for byte, before any page of ours is shown (L-32, L-38)."""
    target = visitor.site.url("www", f"{PAGE}?q=%7Ea%c3%a4~b")
    visitor.has_signed_in()
    visitor.open("app1", f"{PAGE}?rd={quote(target, safe='')}")

    visitor.click("Sign out")

    visitor.sees("www greets nobody")
    assert visitor.page.url == target
    visitor.open("app2")
    visitor.is_asked_to_sign_in()


def test_target_elsewhere_ends_on_our_page(visitor: Visitor) -> None:
    """Signed out all the same, and the foreign address is not even linked (L-8)."""
    visitor.has_signed_in()
    visitor.open("app1", f"{PAGE}?rd=https%3A%2F%2Fwww.example.net%2F")

    visitor.click("Sign out")

    visitor.sees(SIGNED_OUT)
    assert visitor.page.url == visitor.site.url("auth", "/signed-out")
    assert "example.net" not in visitor.page.content()
    assert COOKIE not in visitor.cookie_names()


def test_no_cookie_of_ours_is_left(visitor: Visitor, context: BrowserContext) -> None:
    """Ours and the listed ones are gone, an application's own stay (L-27, L-28)."""
    visitor.open("app1")
    visitor.sign_in()
    visitor.is_greeted("app1")
    visitor.open("app1", "/cookies")
    context.add_cookies(
        [
            {"name": "shared", "value": "1", "domain": ".example.com", "path": "/"},
            {"name": "mine", "value": "1", "domain": ".example.com", "path": "/"},
        ]
    )
    held = visitor.cookie_names()

    leave_by_link(visitor)

    visitor.sees(SIGNED_OUT)
    assert held == {COOKIE, "shared", "mine", "theme", "lang"}
    assert visitor.cookie_names() == {"mine", "theme", "lang"}


def test_whole_walk_works_without_scripts(browser: Browser, site: Installation) -> None:
    """In at one application, out at another, confirmed in between (L-44)."""
    with fresh_context(browser, has_scripts=False) as context:
        visitor = Visitor(page=context.new_page(), site=site)
        with no_complaints(visitor.page):
            visitor.open("app1", domain="example.org")
            visitor.sign_in()
            visitor.is_greeted("app1", domain="example.org")
            visitor.open("app2")
            visitor.is_greeted("app2")
            visitor.open("auth", "/")
            visitor.sees("Your sessions")
            visitor.open("app2")
            visitor.click("Sign out")
            visitor.sees(SIGNED_OUT)
            visitor.click("Sign in again")
            visitor.is_asked_to_sign_in()
            visitor.open("app1", domain="example.org")
            visitor.is_asked_to_sign_in()


def test_listed_site_data_of_the_portal_is_cleared(visitor: Visitor) -> None:
    """What scripts had stored on the host that signed out is gone (L-29)."""
    visitor.has_signed_in()
    visitor.open("auth", "/")
    visitor.page.evaluate("localStorage.setItem('kept', 'secret')")
    visitor.open("auth", "/")
    before = visitor.page.evaluate("localStorage.getItem('kept')")

    with visitor.page.expect_response("**/logout") as reply:
        visitor.press("Sign out")

    visitor.sees(SIGNED_OUT)
    assert reply.value.header_value("Clear-Site-Data") == '"storage"'
    after = visitor.page.evaluate("localStorage.getItem('kept')")
    assert (before, after) == ("secret", None)
