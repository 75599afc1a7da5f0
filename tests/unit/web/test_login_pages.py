"""The pages on the way in: what the form sends, and what it says when it failed."""

from datetime import timedelta

import pytest

from forwardauth.web.page_content import round_up
from forwardauth.web.pages import LoginFailure
from tests.support.html import check_page
from tests.support.pages import create_pages, login


def test_login_form_is_what_password_managers_expect() -> None:
    """Fields have the names and hints that fill them in; the form goes to our path."""
    pages = create_pages(base_path="/authenticate")
    page = check_page(
        login(pages, target="https://app.example.com/?a=1&b", method="GET")
    )

    form = page.find("main").find("form")
    assert form.attributes["action"] == "/authenticate/login"
    assert form.fields() == {
        "csrf_token": "token",
        "rd": "https://app.example.com/?a=1&b",
        "rm": "GET",
        "username": "",
        "password": "",
    }
    username, password = (
        form.find("input", id="username"),
        form.find("input", id="password"),
    )
    assert username.attributes["autocomplete"] == "username"
    assert "autofocus" in username.attributes
    assert password.attributes["autocomplete"] == "current-password"
    assert password.attributes["type"] == "password"


def test_login_without_target_has_no_fields_for_it() -> None:
    """Absent is absent, not empty."""
    fields = check_page(login()).find("main").find("form").fields()

    assert fields.keys() == {"csrf_token", "username", "password"}


def test_login_names_the_host_that_one_goes_on_to() -> None:
    """A checked destination is shown; the target itself is not."""
    page = check_page(
        login(target="https://app.example.com/x", destination_host="app.example.com")
    )

    assert "Continue to app.example.com" in page.find("main").text
    assert "/x" not in page.text
    assert "Continue" not in check_page(login(target="https://a.b/")).text


def test_login_says_how_long_remembering_lasts() -> None:
    """The checkbox says its length in words, and is as it was left."""
    page = check_page(login(remembered=True))

    assert page.find("label", class_="choice").text == "Stay signed in for 30 days"
    assert page.find("main").find("form").fields()["remember_me"] == "true"
    assert "remember_me" not in check_page(login()).find("main").find("form").fields()


def test_login_without_remembering_has_no_checkbox() -> None:
    """``remember_me: null`` takes the checkbox away."""
    page = check_page(login(create_pages(remember_me=None)))

    assert page.find_all("input", type="checkbox") == []


@pytest.mark.parametrize(
    "failure", [each for each in LoginFailure if each is not LoginFailure.EXPIRED]
)
def test_login_failure_is_heard(failure: LoginFailure) -> None:
    """The error is in the title and in an alert, the name is kept, the focus set."""
    page = check_page(login(failure=failure, username="ada"))

    assert page.find("title").text == "Error: Sign in"
    assert page.find("div", role="alert").text
    assert page.find("input", id="username").attributes["value"] == "ada"
    password = page.find("input", id="password").attributes
    assert "autofocus" in password
    assert "value" not in password
    assert password["aria-describedby"] == "failure"
    assert ("aria-invalid" in password) == (failure is LoginFailure.CREDENTIALS)


def test_login_form_that_is_renewed_blames_nobody() -> None:
    """A form that was open for too long is no error of whoever sent it."""
    page = check_page(login(failure=LoginFailure.EXPIRED, username="ada"))

    assert page.find("title").text == "Sign in"
    assert page.find("div", id="failure").attributes["class"] == "notice"
    assert "Please sign in once more." in page.find("div", role="alert").text
    assert page.find("input", id="username").attributes["value"] == "ada"
    assert "autofocus" in page.find("input", id="password").attributes


def test_login_in_an_outage_says_what_it_is() -> None:
    """The store is at fault, in plain words, and the password is not."""
    page = check_page(login(failure=LoginFailure.UNAVAILABLE))

    alert = page.find("div", role="alert").text
    assert "the place where sign-ins are kept does not answer" in alert
    assert "nothing wrong with your password" in alert


def test_login_failure_does_not_say_which_half_was_wrong() -> None:
    """A wrong name and a wrong password read the same."""
    page = check_page(login(failure=LoginFailure.CREDENTIALS, username="ada"))

    alert = page.find("div", role="alert").text
    assert alert == "The user name or the password is not correct."


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(seconds=0.2), "1 second"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(seconds=90.1), "2 minutes"),
        (timedelta(minutes=5), "5 minutes"),
        (timedelta(minutes=89, seconds=1), "90 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(days=1), "1 day"),
        (None, "a moment"),
    ],
)
def test_login_says_how_long_to_wait(wait: timedelta | None, words: str) -> None:
    """The wait is in words, and never shorter than it is."""
    page = check_page(login(failure=LoginFailure.THROTTLED, retry_after=wait))

    assert f"Please wait {words}, then" in page.find("div", role="alert").text
    assert wait is None or round_up(wait) >= wait


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [(timedelta(seconds=0.2), "1"), (timedelta(seconds=100), "100")],
    ids=["less-than-one", "many"],
)
def test_login_counts_down_where_scripts_run(wait: timedelta, seconds: str) -> None:
    """The clock is hidden from screen readers, which are told when the wait is over."""
    page = check_page(login(failure=LoginFailure.THROTTLED, retry_after=wait))

    clock = page.find("p", id="countdown").attributes
    assert clock["data-seconds"] == seconds
    assert clock["aria-hidden"] == "true"
    assert "hidden" in clock
    assert not page.find("div", role="alert").find_all("p", id="countdown")
    over = page.find("p", id="wait-over")
    assert "hidden" in over.attributes
    assert over in [p for e in page.find_all("div", role="status") for p in e.walk()]


def test_login_without_a_wait_has_no_clock() -> None:
    """Nothing counts where nothing is known."""
    page = check_page(login(failure=LoginFailure.THROTTLED, retry_after=None))

    assert page.find_all("p", id="countdown") == []


def test_login_shows_the_password_on_demand() -> None:
    """The button names what it does and its state, and is there with scripts alone."""
    page = check_page(login())

    button = page.find("button", type="button")
    assert button.text == "Show password"
    assert button.attributes["aria-pressed"] == "false"
    assert button.attributes["aria-controls"] == "password"
    assert "hidden" in button.attributes


def test_login_has_a_place_for_the_caps_lock_hint() -> None:
    """A screen reader is told as well, when it turns up."""
    page = check_page(login())

    hint = page.find("p", id="caps-lock")
    assert hint.text == "Caps Lock is on."
    assert "hidden" in hint.attributes
    assert hint in [p for e in page.find_all("div", role="status") for p in e.walk()]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "/sso/login"),
        (
            {"target": "https://a.b/?c=d&e"},
            "/sso/login?rd=https%3A%2F%2Fa.b%2F%3Fc%3Dd%26e",
        ),
        ({"target": "https://a.b/", "link": "x.y&z"}, "/sso/link?state=x.y%26z"),
    ],
    ids=["plain", "target", "other-domain"],
)
def test_login_says_where_to_go_on(fields: dict[str, str], expected: str) -> None:
    """Who signs in by another tab is led on by the server, below the base path."""
    page = check_page(login(create_pages(base_path="/sso"), **fields))

    form = page.find("main").find("form").attributes
    assert form["data-next"] == expected
    assert form["data-state"] == "/sso/api/state"


def test_title_is_the_heading_of_the_login_page() -> None:
    """An operator's title stands there once; the default is translated."""
    named = check_page(login(create_pages(title="Example Lab")))
    unnamed = check_page(login(language="de"))

    assert named.find("h1").text == "Example Lab"
    assert named.find("title").text == "Sign in · Example Lab"
    assert named.find("header").text == ""
    assert unnamed.find("h1").text == unnamed.find("title").text == "Anmelden"
