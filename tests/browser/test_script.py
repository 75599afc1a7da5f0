"""What the sign-in page gains where scripts run, and what it leaves to the server."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser import Chromium, no_complaints
from tests.support.gallery import Gallery

PRESS: Final = """\
([id, kind, isOn]) => document.getElementById(id).dispatchEvent(
  new KeyboardEvent(kind, { bubbles: true, modifierCapsLock: isOn }))"""
FILL_IN: Final = """\
() => document.getElementById("password").dispatchEvent(
  new Event("keydown", { bubbles: true }))"""
COUNT: Final = """\
() => {
  window.sent = 0;
  addEventListener("submit", (event) => {
    if (!event.defaultPrevented) window.sent += 1;
    event.preventDefault();
  });
}"""
COME_BACK: Final = 'document.dispatchEvent(new Event("visibilitychange"))'
RETURN: Final = 'dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}))'


@pytest.fixture(scope="module")
def window(chromium: Chromium) -> Gallery:
    """Return the pages of the portal."""
    return Gallery(chromium, prepare=lambda page: page.clock.install())


@pytest.fixture
def page(window: Gallery) -> Iterator[Page]:
    """Return the sign-in page in a window that may complain of nothing."""
    with no_complaints(window.page):
        window.show("login throttled")
        yield window.page


def password_type(page: Page) -> str | None:
    """Return whether the password can be read."""
    return page.locator("#password").get_attribute("type")


def test_password_is_shown_and_hidden_by_one_button(page: Page) -> None:
    """The button keeps its name, and says by its state what it has done."""
    button = page.get_by_role("button", name="Show password")
    page.locator("#password").fill("secret")

    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    shown = password_type(page)
    button.click()

    expect(button).to_have_attribute("aria-pressed", "false")
    assert (shown, password_type(page)) == ("text", "password")
    assert page.locator("#password").input_value() == "secret"


def test_password_that_was_shown_is_sent_as_one(page: Page) -> None:
    """What browsers and password managers keep of a form knows it for what it is."""
    page.evaluate(COUNT)
    page.locator("#password").fill("secret")
    page.get_by_role("button", name="Show password").click()

    page.get_by_role("button", name="Sign in").click()

    assert page.evaluate("window.sent") == 1
    assert password_type(page) == "password"


def test_caps_lock_is_hinted_at_by_the_password_alone(page: Page) -> None:
    """It comes and goes with the key, and a filled-in password is no key."""
    hint = page.get_by_text("Caps Lock is on.")
    expect(hint).to_be_hidden()

    page.evaluate(PRESS, ["username", "keydown", True])
    page.evaluate(FILL_IN)
    expect(hint).to_be_hidden()
    page.evaluate(PRESS, ["password", "keydown", True])
    expect(hint).to_be_visible()
    page.evaluate(PRESS, ["password", "keyup", False])

    expect(hint).to_be_hidden()


def test_wait_is_counted_down_and_its_end_is_said(page: Page) -> None:
    """A screen reader hears how long it is, then that it is over, and no seconds."""
    clock, over = page.locator("#countdown"), page.get_by_text("You can try again now.")
    alert = page.get_by_role("alert")
    expect(clock).to_have_text("1:40")
    expect(alert).to_contain_text("Please wait 2 minutes")

    page.clock.run_for(35_000)
    expect(clock).to_have_text("1:05")
    expect(over).to_be_hidden()
    page.clock.run_for(65_000)

    expect(over).to_be_visible()
    expect(alert).to_be_hidden()
    expect(clock).to_be_hidden()
    assert clock.get_attribute("aria-hidden") == "true"


def test_form_is_sent_once(page: Page) -> None:
    """An impatient second click waits, and counts again when nothing has come of it."""
    page.evaluate(COUNT)
    button = page.get_by_role("button", name="Sign in")
    page.locator("#password").fill("secret")

    button.click()
    button.click()
    once = page.evaluate("window.sent")
    page.clock.run_for(10_000)
    button.click()

    assert (once, page.evaluate("window.sent")) == (1, 2)


@pytest.mark.parametrize("event", [COME_BACK, RETURN], ids=["tab", "back"])
def test_window_goes_on_once_another_has_signed_in(page: Page, event: str) -> None:
    """It goes where the server has written, which looks at the target once more."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(json={"status": "OK", "data": {"authentication_level": 1}})

    page.route("**/api/state", answer)
    page.route("**/login?*", lambda route: route.fulfill(body="on the way"))

    page.evaluate(event)

    page.wait_for_url(
        "https://auth.example.com/login?rd=https%3A%2F%2Fapp.example.com%2F"
    )
    assert asked == ["https://auth.example.com/api/state"]
    page.unroute("**/api/state")
    page.unroute("**/login?*")


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, '{"status": "OK", "data": {"authentication_level": 0}}'),
        (200, "no JSON"),
        (200, '{"status": "OK"}'),
    ],
    ids=["nobody", "no-json", "no-data"],
)
def test_window_stays_while_nobody_is_signed_in(
    page: Page, status: int, content: str
) -> None:
    """Whatever else comes back, what was typed is still there."""
    page.route("**/api/state", lambda route: route.fulfill(status=status, body=content))
    page.locator("#password").fill("secret")

    with page.expect_response("**/api/state"):
        page.evaluate(COME_BACK)

    expect(page.locator("#password")).to_have_value("secret")
    expect(page).to_have_url("https://auth.example.com/")
    page.unroute("**/api/state")
