"""A person in front of a browser window, as far as the walks need one."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal, Self

from playwright.sync_api import Page, expect

from tests.support.installation import COOKIE, Installation
from tests.support.service import PASSWORD

PAGE: Final = "/page"
"""Where a sample application shows a page for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who uses one window.

    Attributes:
        page: The window.
        site: What is visited.
        same_site: As the service is configured.
    """

    page: Page
    site: Installation
    same_site: Literal["Lax", "Strict"] = "Lax"

    def in_another_window(self) -> Self:
        """Return the same person with a second window of the same browser."""
        return replace(self, page=self.page.context.new_page())

    def open(self, name: str, path: str = PAGE, *, domain: str = "example.com") -> None:
        """Type an address of ``<name>.<domain>``."""
        self.page.goto(self.site.url(name, path, domain=domain))

    def sign_in(self, username: str = "alice", password: str = PASSWORD) -> None:
        """Fill in the portal's form, where the window is."""
        self.is_asked_to_sign_in()
        self.fill("User name", username)
        self.fill("Password", password)
        self.press("Sign in")

    def has_signed_in(self, username: str = "alice") -> None:
        """Give the browser the cookie of a login that has just been made."""
        token = self.site.signed_in(username).jar.value(COOKIE)
        self.page.context.add_cookies(
            [
                {
                    "name": COOKIE,
                    "value": token,
                    "domain": ".example.com",
                    "path": "/",
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": self.same_site,
                }
            ]
        )

    def click(self, name: str) -> None:
        """Follow the link called *name*."""
        self.page.get_by_role("link", name=name, exact=True).click()

    def press(self, name: str) -> None:
        """Press the button called *name*."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def fill(self, label: str, text: str) -> None:
        """Write *text* into the field called *label*, over what is there."""
        self.page.get_by_label(label, exact=True).fill(text)

    def go_back(self) -> None:
        """Press the browser's own button; a page that was kept is not loaded again."""
        self.page.go_back(wait_until="commit")

    def is_greeted(
        self, name: str, username: str = "alice", *, domain: str = "example.com"
    ) -> None:
        """Check that the application *name* greets the person."""
        self.sees(f"{name} greets {username}")
        address = self.site.url(name, PAGE, domain=domain)
        expect(self.page).to_have_url(re.compile(re.escape(address)))

    def is_asked_to_sign_in(self) -> None:
        """Check that the window shows the home portal's form."""
        expect(self.page.get_by_label("Password", exact=True)).to_be_visible()
        portal = self.site.url("auth", "")
        expect(self.page).to_have_url(re.compile(f"^{re.escape(portal)}/"))

    def sees(self, heading: str) -> None:
        """Check the heading of the page."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def token(self, *, domain: str = "example.com") -> str:
        """Return the session cookie that the browser holds for *domain*."""
        (value,) = (
            cookie["value"]
            for cookie in self.page.context.cookies()
            if cookie["name"] == COOKIE and cookie["domain"] == f".{domain}"
        )
        return value

    def cookie_names(self) -> set[str]:
        """Return the names of all cookies that the browser holds, for any host."""
        return {cookie["name"] for cookie in self.page.context.cookies()}
