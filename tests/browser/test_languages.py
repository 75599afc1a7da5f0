"""The switch of languages in a real browser, without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import fresh_context, no_complaints
from tests.support.installation import Installation
from tests.support.service import PASSWORD
from tests.support.visitor import PAGE, Visitor


@pytest.fixture
def visitor(browser: Browser, site: Installation) -> Iterator[Visitor]:
    """Return somebody whose browser runs no scripts and prefers English."""
    with fresh_context(browser, has_scripts=False) as context:
        page = context.new_page()
        with no_complaints(page):
            yield Visitor(page=page, site=site)


def choose(visitor: Visitor, name: str) -> None:
    """Open the list of languages and press *name*."""
    visitor.page.locator("summary").click()
    visitor.press(name)


def test_way_to_the_application_survives_the_switch(visitor: Visitor) -> None:
    """A choice on the way in changes the language and not where one goes (L-48)."""
    visitor.open("app2", f"{PAGE}?q=1")
    choose(visitor, "العربية")

    expect(visitor.page.locator("html")).to_have_attribute("dir", "rtl")
    visitor.sees("تسجيل الدخول")
    visitor.fill("اسم المستخدم", "alice")
    visitor.fill("كلمة المرور", PASSWORD)
    visitor.press("تسجيل الدخول")

    visitor.is_greeted("app2")
    expect(visitor.page).to_have_url(visitor.site.url("app2", f"{PAGE}?q=1"))


def test_choice_stays(visitor: Visitor) -> None:
    """What was chosen on one page holds on all of the portal, and can be undone."""
    visitor.open("auth", "/")
    choose(visitor, "Deutsch")
    visitor.fill("Benutzername", "alice")
    visitor.fill("Passwort", PASSWORD)
    visitor.press("Anmelden")

    visitor.open("auth", "/")
    visitor.sees("Ihre Sitzungen")
    visitor.press("Abmelden")
    visitor.open("auth", "/signed-out")
    visitor.sees("Sie sind abgemeldet")
    choose(visitor, "English")
    visitor.sees("You are signed out")
