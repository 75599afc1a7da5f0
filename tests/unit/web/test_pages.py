"""The portal's pages: what all of them keep, what each says, what its forms send."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.web.assets import STATIC
from forwardauth.web.languages import LANGUAGES
from forwardauth.web.page_content import round_up
from forwardauth.web.pages import EndedScope, ErrorKind, LoginFailure
from tests.support.html import check_page
from tests.support.pages import (
    PAGES,
    PORTAL,
    STATES,
    confirm,
    create_pages,
    create_row,
    error,
    forbidden,
    home,
    login,
    signed_out,
)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "</title></bdi></main>",
    "{{ 7 * 7 }}{% raw %}",
    "%(username)s %s %%",
    "&lt;b&gt; &amp;",
    "\u202etxt.exe\u2066",
    "\ud800",
    "\x00\x1b[31m",
    "a" * 5000,
]


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_page_keeps_the_contract(state: str, tag: str) -> None:
    """Every page is whole, labelled, free of inline code, in its language (L-48)."""
    page = check_page(STATES[state](PAGES, tag))

    assert page.find("html").attributes["lang"] == tag
    assert "%(" not in page.text
    assert "http-equiv" not in str(page)


@pytest.mark.parametrize("state", STATES)
def test_page_leads_nowhere_by_itself(state: str) -> None:
    """No script or refresh decides where to go: links, forms and the server (L-43)."""
    page = check_page(STATES[state](PAGES, "en"))

    assert not page.find_all("script")
    assert not [
        meta for meta in page.find_all("meta") if "http-equiv" in meta.attributes
    ]


@pytest.mark.parametrize("state", STATES)
def test_page_is_translated(state: str) -> None:
    """No page has the English heading, or an English sentence, in another language."""
    english = check_page(STATES[state](PAGES, "en"))
    sentences = {p.text for p in english.find_all("p") if " " in p.text}

    for tag in LANGUAGES[1:]:
        other = check_page(STATES[state](PAGES, tag))
        assert other.find("h1").text != english.find("h1").text
        assert not sentences & {p.text for p in other.find_all("p")}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(text: str) -> None:
    """Names, hosts, targets and user agents are shown, and do nothing (L-47)."""
    pages = create_pages(title=text)
    row = create_row(user_agent=text, address=text)
    rendered = [
        login(
            pages,
            username=text,
            target=text,
            method=text,
            csrf_token=text,
            destination_host=text,
            failure=LoginFailure.CREDENTIALS,
        ),
        confirm(pages, username=text, target=text, csrf_token=text),
        home(pages, username=text, display_name=f"x{text}", sessions=[row]),
        forbidden(pages, username=text, host=text, csrf_token=text),
        pages.error(language="en", status=400, kind=ErrorKind.INTERNAL, reference=text),
    ]

    trees = [check_page(html.encode().decode()) for html in rendered]

    for tree in trees:
        assert len(tree.find_all("img")) == 1
        assert len(tree.find_all("main")) == 1
    sent = trees[0].find("form").fields()
    assert sent["username"] == sent["rd"] == sent["rm"] == sent["csrf_token"]
    assert sent["rd"].replace("?", "\ud800") == text
    assert shown(text) in shown(trees[3].find("main").text)


def shown(text: str) -> str:
    """Return *text* as a browser shows it: white space and what has no form aside."""
    return " ".join(re.sub(r"[\ud800\x00?\ufffd]", "", text).split())


def test_largest_page_is_small() -> None:
    """Page, style sheet and mark together stay below 30 kB."""
    static = sum(path.stat().st_size for path in STATIC.iterdir())
    largest = max(len(render(PAGES, "ja").encode()) for render in STATES.values())

    assert static + largest < 30_000


def test_unknown_language_reads_as_english() -> None:
    """A tag that is not shipped does not cost the page."""
    assert login(language="tlh") == login(language="en")


def test_login_form_is_what_password_managers_expect() -> None:
    """Fields have the names and hints that fill them in; the form goes to our path."""
    pages = create_pages(base_path="/authenticate")
    page = check_page(
        login(pages, target="https://app.example.com/?a=1&b", method="GET")
    )

    form = page.find("form")
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
    fields = check_page(login()).find("form").fields()

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
    assert page.find("form").fields()["remember_me"] == "true"
    assert "remember_me" not in check_page(login()).find("form").fields()


def test_login_without_remembering_has_no_checkbox() -> None:
    """``remember_me: null`` takes the checkbox away."""
    page = check_page(login(create_pages(remember_me=None)))

    assert page.find_all("input", type="checkbox") == []


@pytest.mark.parametrize("failure", LoginFailure)
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


@pytest.mark.parametrize("target", ["https://app.example.com/?a=1&b=2", None])
def test_confirmation_is_one_button(target: str | None) -> None:
    """The page posts token and checked target to the portal, and says why (L-17)."""
    page = check_page(confirm(target=target))

    form = page.find("form")
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


def test_home_marks_the_session_that_asks() -> None:
    """One line is "this browser"; the others can be ended one by one."""
    page = check_page(home())

    first, second = page.find("ul").find_all("li")
    assert "Firefox on Linux This browser" in first.text
    assert "5 minutes ago" in first.text
    assert "Mar 1, 2026, 9:00" in first.text
    assert first.find_all("button") == []
    assert "This browser" not in second.text
    assert "Stay signed in yes" in second.text
    end = second.find("button")
    assert (end.attributes["name"], end.attributes["value"]) == ("end", "b" * 32)


def test_home_names_what_each_button_ends() -> None:
    """A screen reader hears which session a button belongs to."""
    page = check_page(home())

    button = page.find("ul").find("button")
    ids = button.attributes["aria-labelledby"].split()
    named = [e.text for i in ids for e in page.walk() if e.attributes.get("id") == i]
    assert named == ["End", "curl", "192.0.2.1"]


def test_home_ends_others_or_all() -> None:
    """End all others and end all are one form, below the base path."""
    page = check_page(home(create_pages(base_path="/authenticate")))

    form = page.find("form", action="/authenticate/sessions")
    values = [button.attributes["value"] for button in form.find_all("button")]
    assert values == ["b" * 32, "others", "all"]


@pytest.mark.parametrize("count", [1, 2], ids=["alone", "linked"])
def test_home_has_no_others_to_end(count: int) -> None:
    """With one login there are no others, on however many domains it counts."""
    page = check_page(home(sessions=count * [create_row(is_current=True)]))

    values = [b.attributes.get("value") for b in page.find_all("button")]
    assert values == [None, "all"]


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
    page = check_page(home(display_name=display_name))

    assert page.find("p", class_="lead").text == words


def test_forbidden_says_who_one_is_and_offers_the_way_out() -> None:
    """Somebody signed in with the wrong account sees which, where, and what to do."""
    page = check_page(forbidden())

    assert "You are signed in as ada" in page.text
    assert "app.example.com" in page.text
    assert page.find("a", href="https://auth.example.com/logout").text == "Sign out"
    assert page.find_all("form") == []


@pytest.mark.parametrize(
    ("url", "links"),
    [
        pytest.param("https://auth.example.com/logout?rd=x&y", 1, id="way-back"),
        pytest.param(None, 0, id="no-way-back"),
    ],
)
def test_forbidden_offers_another_account(url: str | None, links: int) -> None:
    """Somebody with two accounts gets here by the other one (V-31)."""
    page = check_page(forbidden(switch_url=url))

    found = [
        a.attributes["href"]
        for a in page.find_all("a")
        if a.text == "Sign in with another account"
    ]
    assert found == [url] * links


def test_forbidden_with_a_token_signs_out_by_a_form() -> None:
    """On the portal itself the way out is a form (L-50)."""
    page = check_page(forbidden(csrf_token="token"))

    form = page.find("form", action="https://auth.example.com/logout")
    assert form.fields() == {"csrf_token": "token"}


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


def test_error_page_shows_status_and_reference() -> None:
    """The page can be told to somebody who reads the log."""
    page = check_page(error(ErrorKind.NOT_FOUND))

    assert page.find("p", class_="hint").text == "Error 400 · Reference 7f3a"
    assert page.find("a").attributes["href"] == "/"


def test_title_names_the_site_unless_it_is_the_default() -> None:
    """An operator's title is on the page and in its title; the default is not."""
    named = check_page(signed_out(create_pages(title="Example Lab")))
    unnamed = check_page(signed_out())

    assert named.find("title").text == "You are signed out · Example Lab"
    assert named.find("header").text == "Example Lab"
    assert unnamed.find("title").text == "You are signed out"
    assert unnamed.find("header").text == ""


def test_title_is_the_heading_of_the_login_page() -> None:
    """An operator's title stands there once; the default is translated."""
    named = check_page(login(create_pages(title="Example Lab")))
    unnamed = check_page(login(language="de"))

    assert named.find("h1").text == "Example Lab"
    assert named.find("title").text == "Sign in · Example Lab"
    assert named.find("header").text == ""
    assert unnamed.find("h1").text == unnamed.find("title").text == "Anmelden"


def test_template_that_raises_does_not_cost_the_logout_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken replacement falls back to the shipped page (L-46)."""
    (tmp_path / "logout.html").write_text("<p>\n{{ 1 / 0 }}</p>")

    html = signed_out(create_pages(templates=tmp_path))

    assert html == signed_out()
    assert f"{tmp_path / 'logout.html'}, line 2: ZeroDivisionError" in caplog.text
