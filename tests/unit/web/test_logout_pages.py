"""The pages of a logout: none says more than what has happened."""

from pathlib import Path

import pytest

from forwardauth.web.pages import EndedScope
from tests.support.html import check_page
from tests.support.pages import PAGES, confirm, create_pages, signed_out


@pytest.mark.parametrize(
    ("ended", "heading", "claims"),
    [
        ("browser", "You are signed out", "Your session in this browser has ended"),
        ("user", "You are signed out everywhere", "All your sessions have ended"),
        ("nothing", "You are not signed in", "There is no session in this browser"),
    ],
)
def test_logout_page_says_what_was_ended(ended: str, heading: str, claims: str) -> None:
    """The status names what has ended and claims nothing beyond (L-49)."""
    page = check_page(signed_out(ended=ended))

    status = page.find("div", role="status")
    assert status.find("h1").text == page.find("title").text == heading
    assert "autofocus" in status.find("h1").attributes
    assert claims in status.text


@pytest.mark.parametrize("ended", EndedScope)
def test_logout_page_says_what_was_not_ended(ended: EndedScope) -> None:
    """What signing out leaves alone is listed (L-49, L-55, L-59)."""
    page = check_page(signed_out(ended=ended))

    remains = page.find("section").text
    assert "Applications with a sign-in of their own" in remains
    assert "send a password or a token with every request" in remains
    assert "live connections" in remains
    assert ("in other browsers" in remains) == (ended is not EndedScope.USER)
    assert page.find("a", href="/login").text.startswith("Sign in")


@pytest.mark.parametrize("ended", EndedScope)
def test_logout_page_leads_to_the_other_sessions(ended: EndedScope) -> None:
    """Where others may be left, a sign-in leads to where they can be ended (L-49)."""
    page = check_page(signed_out(ended=ended, everywhere_url="/login?rd=x"))

    found = [a.text for a in page.find_all("a", href="/login?rd=x")]
    assert found == ["Sign in to end your other sessions"] * (ended == "browser")


@pytest.mark.parametrize("target", ["https://app.example.com/?a=1&b=2", None])
def test_confirmation_is_one_button(target: str | None) -> None:
    """The page posts token and checked target to the portal, and says why (L-17)."""
    page = check_page(confirm(target=target))

    form = page.find("main").find("form")
    assert form.attributes["action"] == "https://auth.example.com/logout"
    expected = {"csrf_token": "token"} | ({"rd": target} if target else {})
    assert form.fields() == expected
    assert page.find("button").text == "Sign out"
    assert page.find_all("a") == []
    assert "You are signed in as ada." in page.text
    assert "Nothing has ended yet." in page.text


def test_confirmation_without_a_name_claims_no_session() -> None:
    """When the request shows nobody, the page names nobody."""
    assert "signed in as" not in check_page(confirm(username=None)).text


def test_pending_page_claims_no_success() -> None:
    """An outage reads as what it is: cookie gone, session still there (L-9)."""
    page = check_page(PAGES.logout_pending(language="en"))

    assert page.find("title").text == "Signing out is not finished yet"
    assert "still exists on the server" in page.find("div", role="status").text
    assert "The cookie was removed from this browser." in page.text
    assert "signed out" not in page.text


def test_template_that_raises_does_not_cost_the_logout_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken replacement falls back to the shipped page (L-46)."""
    (tmp_path / "logout.html").write_text("<p>\n{{ 1 / 0 }}</p>")

    html = signed_out(create_pages(templates=tmp_path))

    assert html == signed_out()
    assert f"{tmp_path / 'logout.html'}, line 2: ZeroDivisionError" in caplog.text
