"""Every page fits small windows and large letters, and obeys the keyboard."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Page

from tests.support.browser import Chromium, no_complaints
from tests.support.gallery import Gallery, Scheme
from tests.support.layout import (
    control_count,
    enlarge_text,
    small_targets,
    space_text,
    tab_through,
    too_wide,
)
from tests.support.pages import OTHER_WORDS, STATES

LANGUAGES: Final = ("de", "ar")
"""The one with the longest words, and the one that reads from the right."""

CONTROLLED: Final = sorted(STATES.keys() - OTHER_WORDS)
"""The states that differ in what can be done there."""


def leave_text(_: Page) -> None:
    """Change nothing."""


TEXTS: Final[dict[str, tuple[int, Callable[[Page], None]]]] = {
    "as it is": (320, leave_text),
    "twice as large": (640, enlarge_text),
    "far apart": (320, space_text),
}
"""Widths of a window, and what readers have set for their letters."""


@pytest.fixture(scope="module")
def window(chromium: Chromium) -> Gallery:
    """Return every page of ours."""
    return Gallery(chromium)


@pytest.fixture
def gallery(window: Gallery) -> Iterator[Gallery]:
    """Return them in a window that may complain of nothing."""
    with no_complaints(window.page):
        yield window


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_page_fits_its_window(gallery: Gallery, state: str, language: str) -> None:
    """Nothing has to be scrolled sideways, nothing is cut, all can be hit."""
    gallery.show(state, language=language)
    found: list[str] = []

    for name, (width, change) in TEXTS.items():
        gallery.look(scheme="light", width=width)
        change(gallery.page)
        found += [f"{name}: {each}" for each in too_wide(gallery.page)]
        found += [f"{name}: {each}" for each in small_targets(gallery.page)]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("state", CONTROLLED)
def test_keyboard_reaches_everything(gallery: Gallery, state: str) -> None:
    """Each control in the order of reading, in sight, with a ring around it."""
    gallery.show(state)
    gallery.look(scheme="light", width=320)

    stops = tab_through(gallery.page)

    order = [stop.index for stop in stops]
    first = order.index(0) if order else 0
    in_order = stops[first:] + stops[:first]
    assert [stop.index for stop in in_order] == list(range(control_count(gallery.page)))
    assert [stop.top for stop in in_order] == sorted(stop.top for stop in in_order)
    assert not [stop.name for stop in stops if stop.ring < 2]
    assert not [stop.name for stop in stops if not stop.visible]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ring_stands_out(gallery: Gallery, scheme: Scheme) -> None:
    """By day and by night, at three to one: WCAG 1.4.11."""
    gallery.show("home")
    gallery.look(scheme=scheme, width=320)

    stops = tab_through(gallery.page)

    assert stops
    assert not [stop.name for stop in stops if stop.ring_contrast < 3]
