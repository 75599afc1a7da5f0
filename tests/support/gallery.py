"""Every page in every state, shown by a browser without a service behind it.

Law: what is shown is what ``Pages`` renders, with the shipped static files and under
the policy that answers have.
"""

from typing import Final, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from forwardauth.web.answers import content_policy
from forwardauth.web.assets import Assets
from tests.support.pages import STATES, create_pages

Scheme = Literal["light", "dark"]

_ORIGIN: Final = "https://auth.example.com"
_PAGES: Final = create_pages(title="Example")


class Gallery:
    """Shows the pages of ``STATES`` in one window."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._assets = Assets()
        self._html = ""
        page.route(f"{_ORIGIN}/**", self._answer)

    def show(self, state: str, *, language: str = "en") -> None:
        """Load the page that is called *state* in ``STATES``."""
        self._html = STATES[state](_PAGES, language)
        self.page.goto(f"{_ORIGIN}/")

    def look(self, *, scheme: Scheme, width: int) -> None:
        """Have the window *width* CSS pixels wide, and colours as people set them."""
        self.page.set_viewport_size({"width": width, "height": 800})
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
        policy = {"Content-Security-Policy": content_policy()}
        route.fulfill(
            body=self._html, content_type="text/html; charset=utf-8", headers=policy
        )
