"""Pages that were open before a logout: the back button, and forms left behind."""

from typing import Final

from playwright.sync_api import expect

from tests.support.visitor import Visitor

SIGNED_OUT: Final = "You are signed out"


def test_back_button_shows_no_page_of_the_portal(visitor: Visitor) -> None:
    """Not even in a browser that keeps whole pages for it (L-31)."""
    visitor.has_signed_in()
    visitor.open("auth", "/")
    visitor.sees("Your sessions")
    visitor.open("app1")
    visitor.click("Sign out")
    visitor.sees(SIGNED_OUT)

    visitor.go_back()
    visitor.go_back()

    visitor.is_asked_to_sign_in()
    expect(visitor.page.get_by_text("alice")).to_have_count(0)


def test_forms_left_open_change_nothing_after_a_logout(visitor: Visitor) -> None:
    """The session in another browser outlives the button that was too late (L-31)."""
    elsewhere = visitor.site.signed_in("alice")
    visitor.has_signed_in()
    visitor.open("auth", "/")
    visitor.click("End all sessions")
    other = visitor.in_another_window()
    other.open("app1")
    other.click("Sign out")
    other.sees(SIGNED_OUT)

    visitor.press("End all sessions")

    visitor.is_asked_to_sign_in()
    assert elsewhere.fetch(visitor.site.url("app1")).status == 200


def test_forms_left_open_do_not_act_for_who_came_next(visitor: Visitor) -> None:
    """What alice left on the screen ends no session of bob's (L-31)."""
    visitor.has_signed_in("alice")
    alices = visitor.in_another_window()
    alices.open("auth", "/")
    alices.click("End all sessions")
    visitor.open("app1")
    visitor.click("Sign out")
    visitor.sees(SIGNED_OUT)
    visitor.has_signed_in("bob")

    alices.press("End all sessions")

    alices.sees("This page was open for too long")
    visitor.open("app1")
    visitor.is_greeted("app1", "bob")
