"""The switch of languages: what it keeps, where it leads, and what it refuses."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from forwardauth.web import keys
from forwardauth.web.language_switch import PATHS
from forwardauth.web.link_state import LinkState
from tests.support.client import Headers, Reply
from tests.support.html import Element, check_page
from tests.support.pages import PAGES, STATES
from tests.support.portal import PORTAL, Portal

COOKIE = "__Host-forwardauth_session_language"
OWN = [("Sec-Fetch-Site", "same-origin"), ("Origin", f"https://{PORTAL}")]
FOREIGN = [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")]


async def choose(
    portal: Portal,
    *fields: tuple[str, str],
    language: str = "de",
    headers: Headers = OWN,
) -> Reply:
    """Press the button of *language* on a page whose switch keeps *fields*."""
    return await portal.post_form(
        "/language", [*fields, ("language", language)], headers=headers
    )


async def test_choice_is_kept_and_leads_back(portal: Portal) -> None:
    """One cookie of this host, and a 303 to the page one comes from (L-48)."""
    reply = await choose(portal, ("page", "/signed-out"))

    assert reply.status == 303
    assert reply.header("Location") == f"https://{PORTAL}/signed-out"
    assert reply.lines("Set-Cookie") == [
        f"{COOKIE}=de; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax"
    ]
    assert reply.header("Cache-Control") == "no-store"


async def test_pages_are_in_the_language_that_was_chosen(portal: Portal) -> None:
    """The choice comes before what the browser prefers, and caches are told (L-48)."""
    headers = [("Cookie", f"{COOKIE}=de"), ("Accept-Language", "fr")]

    reply = await portal.send("GET", "/login", headers=headers)

    assert check_page(reply.body.decode()).find("html").attributes["lang"] == "de"
    assert {"Cookie", "Accept-Language"} <= set(reply.header("Vary").split(", "))


async def test_login_comes_back_with_target_and_method(portal: Portal) -> None:
    """Whoever was on the way somewhere still is, in another language."""
    target = "https://app.example.com/x?a=1&b=%2F"

    reply = await choose(portal, ("page", "/login"), ("rd", target), ("rm", "POST"))

    url = urlsplit(reply.header("Location"))
    assert (url.scheme, url.netloc, url.path) == ("https", PORTAL, "/login")
    assert parse_qs(url.query) == {"rd": [target], "rm": ["POST"]}


async def test_login_without_target_keeps_its_method(portal: Portal) -> None:
    """What there is comes back, and nothing empty beside it."""
    reply = await choose(portal, ("page", "/login"), ("rm", "PUT"))

    assert reply.header("Location") == f"https://{PORTAL}/login?rm=PUT"


async def test_request_of_another_portal_goes_on(portal: Portal) -> None:
    """A sign-in for another cookie domain is not lost by a choice."""
    state = LinkState(domain="example.org", nonce="n" * 22, target="", method="")
    text = portal.app[keys.LINK_STATES].sign(state)

    reply = await choose(portal, ("page", "/login"), ("link", text))

    url = urlsplit(reply.header("Location"))
    assert (url.netloc, url.path) == (PORTAL, "/link")
    assert parse_qs(url.query) == {"state": [text]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param([], "/", id="no page"),
        pytest.param([("page", "")], "/", id="empty page"),
        pytest.param([("page", "//evil.example/")], "/", id="another host"),
        pytest.param([("page", "https://evil.example/")], "/", id="absolute"),
        pytest.param([("page", "/\\evil.example")], "/", id="backslash"),
        pytest.param([("page", "/logout")], "/", id="logout"),
        pytest.param([("page", "/login/../logout")], "/", id="dot segments"),
        pytest.param([("page", "/login?rd=https://evil.example")], "/", id="query"),
        pytest.param([("page", "/login\r\nX: y")], "/", id="line break"),
        pytest.param([("page", "/login"), ("page", "/login")], "/", id="twice"),
        pytest.param(
            [("page", "/login"), ("rd", "https://evil.example/")], "/login", id="target"
        ),
        pytest.param(
            [
                ("page", "/login"),
                ("rd", "https://app.example.com/"),
                ("targetURL", "https://evil.example/"),
            ],
            "/login",
            id="two targets",
        ),
        pytest.param(
            [("page", "/login"), ("rm", "GET&rd=https://evil.example")],
            "/login",
            id="method",
        ),
        pytest.param(
            [("page", "/login"), ("link", "forged.0")], "/login", id="forged link"
        ),
    ],
)
async def test_choice_leads_nowhere_else(
    portal: Portal, fields: Sequence[tuple[str, str]], expected: str
) -> None:
    """The way back is a page of ours, whatever the form names."""
    reply = await choose(portal, *fields)

    assert reply.status == 303
    assert reply.header("Location") == f"https://{PORTAL}{expected}"


@pytest.mark.parametrize(
    ("language", "headers"),
    [
        pytest.param("tlh", OWN, id="not offered"),
        pytest.param("DE", OWN, id="upper case"),
        pytest.param("", OWN, id="empty"),
        pytest.param("de; Domain=example.com", OWN, id="attribute"),
        pytest.param("de\r\nSet-Cookie: a=b", OWN, id="line break"),
        pytest.param("de", FOREIGN, id="another site"),
        pytest.param("de", [("Origin", "null")], id="hidden origin"),
    ],
)
async def test_what_is_no_choice_sets_nothing(
    portal: Portal, language: str, headers: Headers
) -> None:
    """No cookie for what is not offered, nor for what another site asks for."""
    reply = await choose(portal, ("page", "/login"), language=language, headers=headers)

    assert reply.status == 303
    assert reply.lines("Set-Cookie") == []


async def test_a_link_changes_nothing(portal: Portal) -> None:
    """The switch is a form: ``GET`` is no way to choose."""
    reply = await portal.send("GET", "/language?language=de&page=/login")

    assert reply.status == 405
    assert reply.lines("Set-Cookie") == []


async def test_only_what_the_operator_offers_can_be_chosen(tmp_path: Path) -> None:
    """``portal.languages`` bounds the choice and the browser's wish alike."""
    extra = "portal:\n  languages: [fr, de]\n"
    async with Portal(tmp_path, extra=extra) as portal:
        refused = await choose(portal, ("page", "/login"), language="ja")
        shown = await portal.send("GET", "/login", headers=[("Accept-Language", "ja")])

    page = check_page(shown.body.decode())
    assert refused.lines("Set-Cookie") == []
    assert page.find("html").attributes["lang"] == "fr"
    assert offered(page) == ["fr", "de"]


async def test_one_language_needs_no_switch(tmp_path: Path) -> None:
    """Where there is nothing to choose, nothing asks for a choice."""
    extra = "portal:\n  languages: de\n"
    async with Portal(tmp_path, extra=extra) as portal:
        shown = await portal.send("GET", "/login")

    page = check_page(shown.body.decode())
    assert page.find("html").attributes["lang"] == "de"
    assert offered(page) == []


@pytest.mark.parametrize("path", ["/", "/login", "/signed-out"])
async def test_switch_leads_back_to_the_page_it_is_on(
    portal: Portal, path: str
) -> None:
    """Sending the form as it is shows the same page, in the other language (L-48)."""
    shown = await portal.send("GET", path, headers=OWN)
    form = switch(check_page(shown.body.decode()))

    reply = await choose(portal, *form.fields().items())
    line = reply.lines("Set-Cookie")[0].partition(";")[0]
    again = await portal.send(
        "GET",
        urlsplit(reply.header("Location")).path,
        headers=[*OWN, ("Cookie", line)],
    )

    page = check_page(again.body.decode())
    assert page.find("html").attributes["lang"] == "de"
    assert form.attributes["action"] == "/language"
    assert page.find("h1").text != check_page(shown.body.decode()).find("h1").text


async def test_each_portal_keeps_its_own_choice(portal: Portal) -> None:
    """On the portal of another cookie domain one stays there."""
    host = "login.example.org"
    own = [("Sec-Fetch-Site", "same-origin"), ("Origin", f"https://{host}")]

    reply = await portal.post_form(
        "/language",
        [("page", "/signed-out"), ("language", "de")],
        host=host,
        headers=own,
    )

    assert reply.header("Location") == f"https://{host}/signed-out"
    assert len(reply.lines("Set-Cookie")) == 1


async def test_switch_lives_below_the_base_path(tmp_path: Path) -> None:
    """Form and way back are the portal's, where an application has the host's top."""
    extra = "server:\n  base_path: /sso\n"
    async with Portal(tmp_path, extra=extra) as portal:
        shown = await portal.send("GET", "/sso/login")
        form = switch(check_page(shown.body.decode()))
        reply = await portal.post_form(
            form.attributes["action"],
            [*form.fields().items(), ("language", "de")],
            headers=OWN,
        )

    assert form.attributes["action"] == "/sso/language"
    assert reply.header("Location") == f"https://{PORTAL}/sso/login"


async def test_switch_on_my_sessions_leads_back_there(portal: Portal) -> None:
    """Who is signed in stays where they are."""
    token, _ = await portal.create_session()

    shown = await portal.send("GET", "/", cookie=token)

    assert switch(check_page(shown.body.decode())).fields() == {"page": "/"}


async def test_switch_of_the_login_page_keeps_where_one_goes(portal: Portal) -> None:
    """Target and method of the login stand in the form of the switch, too."""
    path = "/login?rd=https%3A%2F%2Fapp.example.com%2F&rm=POST"

    shown = await portal.send("GET", path)

    assert switch(check_page(shown.body.decode())).fields() == {
        "page": "/login",
        "rd": "https://app.example.com/",
        "rm": "POST",
    }


def switch(page: Element) -> Element:
    """Return the form of the switch."""
    return page.find("footer").find("form")


def offered(page: Element) -> list[str]:
    """Return the tags of the buttons of the switch."""
    return [b.attributes["value"] for b in page.find_all("button", name="language")]


@pytest.mark.parametrize("state", STATES)
def test_switch_names_a_page_that_is_known(state: str) -> None:
    """No page has a switch that leads to the front page for want of its own."""
    page = check_page(STATES[state](PAGES, "en"))

    named = {e.attributes["value"] for e in page.find_all("input", name="page")}
    assert named <= PATHS


def test_no_page_that_is_come_back_to_ends_anything() -> None:
    """No path of a logout is among them: a visit to one of those ends the session."""
    assert {path for path in PATHS if "logout" in path} == set()
