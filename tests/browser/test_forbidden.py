"""In front of a closed door in a real browser: who one is, and the ways on."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.browser import no_complaints
from tests.support.installation import Installation
from tests.support.visitor import PAGE, Visitor

CLOSED = "You have no access here"


@pytest.fixture
def visitor(context: BrowserContext, site: Installation) -> Iterator[Visitor]:
    """Return somebody whose browser may complain of a 403, and of nothing else."""
    page = context.new_page()
    with no_complaints(page, statuses=[403]):
        yield Visitor(page=page, site=site)


def test_other_account_comes_back_to_the_very_page(visitor: Visitor) -> None:
    """Out by one link, in by the form, and there (V-31)."""
    visitor.has_signed_in("bob")
    visitor.open("app2", f"{PAGE}?q=1")
    visitor.sees(CLOSED)
    expect(visitor.page.get_by_text("You are signed in as bob")).to_be_visible()
    address = visitor.site.url("app2", f"{PAGE}?q=1")
    expect(visitor.page).to_have_url(address)

    visitor.click("Sign in with another account")
    visitor.sign_in("alice")

    visitor.is_greeted("app2")
    expect(visitor.page).to_have_url(address)


def test_page_has_the_look_of_the_portal(visitor: Visitor) -> None:
    """Its style sheet comes from the portal, by a policy that lets nothing else in."""
    visitor.has_signed_in("bob")

    visitor.open("app2")

    visitor.sees(CLOSED)
    link = visitor.page.get_by_role("link", name="Sign out", exact=True)
    expect(link).to_have_css("display", re.compile("block|flex"))
    expect(link).not_to_have_css("padding-top", "0px")


def test_sign_out_leads_to_the_signed_out_page(visitor: Visitor) -> None:
    """The other link ends the session and stays on the portal (V-31, L-1)."""
    visitor.has_signed_in("bob")
    visitor.open("app2")
    visitor.sees(CLOSED)

    visitor.click("Sign out")

    visitor.sees("You are signed out")
    visitor.open("app2")
    visitor.is_asked_to_sign_in()
