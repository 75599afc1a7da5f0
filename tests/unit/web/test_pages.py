"""The portal's pages: what all of them keep, and what those within the portal say."""

import re

import pytest

from forwardauth.language_tags import LANGUAGES
from forwardauth.web.assets import STATIC, Assets
from forwardauth.web.pages import ErrorKind, LoginFailure
from tests.support.html import check_page
from tests.support.pages import (
    PAGES,
    STATES,
    confirm,
    confirm_end,
    create_pages,
    create_person,
    create_row,
    error,
    forbidden,
    home,
    login,
)

ASSETS = Assets()


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


def scripts_of(state: str) -> list[str]:
    """Return the names of the scripts that the page in *state* loads."""
    if state.startswith("account") and state != "account read-only":
        return ["portal.js", "strength.js"]
    return ["portal.js"] * state.startswith("login")


@pytest.mark.parametrize("state", STATES)
def test_page_leads_nowhere_by_itself(state: str) -> None:
    """No refresh and no code in the page decides where to go (L-43)."""
    page = check_page(STATES[state](PAGES, "en"))

    scripts = [script.attributes["src"] for script in page.find_all("script")]
    assert scripts == [ASSETS.url(name) for name in scripts_of(state)]
    assert not [
        meta for meta in page.find_all("meta") if "http-equiv" in meta.attributes
    ]


def test_script_goes_where_the_server_said() -> None:
    """One place of the script leaves the page, to what the form was given (L-43)."""
    code = (STATIC / "portal.js").read_text(encoding="utf-8")

    assert re.findall(r"location[^;]*", code) == ["location.replace(form.dataset.next)"]
    assert (
        re.findall(r"innerHTML|insertAdjacent|document\.write|eval|window", code) == []
    )


@pytest.mark.parametrize("state", STATES)
def test_page_waits_for_the_style_sheet_alone(state: str) -> None:
    """Nothing else of a page holds its first paint up."""
    page = check_page(STATES[state](PAGES, "en"))

    sheets = [
        link.attributes["href"] for link in page.find_all("link", rel="stylesheet")
    ]
    assert sheets == [ASSETS.url("style.css")]
    assert all("defer" in script.attributes for script in page.find_all("script"))


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
        home(
            pages,
            person=create_person(username=text, display_name=f"x{text}"),
            sessions=[row],
        ),
        forbidden(pages, username=text, host=text, csrf_token=text),
        pages.error(language="en", status=400, kind=ErrorKind.INTERNAL, reference=text),
        confirm_end(pages, csrf_token=text, wanted=text, sessions=[row]),
    ]

    trees = [check_page(html.encode().decode()) for html in rendered]

    for tree in trees:
        assert len(tree.find_all("img")) == 1
        assert len(tree.find_all("main")) == 1
    sent = trees[0].find("main").find("form").fields()
    assert sent["username"] == sent["rd"] == sent["rm"] == sent["csrf_token"]
    assert sent["rd"].replace("?", "\ud800") == text
    assert shown(text) in shown(trees[3].find("main").text)


def shown(text: str) -> str:
    """Return *text* as a browser shows it: white space and what has no form aside."""
    return " ".join(re.sub(r"[\ud800\x00?\ufffd]", "", text).split())


@pytest.mark.parametrize("tag", LANGUAGES)
def test_largest_page_is_small(tag: str) -> None:
    """Page, style sheet, script and mark together stay below 30 kB, not packed."""
    static = sum(path.stat().st_size for path in STATIC.iterdir())
    largest = max(len(render(PAGES, tag).encode()) for render in STATES.values())

    assert static + largest < 30_000


@pytest.mark.parametrize("title", ["Example Inc.", "(beta) Wiki!"])
def test_name_of_the_site_keeps_its_own_direction(title: str) -> None:
    """On a page from the right its full stop stays where it belongs."""
    pages = create_pages(title=title)

    for html in (login(pages, language="ar"), home(pages, language="ar")):
        page = check_page(html)
        assert title in [each.text for each in page.find_all("bdi")]


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


def test_forbidden_names_nobody_where_nobody_is_signed_in() -> None:
    """The host is named, and no way out is offered to who is not in."""
    page = check_page(forbidden(username=""))

    assert "This page on app.example.com is closed to everybody." in page.text
    assert page.find_all("a") == []


def test_forbidden_shows_its_reference() -> None:
    """It can be told to somebody who reads the log."""
    page = check_page(forbidden(reference="7f3a"))

    assert "Reference 7f3a" in page.find("p", class_="hint").text


def test_error_page_shows_status_and_reference() -> None:
    """The page can be told to somebody who reads the log."""
    page = check_page(error(ErrorKind.NOT_FOUND))

    assert page.find("p", class_="hint").text.startswith("Error 404 · Reference 7f3a")
    assert page.find("a").attributes["href"] == "/"
