"""The frame of every page: the site's name, links and files, in place on any host."""

from pathlib import Path

import pytest

from forwardauth.web.assets import Assets
from forwardauth.web.frame import FooterLink
from forwardauth.web.pages import ErrorKind
from tests.support.html import check_page
from tests.support.pages import (
    PAGES,
    PORTAL,
    STATES,
    create_pages,
    forbidden,
    login,
    signed_out,
)


def test_title_names_the_site_unless_it_is_the_default() -> None:
    """An operator's title is on the page and in its title; the default is not."""
    named = check_page(signed_out(create_pages(title="Example Lab")))
    unnamed = check_page(signed_out())

    assert named.find("title").text == "You are signed out · Example Lab"
    assert named.find("header").text == "Example Lab"
    assert unnamed.find("title").text == "You are signed out"
    assert unnamed.find("header").text == ""


@pytest.mark.parametrize(
    "html",
    [
        pytest.param(forbidden(portal=PORTAL), id="forbidden"),
        pytest.param(PAGES.logout_pending(language="en", portal=PORTAL), id="pending"),
        pytest.param(
            PAGES.error(
                language="en",
                status=503,
                kind=ErrorKind.UNAVAILABLE,
                reference=None,
                portal=PORTAL,
            ),
            id="error",
        ),
    ],
)
def test_page_on_a_protected_host_uses_the_portals_files(html: str) -> None:
    """Nothing on such a page refers to the application's own host."""
    urls = [
        value
        for element in check_page(html).walk()
        for name, value in element.attributes.items()
        if name in {"href", "src", "action"}
    ]

    assert urls
    assert all(url.startswith("https://auth.example.com/") for url in urls)


def test_unknown_language_reads_as_english() -> None:
    """A tag that is not shipped does not cost the page."""
    assert login(language="tlh") == login(language="en")


def test_footer_has_the_operators_links() -> None:
    """They stand at the foot of every page, in order, and label and URL are text."""
    links = [
        FooterLink(label="Help & <b>", url="https://help.example.com/?a=1&b"),
        FooterLink(label="Imprint", url="https://example.com/imprint"),
    ]
    pages = create_pages(footer=links)

    for render in STATES.values():
        found = check_page(render(pages, "en")).find("footer").find_all("a")
        assert [(a.text, a.attributes["href"]) for a in found] == [
            ("Help & <b>", "https://help.example.com/?a=1&b"),
            ("Imprint", "https://example.com/imprint"),
        ]


def test_logo_stands_for_the_mark(tmp_path: Path) -> None:
    """An operator's image is at the top of the page and the icon of its tab."""
    image = tmp_path / "company.svg"
    image.write_text("<svg/>")
    assets = Assets(logo=image)
    page = check_page(login(create_pages(assets=assets)))

    url = assets.url("logo.svg")
    assert page.find("header").find("img").attributes["src"] == url
    assert page.find("link", rel="icon").attributes["href"] == url
