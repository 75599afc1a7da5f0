"""What a page of the portal asks for: little, once, and from nowhere else."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Request

from tests.support.browser import fresh_context, no_complaints
from tests.support.installation import Installation
from tests.support.visitor import Visitor

pytestmark = pytest.mark.parametrize("proxy", ["traefik"], indirect=True)

MAX_BYTES: Final = 30_000
"""Of a page with all that belongs to it, as it lies on the disk."""

PARTS: Final = {
    "/login": {"style.css", "mark.svg", "portal.js"},
    "/": {"style.css", "mark.svg"},
    "/signed-out": {"style.css", "mark.svg"},
}
"""Each page's files beside itself, without the hashes in their names."""


@pytest.fixture
def visitor(browser: Browser, site: Installation) -> Iterator[Visitor]:
    """Return somebody who has never been here: nothing is in the cache."""
    with fresh_context(browser) as context:
        page = context.new_page()
        with no_complaints(page):
            yield Visitor(page=page, site=site)


def load(visitor: Visitor, path: str) -> list[Request]:
    """Open a page, and return what went over the wire for it."""
    asked: list[Request] = []

    def note(request: Request) -> None:
        asked.append(request)

    visitor.page.on("requestfinished", note)
    visitor.open("auth", path)
    visitor.page.wait_for_load_state("networkidle")
    visitor.page.remove_listener("requestfinished", note)
    return [
        request
        for request in asked
        if request.sizes()["responseHeadersSize"] + request.sizes()["responseBodySize"]
    ]


def file_name(request: Request) -> str:
    """Return the name of a static file without its hash."""
    name = request.url.rpartition("/")[2]
    stem, _, suffix = name.split(".")
    return f"{stem}.{suffix}"


@pytest.mark.parametrize("path", PARTS)
def test_page_asks_for_few_and_small_files(visitor: Visitor, path: str) -> None:
    """Its style sheet, its mark, its script if it has one: the first time alone."""
    if path == "/":
        visitor.has_signed_in()

    first = load(visitor, path)
    again = load(visitor, path)

    files = [each for each in first if each.resource_type != "document"]
    assert len(first) == len(files) + 1
    assert {file_name(each) for each in files} == PARTS[path]
    assert len(files) == len(PARTS[path])
    bodies = [each.sizes()["responseBodySize"] for each in first]
    assert sum(bodies) < MAX_BYTES
    assert [each.resource_type for each in again] == ["document"]


def test_style_sheet_alone_holds_up_the_first_paint(visitor: Visitor) -> None:
    """The script waits until the page has been parsed."""
    visitor.open("auth", "/login")

    blocking = visitor.page.evaluate(
        """\
        performance.getEntriesByType("resource")
          .filter((each) => each.renderBlockingStatus === "blocking")
          .map((each) => each.initiatorType + " " + each.name.split("/").pop())
        """
    )

    assert [each.partition(".")[0] for each in blocking] == ["link style"]
