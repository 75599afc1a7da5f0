"""The meter below a new password: it shows what the server says, and nothing else."""

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser import Chromium, no_complaints
from tests.support.gallery import Gallery

JUDGEMENTS = {
    "short": (1, "too_short", "Too short"),
    "easypassword": (1, "too_easy", "Too easy to guess"),
    "better password": (3, None, "Good"),
    "tangerine kayak mop": (4, None, "Very good"),
}
"""What is typed, what the server says of it, and the words for that."""


def judge(route: Route) -> None:
    """Answer as the server does, for the page that has the form's token."""
    form = parse_qs(route.request.post_data or "")
    assert form["csrf_token"] == ["token"]
    score, weakness, _ = JUDGEMENTS[form["new_password"][0]]
    data = {"score": score, "weakness": weakness}
    route.fulfill(json={"status": "OK", "data": data})


@pytest.fixture(scope="module")
def window(chromium: Chromium) -> Gallery:
    """Return the pages of the portal."""
    return Gallery(chromium)


@pytest.fixture
def page(window: Gallery) -> Iterator[Page]:
    """Return the account page, whose server judges passwords."""
    address = "**/account/strength"
    with no_complaints(window.page):
        window.page.route(address, judge)
        window.show("account")
        yield window.page
        window.page.unroute(address)


@pytest.mark.parametrize("typed", JUDGEMENTS)
def test_meter_says_what_the_server_says(page: Page, typed: str) -> None:
    """Words and bar follow the judgement; what is refused never fills the bar."""
    score, weakness, words = JUDGEMENTS[typed]
    strength = page.locator("#strength")
    expect(strength).to_be_hidden()

    page.get_by_label("New password", exact=True).fill(typed)

    expect(strength.get_by_role("status")).to_have_text(words)
    shown = strength.locator("meter").evaluate("meter => meter.value")
    assert shown == (score if weakness is None else min(score, 2))


def test_meter_goes_with_what_it_is_about(page: Page) -> None:
    """An empty field has no strength."""
    field = page.get_by_label("New password", exact=True)
    field.fill("tangerine kayak mop")
    expect(page.locator("#strength")).to_be_visible()

    field.fill("")

    expect(page.locator("#strength")).to_be_hidden()


def test_answer_to_what_was_typed_before_is_not_shown(page: Page) -> None:
    """A slow judgement of an older text does not stand below a newer one."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        if waiting:
            judge(route)
        else:
            waiting.append(route)

    page.route("**/account/strength", hold)
    field = page.get_by_label("New password", exact=True)
    with page.expect_request("**/account/strength"):
        field.fill("tangerine kayak mop")

    field.fill("short")
    words = page.locator("#strength").get_by_role("status")
    expect(words).to_have_text("Too short")
    data = {"score": 4, "weakness": None}
    with page.expect_response("**/account/strength") as late:
        waiting[0].fulfill(json={"status": "OK", "data": data})
    late.value.finished()
    page.evaluate("() => new Promise((done) => setTimeout(done, 50))")

    assert words.text_content() == "Too short"
