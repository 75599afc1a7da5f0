"""Every flow of the portal by keyboard alone, with scripts and without them.

Behind Traefik, as most people have it. Nothing is pointed at: what cannot be reached
and done by keys fails here. The other walks of this folder use a mouse.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.browser import Chromium, fresh_context, no_complaints
from tests.support.foreign_site import ForeignSite
from tests.support.installation import COOKIE, Installation
from tests.support.keyboard import KeyboardVisitor
from tests.support.service import PASSWORD
from tests.support.visitor import PAGE

pytestmark = pytest.mark.parametrize("proxy", ["traefik"], indirect=True)

REFUSED: Final = (401, 403, 422, 429)
"""Answers that these walks come across on purpose."""


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def profile(
    request: pytest.FixtureRequest, chromium: Chromium
) -> Iterator[BrowserContext]:
    """Return an empty browser with and without scripts in turn."""
    with fresh_context(chromium.browser, has_scripts=request.param) as opened:
        yield opened


@pytest.fixture
def visitor(profile: BrowserContext, site: Installation) -> Iterator[KeyboardVisitor]:
    """Return somebody with an empty window and no mouse."""
    page = profile.new_page()
    with no_complaints(page, statuses=REFUSED):
        yield KeyboardVisitor(page=page, site=site)


def has_focus(visitor: KeyboardVisitor, label: str) -> None:
    """Check that the field called *label* has the focus."""
    expect(visitor.page.get_by_label(label, exact=True)).to_be_focused()


def is_told(visitor: KeyboardVisitor) -> None:
    """Check that what was done is told, and announced, on the page with the list."""
    visitor.sees("Your sessions")
    expect(visitor.page.get_by_role("status")).to_contain_text("ended")


def change_password(visitor: KeyboardVisitor, new: str) -> None:
    """Fill in the form of the account page."""
    visitor.fill("Current password", PASSWORD)
    visitor.fill("New password", new)
    visitor.fill("New password again", new)
    visitor.press("Change password")


def test_sign_in_leads_to_where_one_wanted_to_go(visitor: KeyboardVisitor) -> None:
    """The page says where that is, and who types at once types the user name."""
    visitor.open("app1", f"{PAGE}?q=1")
    expect(visitor.page.get_by_text("Continue to app1.example.com")).to_be_visible()
    has_focus(visitor, "User name")

    visitor.sign_in()

    visitor.is_greeted("app1")
    expect(visitor.page).to_have_url(visitor.site.url("app1", f"{PAGE}?q=1"))


def test_wrong_password_keeps_the_name(visitor: KeyboardVisitor) -> None:
    """The reason is announced, and the next keys go into the password."""
    visitor.open("app1")

    visitor.sign_in(password="wrong")

    alert = visitor.page.get_by_role("alert")
    expect(alert).to_have_text("The user name or the password is not correct.")
    expect(visitor.page.get_by_label("User name", exact=True)).to_have_value("alice")
    has_focus(visitor, "Password")
    visitor.fill("Password", PASSWORD)
    visitor.page.keyboard.press("Enter")
    visitor.is_greeted("app1")


def test_too_many_attempts_are_told_how_long_to_wait(
    visitor: KeyboardVisitor, request: pytest.FixtureRequest
) -> None:
    """In words, and another name is not kept waiting."""
    name = f"nobody {request.node.name}"
    url = visitor.site.url("auth", "/api/firstfactor")
    guess = {"username": name, "password": "wrong"}
    replies = [visitor.site.client().post_json(url, guess) for _ in range(6)]
    visitor.open("app1")
    alert = visitor.page.get_by_role("alert")

    # The first wait is a second, and a busy machine may take longer; each is twice as
    # long as the one before.
    for _ in range(8):
        with visitor.page.expect_navigation():
            visitor.sign_in(name, "wrong")
        if "too many attempts" in alert.inner_text():
            break

    assert [each.status for each in replies] == [401] * 6
    expect(alert).to_contain_text("There were too many attempts")
    expect(alert).to_contain_text("Please wait")
    visitor.sign_in("alice")
    visitor.is_greeted("app1")


def test_other_sessions_end_from_the_list(visitor: KeyboardVisitor) -> None:
    """One, then all others, then all: each is asked about, done and announced."""
    url = visitor.site.url("app1")
    others = [visitor.site.signed_in("alice") for _ in range(3)]
    visitor.has_signed_in("alice")
    visitor.open("auth", "/")
    visitor.sees("Your sessions")
    end = visitor.page.get_by_role("link", name=re.compile("^End .+ 127.0.0.1$"))
    before = end.count()

    visitor.go_to(end.first)
    visitor.page.keyboard.press("Enter")
    visitor.sees("End this session?")
    alive = [each.fetch(url).status for each in others]
    visitor.press("End the session")
    is_told(visitor)
    expect(end).to_have_count(before - 1)
    visitor.click("End all other sessions")
    visitor.sees("End all your other sessions?")
    visitor.press("End all other sessions")
    is_told(visitor)
    expect(end).to_have_count(0)
    ended = [each.fetch(url).status for each in others]
    visitor.click("End all sessions")
    visitor.sees("End all your sessions?")
    visitor.press("End all sessions")

    heading = visitor.page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("You are signed out everywhere")
    assert (alive, ended) == ([200] * 3, [401] * 3)
    assert COOKIE not in visitor.cookie_names()


def test_whoever_cancels_ends_nothing(visitor: KeyboardVisitor) -> None:
    """The question has a way back that is as near as the way on."""
    visitor.has_signed_in("alice")
    visitor.open("auth", "/")
    visitor.click("End all sessions")
    visitor.sees("End all your sessions?")

    visitor.click("Cancel")

    visitor.sees("Your sessions")
    visitor.open("app1")
    visitor.is_greeted("app1")


def test_password_is_changed(
    visitor: KeyboardVisitor, request: pytest.FixtureRequest
) -> None:
    """One that is too easy is refused with the reason; the new one counts at once."""
    name = "dan" if "no-scripts" in request.node.name else "carol"
    new = "umbrella quartz lantern 94 meadow"
    other = visitor.site.signed_in(name)
    visitor.has_signed_in(name)
    visitor.open("auth", "/")
    visitor.click("Your account")

    change_password(visitor, "password1234")
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_have_text("The new password is too easy to guess.")
    has_focus(visitor, "New password")
    change_password(visitor, new)

    done = visitor.page.get_by_role("status").filter(has_text="password")
    expect(done).to_be_focused()
    assert other.fetch(visitor.site.url("app1")).status == 401
    visitor.open("auth", "/")
    visitor.press("Sign out")
    visitor.sees("You are signed out")
    visitor.open("app1")
    visitor.sign_in(name, new)
    visitor.is_greeted("app1", name)


def test_sign_out_and_in_again(visitor: KeyboardVisitor) -> None:
    """The page after it is read from its heading on, and leads back in."""
    visitor.open("app1")
    visitor.sign_in()
    visitor.is_greeted("app1")
    visitor.open("auth", "/")
    visitor.sees("Your sessions")

    visitor.press("Sign out")

    visitor.sees("You are signed out")
    expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()
    visitor.click("Sign in again")
    visitor.sign_in()
    expect(visitor.page).to_have_url(visitor.site.url("www", PAGE))
    visitor.open("app1")
    visitor.is_greeted("app1")


def test_other_account_opens_the_closed_page(visitor: KeyboardVisitor) -> None:
    """Out as one and in as the other, back at the very page."""
    visitor.has_signed_in("bob")
    visitor.open("app2", f"{PAGE}?q=1")
    visitor.sees("You have no access here")

    visitor.click("Sign in with another account")
    visitor.sign_in("alice")

    visitor.is_greeted("app2")
    expect(visitor.page).to_have_url(visitor.site.url("app2", f"{PAGE}?q=1"))


def test_link_of_another_site_is_confirmed_by_one_key(
    visitor: KeyboardVisitor, foreign_site: ForeignSite
) -> None:
    """The button has the focus, and the way goes on to the checked target."""
    target = visitor.site.url("www", PAGE)
    visitor.has_signed_in()
    url = visitor.site.url("auth", f"/logout?rd={quote(target, safe='')}")
    visitor.page.goto(foreign_site.show(f'<a href="{url}">Free kittens</a>'))
    visitor.click("Free kittens")
    visitor.sees("Do you want to sign out?")
    button = visitor.page.get_by_role("button", name="Sign out", exact=True)
    expect(button).to_be_focused()

    visitor.page.keyboard.press("Enter")

    visitor.sees("www greets nobody")
    assert COOKIE not in visitor.cookie_names()


def test_language_is_switched_on_the_way(visitor: KeyboardVisitor) -> None:
    """The list opens by a key, and the way to the application stays."""
    visitor.open("app1")
    visitor.go_to(visitor.page.locator("summary"))
    visitor.page.keyboard.press("Enter")

    visitor.press("Deutsch")

    expect(visitor.page.locator("html")).to_have_attribute("lang", "de")
    visitor.fill("Benutzername", "alice")
    visitor.fill("Passwort", PASSWORD)
    visitor.press("Anmelden")
    visitor.is_greeted("app1")


def test_sign_in_in_one_tab_lets_the_other_go_on(visitor: KeyboardVisitor) -> None:
    """Both forms stay good, whichever is sent first."""
    visitor.open("app1")
    other = visitor.in_another_window()
    with no_complaints(other.page, statuses=REFUSED):
        other.open("app2")
        other.sign_in()
        other.is_greeted("app2")

    visitor.page.bring_to_front()
    visitor.sign_in()

    visitor.is_greeted("app1")
    other.open("app2")
    other.is_greeted("app2")


def test_form_whose_cookie_is_gone_just_works_again(visitor: KeyboardVisitor) -> None:
    """Renewed without an error that people have to read, and on to the same place."""
    visitor.open("app1", f"{PAGE}?q=1")
    visitor.page.context.clear_cookies()

    visitor.sign_in()

    visitor.is_greeted("app1")
    expect(visitor.page).to_have_url(visitor.site.url("app1", f"{PAGE}?q=1"))


def test_back_button_after_signing_in_shows_no_form(visitor: KeyboardVisitor) -> None:
    """Who goes back there goes on, since there is nothing to fill in any more."""
    visitor.open("app1")
    visitor.sign_in()
    visitor.is_greeted("app1")

    visitor.go_back()

    expect(visitor.page.get_by_label("Password", exact=True)).to_have_count(0)
