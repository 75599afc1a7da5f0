"""The pictures of the portal's pages, taken from the pages themselves.

    python -m tests.support.screenshots [BEGINNING OF A NAME]

Law: a picture shows what a test of accessibility has looked at, in the same browser.
"""

import base64
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from tests.support.browser import running_chromium
from tests.support.gallery import Gallery, Scheme
from tests.support.pages import NOW

FOLDER: Final = Path(__file__).parents[2] / "docs/screenshots"

STATES: Final = {
    "login": "login on the way",
    "login-error": "login credentials",
    "login-throttled": "login throttled",
    "sessions": "home",
    "end-sessions": "end others",
    "account": "account",
    "confirm": "confirm",
    "signed-out": "logout browser",
    "pending": "pending",
    "forbidden": "forbidden",
    "not-found": "error not_found",
    "go-on": "go on",
}
"""Names of pictures, and what they show: a state of ``tests/support/pages.py``."""

LANGUAGES: Final = ("ar", "de")
"""In which some pages are shown as well: from the right, and with long words."""

_TRANSLATED: Final = ("login", "sessions")
_QUALITY: Final = 76
_SCALE: Final = 2
"""Pixels of a picture for each CSS pixel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a window is set up: colours, and its size in CSS pixels."""

    scheme: Scheme
    width: int
    height: int


LOOKS: Final = {
    "light": Look(scheme="light", width=1280, height=800),
    "dark": Look(scheme="dark", width=1280, height=800),
    "phone": Look(scheme="light", width=390, height=844),
}


def names() -> dict[str, tuple[str, str, Look]]:
    """Return state, language and look of each picture, by its file's name."""
    shown = {name: (state, "en") for name, state in STATES.items()}
    for name in _TRANSLATED:
        shown |= {f"{name}-{tag}": (STATES[name], tag) for tag in LANGUAGES}
    return {
        f"{name}-{kind}.webp": (state, language, look)
        for name, (state, language) in shown.items()
        for kind, look in LOOKS.items()
    }


def main(beginning: str = "") -> None:
    """Take the pictures whose names start with *beginning*."""
    FOLDER.mkdir(exist_ok=True)
    with running_chromium() as chromium:
        gallery = Gallery(chromium)
        for name, (state, language, look) in names().items():
            if not name.startswith(beginning):
                continue
            gallery.look(scheme=look.scheme, width=look.width, height=look.height)
            gallery.page.clock.set_fixed_time(NOW)
            gallery.show(state, language=language)
            (FOLDER / name).write_bytes(take(gallery.page))


def take(page: Page) -> bytes:
    """Return what the window shows, as WebP: a third of a PNG at the same sharpness."""
    # It blinks, and would be there in some pictures and not in others.
    page.evaluate("document.activeElement.style.caretColor = 'transparent'")
    session = page.context.new_cdp_session(page)
    size = page.viewport_size
    assert size is not None
    clip = {"x": 0, "y": 0, **size, "scale": _SCALE}
    options = {"format": "webp", "quality": _QUALITY, "clip": clip}
    picture: str = session.send("Page.captureScreenshot", options)["data"]
    session.detach()
    return base64.b64decode(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
