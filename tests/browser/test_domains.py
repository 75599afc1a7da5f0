"""One login, one logout, on two parent domains that share nothing."""

from typing import Final

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.installation import COOKIE, Installation
from tests.support.visitor import Visitor

SIGNED_OUT: Final = "You are signed out"
HOME: Final = "example.com"
AWAY: Final = "example.org"
DIRECTIONS = pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(HOME, AWAY, id="home-first"),
        pytest.param(AWAY, HOME, id="away-first"),
    ],
)


def walk(visitor: Visitor, first: str, second: str) -> None:
    """Sign in on *first*, go on to *second*, sign out there, and come back."""
    visitor.open("app1", domain=first)
    visitor.sign_in()
    visitor.is_greeted("app1", domain=first)
    visitor.open("app1", domain=second)
    visitor.is_greeted("app1", domain=second)
    tokens = [visitor.token(domain=domain) for domain in (first, second)]

    visitor.click("Sign out")
    visitor.sees(SIGNED_OUT)

    assert tokens[0] != tokens[1]
    assert visitor.page.url == visitor.site.url("auth", "/signed-out", domain=second)
    visitor.open("app1", domain=first)
    visitor.is_asked_to_sign_in()
    visitor.open("app1", domain=second)
    visitor.is_asked_to_sign_in()


@DIRECTIONS
def test_one_login_opens_and_one_logout_closes_both(
    visitor: Visitor, first: str, second: str
) -> None:
    """Asked for once, wherever it began; over everywhere, wherever it ends (L-14)."""
    walk(visitor, first, second)


@DIRECTIONS
def test_strict_cookies_open_and_close_both(
    strict_visitor: Visitor, first: str, second: str
) -> None:
    """Cookies that go along with no other site's link make no difference (L-14)."""
    walk(strict_visitor, first, second)


def test_my_sessions_end_the_login_on_both_domains(visitor: Visitor) -> None:
    """There is no other to end, and what ends on one is over on the other (L-14)."""
    visitor.has_signed_in()
    visitor.open("auth", "/", domain=AWAY)
    visitor.sees("Your sessions")
    expect(visitor.page.get_by_role("link", name="End all other")).to_have_count(0)

    visitor.click("End all sessions")
    visitor.press("End all sessions")

    visitor.sees("You are signed out everywhere")
    visitor.open("app1")
    visitor.is_asked_to_sign_in()


def test_sign_in_again_leads_back_to_the_domain_it_began_on(visitor: Visitor) -> None:
    """From the logout page of the second domain, through the home portal, and back."""
    visitor.open("auth", "/logout", domain=AWAY)
    visitor.sees(SIGNED_OUT)

    visitor.click("Sign in again")
    visitor.sign_in()

    visitor.sees("Your sessions")
    assert visitor.page.url == visitor.site.url("auth", domain=AWAY)


def test_address_of_the_last_step_opens_nothing_in_another_browser(
    context: BrowserContext, site: Installation
) -> None:
    """Who is sent somebody's code does not become that somebody."""
    visitor = Visitor(page=context.new_page(), site=site)
    visitor.has_signed_in()
    addresses: list[str] = []
    visitor.page.on(
        "request",
        lambda each: addresses.append(each.url) if "/link/finish" in each.url else None,
    )
    visitor.open("app1", domain=AWAY)
    visitor.is_greeted("app1", domain=AWAY)
    context.clear_cookies()

    visitor.page.goto(addresses[0])

    visitor.sees("Sign in")
    assert COOKIE not in visitor.cookie_names()
    visitor.click("Continue")
    visitor.is_asked_to_sign_in()
