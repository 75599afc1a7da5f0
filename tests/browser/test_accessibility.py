"""No page of the portal keeps anybody out: WCAG 2.2 AA, as far as programs can tell."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Page

from tests.support.barriers import bring_axe, find_barriers
from tests.support.browser import Chromium, no_complaints
from tests.support.gallery import Gallery, Scheme
from tests.support.layout import small_targets, too_wide
from tests.support.pages import OTHER_WORDS, STATES

LOOKS: Final[tuple[tuple[Scheme, int], ...]] = (
    *(("light", 320), ("dark", 320)),
    *(("light", 1280), ("dark", 1280)),
)
"""By day and by night, on the smallest phone and on a desk."""

_APPEND: Final = """\
(html) => document.body.append(document.createRange().createContextualFragment(html))"""


@pytest.fixture(scope="module")
def window(chromium: Chromium) -> Gallery:
    """Return every page of ours, with axe-core at hand."""
    return Gallery(chromium, prepare=bring_axe)


@pytest.fixture
def gallery(window: Gallery) -> Iterator[Gallery]:
    """Return them in a window that may complain of nothing."""
    with no_complaints(window.page):
        yield window


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(gallery: Gallery, state: str, language: str) -> None:
    """In each state of each page, in both directions of reading."""
    gallery.show(state, language=language)
    found: list[str] = []

    for scheme, width in LOOKS[1:2] if state in OTHER_WORDS else LOOKS:
        gallery.look(scheme=scheme, width=width)
        found += [
            f"{scheme}, {width} px: {each}" for each in find_barriers(gallery.page)
        ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("state", ["login credentials", "home", "account"])
def test_all_that_opens_is_as_good(gallery: Gallery, state: str) -> None:
    """The list of languages, the details of a session, a password that is shown."""
    gallery.show(state, language="ar")
    gallery.page.evaluate(
        "for (const each of document.querySelectorAll('details')) each.open = true"
    )
    for button in gallery.page.locator(".reveal").all():
        button.click()
    found: list[str] = []

    for scheme, width in LOOKS:
        gallery.look(scheme=scheme, width=width)
        found += find_barriers(gallery.page)
        found += small_targets(gallery.page)
        found += too_wide(gallery.page)

    assert not found, "\n".join(found)


def test_axe_finds_what_is_wrong(gallery: Gallery) -> None:
    """Colours, names, languages, sizes: it would tell."""
    gallery.page.goto("about:blank")
    gallery.page.set_content(
        """\
        <!doctype html>
        <html><title>Bad</title>
        <body style="background: #fff">
        <p style="color: #aaa">pale</p>
        <input type="text">
        <button style="width: 9px; height: 9px; padding: 0">x</button><button
          style="width: 9px; height: 9px; padding: 0">y</button>
        </body></html>
        """
    )

    found = find_barriers(gallery.page)

    rules = {each.partition(" ")[0] for each in found}
    assert rules >= {"color-contrast", "html-has-lang", "label", "target-size"}
    assert rules >= {"landmark-one-main", "page-has-heading-one", "region"}


def listen_to(page: Page, html: str) -> None:
    """Add *html* to the page, and fail if it complains of that."""
    with no_complaints(page):
        page.evaluate(_APPEND, html)
        # An answer from the window comes after what it had to say before.
        page.evaluate("new Promise(requestAnimationFrame)")


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<p style='color: red'>pale</p>", id="style"),
        pytest.param("<script>document.title = 'x'</script>", id="script"),
        pytest.param("<img src='https://www.example.net/x.png' alt=''>", id="image"),
    ],
)
def test_violation_of_the_policy_is_heard(window: Gallery, html: str) -> None:
    """Whoever listens for complaints hears what the policy has kept out."""
    window.show("login")

    with pytest.raises(AssertionError, match="Content Security Policy"):
        listen_to(window.page, html)
