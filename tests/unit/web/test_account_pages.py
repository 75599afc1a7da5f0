"""The pages of somebody who is signed in: what they show, and what they would end."""

import re

import pytest

from forwardauth.users.policy import PasswordPolicy
from forwardauth.web.account_pages import EndChoice, PasswordFailure
from forwardauth.web.assets import STATIC
from forwardauth.web.notices import Notice
from tests.support.html import Element, check_page
from tests.support.pages import (
    PAGES,
    account,
    confirm_end,
    create_pages,
    create_person,
    create_row,
    home,
)


def links_of(page: Element) -> list[str]:
    """Return where the links of the page's own part lead."""
    return [link.attributes["href"] for link in page.find("main").find_all("a")]


def test_home_marks_the_session_that_asks() -> None:
    """One line is "this browser"; the others can be ended one by one."""
    page = check_page(home())

    first, second = page.find("main").find("ul").find_all("li")
    assert "Firefox on Linux This browser" in first.text
    assert first.find_all("a") == []
    assert "This browser" not in second.text
    assert "Stay signed in yes" in second.text
    assert links_of(page)[0] == f"/sessions/end?end={'b' * 32}"


def test_times_are_relative_and_exact_without_a_mouse_too() -> None:
    """How long ago is read at once; when exactly is a title, and among the details."""
    first = check_page(home()).find("main").find("ul").find_all("li")[0]

    seen, created = first.find_all("time")
    assert (seen.text, created.text) == ("5 minutes ago", "3 hours ago")
    assert created.attributes["datetime"] == "2026-03-01T09:00:00+00:00"
    for time, exact in [(seen, "11:55"), (created, "9:00")]:
        title = time.attributes["title"]
        assert title.startswith("Mar 1, 2026, " + exact)
        assert title.endswith("UTC")
        assert title in first.find("details").raw_text


def test_linked_sessions_are_one_row_that_names_their_domains() -> None:
    """Where a login reaches is among its details."""
    first = check_page(home()).find("main").find("ul").find_all("li")[0]

    assert "example.com, example.org" in first.find("details").text


def test_home_names_what_each_button_ends() -> None:
    """A screen reader hears which session a link belongs to."""
    page = check_page(home())

    link = page.find("main").find("ul").find("a")
    ids = link.attributes["aria-labelledby"].split()
    named = [e.text for i in ids for e in page.walk() if e.attributes.get("id") == i]
    assert named == ["End", "curl", "192.0.2.1"]


def test_home_leads_on_below_the_base_path() -> None:
    """To the confirmation of each end, and to the account."""
    page = check_page(home(create_pages(base_path="/authenticate")))

    assert links_of(page) == [
        f"/authenticate/sessions/end?end={'b' * 32}",
        "/authenticate/sessions/end?end=others",
        "/authenticate/sessions/end?end=all",
        "https://auth.example.com/account",
    ]


def test_home_has_no_others_to_end() -> None:
    """With one login there are no others, on however many domains it counts."""
    page = check_page(home(sessions=[create_row(is_current=True)]))

    assert links_of(page) == [
        "/sessions/end?end=all",
        "https://auth.example.com/account",
    ]


def test_home_signs_out_by_a_form() -> None:
    """The signed-in page shows the way out, as a form that posts (L-50)."""
    form = check_page(home()).find("form", action="https://auth.example.com/logout")

    assert form.find("button").text == "Sign out"
    assert form.fields() == {"csrf_token": "token"}


@pytest.mark.parametrize(
    ("display_name", "words"),
    [
        ("Ada Lovelace", "Signed in as Ada Lovelace (ada)"),
        ("ada", "Signed in as ada"),
        ("", "Signed in as ada"),
    ],
)
def test_home_says_who_one_is(display_name: str, words: str) -> None:
    """The user name is always there, the display name where it says more."""
    page = check_page(home(person=create_person(display_name=display_name)))

    assert page.find("p", class_="lead").text == words


def test_each_notice_has_words_that_are_read_first() -> None:
    """A screen reader says what has happened: a status, which gets the focus."""
    statuses = [
        check_page(home(notice=notice)).find("p", role="status") for notice in Notice
    ]

    assert all("autofocus" in status.attributes for status in statuses)
    assert len({status.text for status in statuses} - {""}) == len(Notice)


def test_nothing_is_told_where_nothing_has_happened() -> None:
    """A plain visit has no status."""
    assert check_page(home()).find_all("p", role="status") == []


@pytest.mark.parametrize("choice", EndChoice)
def test_confirmation_says_that_nothing_has_ended(choice: EndChoice) -> None:
    """One form with one button, the way back, and no claim."""
    page = check_page(
        confirm_end(
            create_pages(base_path="/authenticate"), choice=choice, wanted="what"
        )
    )

    main = page.find("main")
    form = main.find("form", action="/authenticate/sessions")
    assert form.fields() == {"csrf_token": "token", "end": "what"}
    assert len(main.find_all("button")) == 1
    assert links_of(page) == ["/authenticate/"]
    assert "Nothing has ended yet." in main.text


def test_confirmations_differ() -> None:
    """What the heading asks and what the button says is different for each choice."""
    pages = [check_page(confirm_end(choice=choice)) for choice in EndChoice]

    assert len({page.find("h1").text for page in pages}) == len(EndChoice)
    buttons = {page.find("main").find("button").text for page in pages}
    assert len(buttons) == len(EndChoice)


def test_confirmation_names_what_would_end() -> None:
    """Device, address and time of each session stand above the button."""
    rows = [create_row(), create_row(user_agent="curl/8", address="2001:db8::1")]

    page = check_page(confirm_end(choice=EndChoice.OTHERS, sessions=rows))

    first, second = page.find("main").find("ul").find_all("li")
    assert "Firefox on Linux" in first.text
    assert "5 minutes ago" in first.text
    assert "curl" in second.text
    assert "2001:db8::1" in second.text


def test_confirmation_of_what_is_not_known_lists_nothing() -> None:
    """In an outage nobody can tell what all sessions are, and the button is there."""
    page = check_page(confirm_end(choice=EndChoice.ALL, sessions=[]))

    assert page.find("main").find_all("li") == []
    assert page.find("main").find("button").text == "End all sessions"


def test_account_names_each_failure_in_its_own_words() -> None:
    """No refusal reads like another, and each is read out."""
    alerts = {
        check_page(account(failure=failure)).find("div", role="alert").text
        for failure in PasswordFailure
    }

    assert len(alerts) == len(PasswordFailure)


@pytest.mark.parametrize(
    ("failure", "name"),
    [
        (PasswordFailure.CREDENTIALS, "current_password"),
        (PasswordFailure.TOO_EASY, "new_password"),
        (PasswordFailure.MISMATCH, "new_password"),
    ],
)
def test_focus_is_where_the_mistake_is(failure: PasswordFailure, name: str) -> None:
    """The field to mend is marked, described by the reason, and has the focus."""
    page = check_page(account(failure=failure))

    field = page.find("input", name=name)
    assert field.attributes["aria-invalid"] == "true"
    assert "failure" in field.attributes["aria-describedby"].split()
    assert "autofocus" in field.attributes


def test_account_says_what_is_asked_of_a_password() -> None:
    """The length stands beside the field, and the browser holds to it as well."""
    page = check_page(account(policy=PasswordPolicy(min_length=15)))

    field = page.find("input", name="new_password")
    rules = page.find("p", id=field.attributes["aria-describedby"])
    assert "At least 15 characters" in rules.text
    assert field.attributes["minlength"] == "15"


def test_meter_goes_where_the_server_said() -> None:
    """Its script sends what is typed to the address on the page, and leads nowhere."""
    code = (STATIC / "strength.js").read_text(encoding="utf-8")

    assert re.findall(r"fetch\(([^,]*)", code) == ["place.dataset.url"]
    assert re.findall(r"location|innerHTML|insertAdjacent|eval|window", code) == []


def test_meter_is_not_there_without_scripts() -> None:
    """Its words wait for the script, in the language of the page."""
    strength = check_page(account(language="de")).find("div", id="strength")

    assert "hidden" in strength.attributes
    assert strength.attributes["data-url"] == "/account/strength"
    assert strength.attributes["data-too_easy"] == "Zu leicht zu erraten"


@pytest.mark.parametrize("is_writable", [True, False])
def test_account_signs_out_by_a_form(*, is_writable: bool) -> None:
    """The way out is on this page as well, whatever else it offers (L-50)."""
    page = check_page(account(is_writable=is_writable))

    form = page.find("form", action="/logout")
    assert form.find("button").text == "Sign out"
    assert form.fields() == {"csrf_token": "token"}


def test_read_only_account_has_no_form() -> None:
    """Where the file cannot be written nobody is offered to try."""
    page = check_page(account(is_writable=False))

    assert page.find_all("form", action="/account/password") == []
    assert page.find("main").find_all("input", type="password") == []
    assert page.find_all("script") == []
    assert "cannot be changed here" in page.text


def test_change_without_a_session_claims_what_has_happened() -> None:
    """The password counts, nobody is signed in, and the way is there."""
    page = check_page(PAGES.password_changed(language="en"))

    status = page.find("div", role="status").text
    assert "The new password counts from now on." in status
    assert "could not be signed in" in status
    assert page.find("main").find("a", href="/login").text == "Sign in again"
