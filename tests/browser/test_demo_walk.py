"""The walk that the demonstration invites to, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from forwardauth.demo.service import DISPLAY_NAME, PASSWORD, USERNAME
from tests.support.browser import (
    Chromium,
    fresh_context,
    no_complaints,
    running_chromium,
)
from tests.support.demo import Demo, running_demo

COOKIE = "forwardauth_session"
GREETING = f"Hello, {DISPLAY_NAME}!"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Run one demonstration for all walks."""
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running
        assert running.process.is_running(), running.told()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Start a Chromium that finds names as it does for everybody."""
    with running_chromium() as running:
        yield running


@pytest.fixture
def context(chromium: Chromium) -> Iterator[BrowserContext]:
    """Return a browser without cookies."""
    with fresh_context(chromium.browser) as opened:
        yield opened


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Return an empty window; what it complains about fails the test."""
    opened = context.new_page()
    with no_complaints(opened):
        yield opened


def sign_in(page: Page, demo: Demo) -> None:
    """Fill in the portal's form, where the window is."""
    expect(page).to_have_url(re.compile(f"^{re.escape(demo.addresses.url('auth'))}/"))
    page.get_by_label("User name").fill(USERNAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def expect_greeting(page: Page) -> None:
    """Check that an application greets the user."""
    expect(page.get_by_role("heading", name=GREETING)).to_be_visible()


def expect_login_page(page: Page, demo: Demo) -> None:
    """Check that the portal asks who is there."""
    assert page.url.startswith(demo.addresses.url("auth"))
    expect(page.get_by_label("Password", exact=True)).to_be_visible()


def test_walk_from_sign_in_to_signed_out_everywhere(demo: Demo, page: Page) -> None:
    """One sign-in opens both applications, one sign-out closes both (L-1, V-52)."""
    app, app2 = (f"{demo.addresses.url(name)}/" for name in ("app", "app2"))

    page.goto(app)
    sign_in(page, demo)
    expect(page).to_have_url(app)
    expect_greeting(page)
    page.get_by_role("link", name="The other application").click()
    expect(page).to_have_url(app2)
    expect_greeting(page)
    page.get_by_role("link", name="Sign out").click()
    expect_login_page(page, demo)
    page.goto(app)
    expect_login_page(page, demo)


def test_signed_out_browser_keeps_no_cookie_of_ours(
    demo: Demo, page: Page, context: BrowserContext
) -> None:
    """Not one is left, neither on the portal nor on the parent domain (L-27)."""
    page.goto(f"{demo.addresses.url('app')}/")
    sign_in(page, demo)
    expect_greeting(page)
    kept = {cookie["name"] for cookie in context.cookies()}

    page.goto(f"{demo.addresses.url('app')}/logout")

    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert COOKIE in kept
    assert context.cookies() == []


def test_copy_of_the_cookie_opens_nothing_after_signing_out(
    demo: Demo, page: Page, context: BrowserContext
) -> None:
    """Who stole the cookie before has nothing afterwards (L-1)."""
    app = f"{demo.addresses.url('app')}/"
    page.goto(app)
    sign_in(page, demo)
    expect_greeting(page)
    (stolen,) = (each for each in context.cookies() if each["name"] == COOKIE)

    page.get_by_role("link", name="Sign out").click()
    expect_login_page(page, demo)
    context.clear_cookies()
    context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": stolen["value"],
                "domain": stolen["domain"],
                "path": "/",
            }
        ]
    )
    page.goto(app)

    expect_login_page(page, demo)


def test_back_button_shows_no_page_of_somebody_signed_in(
    demo: Demo, page: Page
) -> None:
    """Neither the portal's sessions nor an application comes back (L-31)."""
    page.goto(f"{demo.addresses.url('app')}/")
    sign_in(page, demo)
    expect_greeting(page)
    page.get_by_role("link", name="Your sessions").click()
    expect(page).to_have_url(f"{demo.addresses.url('auth')}/")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")
    page.goto(f"{demo.addresses.url('auth')}/logout")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()

    page.go_back()
    expect_login_page(page, demo)
    page.go_back()
    expect(page.get_by_text(GREETING)).to_have_count(0)
    expect_login_page(page, demo)
