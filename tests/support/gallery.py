"""Every page in every state, shown by a browser without a service behind it.

Law: what is shown is what ``Pages`` renders, with the shipped static files and under
the policy that answers have.
"""

from collections.abc import Callable
from typing import Final, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from forwardauth.web.answers import content_policy
from forwardauth.web.assets import Assets
from tests.support.browser import Chromium
from tests.support.pages import STATES, create_pages

Scheme = Literal["light", "dark"]

_ORIGIN: Final = "https://auth.example.com"
_PAGES: Final = create_pages(title="Example")


class Gallery:
    """Shows the pages of ``STATES`` in one window, which stays: opening takes its time.

    Args:
        chromium: Where the window is; it is opened anew when Chromium has died.
        prepare: Called with each new window.
    """

    def __init__(
        self, chromium: Chromium, *, prepare: Callable[[Page], None] | None = None
    ) -> None:
        self._chromium = chromium
        self._prepare = prepare
        self._page: Page | None = None
        self._assets = Assets()
        self._html = ""

    @property
    def page(self) -> Page:
        """The window, which is open."""
        if self._page is None or self._page.is_closed():
            self._page = self._chromium.profile.new_page()
            self._page.route(f"{_ORIGIN}/**", self._answer)
            if self._prepare is not None:
                self._prepare(self._page)
        return self._page

    def show(self, state: str, *, language: str = "en") -> None:
        """Load the page that is called *state* in ``STATES``."""
        self._html = STATES[state](_PAGES, language)
        self.page.goto(f"{_ORIGIN}/")

    def look(self, *, scheme: Scheme, width: int, height: int = 800) -> None:
        """Have the window *width* CSS pixels wide, and colours as people set them."""
        self.page.set_viewport_size({"width": width, "height": height})
        # Without motion: what is judged on its way from one colour to the other is not
        # what people get to see.
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        asset = self._assets.lookup(path.rpartition("/")[2])
        if asset is not None:
            route.fulfill(body=asset.body, content_type=asset.content_type)
            return
        assert path == "/", f"no page of ours has a reason to ask for {path}"
        policy = content_policy(has_script="<script " in self._html)
        route.fulfill(
            body=self._html,
            content_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": policy},
        )
