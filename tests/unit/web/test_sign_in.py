"""The way to the portal, and the closed door."""

import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from forwardauth.request import OriginalRequest
from forwardauth.web.sign_in import login_url
from tests.support.client import NAVIGATION
from tests.support.html import Element, check_page
from tests.support.pages import forbidden
from tests.support.portal import Portal
from tests.support.targets import DOMAINS, POLICY

DOMAIN = DOMAINS.entries[0]
BELOW_A_PATH = DOMAINS.entries[1]


def original(
    host: str = "app.example.com",
    *,
    path: str = "/",
    query: str | None = None,
    method: str = "GET",
    port: int | None = None,
) -> OriginalRequest:
    """Return the original request for an address."""
    return OriginalRequest(
        scheme="https", host=host, port=port, path=path, query=query, method=method
    )


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/", None),
        ("/", ""),
        ("/a/b", "c=d&e=f"),
        ("/a%20b", "c=%26&d=%25"),
        ("/", "rd=https://evil.test/&rm=DELETE"),
        ("/a+b", "q=a+b"),
        ("/~user/;v=1", "x=1;y=2"),
    ],
)
def test_way_back_survives_byte_for_byte(path: str, query: str | None) -> None:
    """What the portal decodes once is the very URL that was asked for (V-30)."""
    asked = original(path=path, query=query)

    url = login_url(DOMAIN, asked, POLICY)

    assert url.startswith("https://auth.example.com/login?rd=")
    fields = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert fields == {"rd": [asked.url], "rm": ["GET"]}


def test_portal_below_a_path_is_asked_there() -> None:
    """Port and base path of the portal belong to its address."""
    url = login_url(BELOW_A_PATH, original("app.example.org", port=8443), POLICY)

    assert url.startswith("https://login.example.org:8443/authenticate/login?")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PROPFIND"])
def test_method_goes_along(method: str) -> None:
    """The portal knows whether the request can be repeated by a redirect."""
    url = login_url(DOMAIN, original(method=method), POLICY)

    assert parse_qs(urlsplit(url).query)["rm"] == [method]


@pytest.mark.parametrize(
    "asked",
    [
        original("app.example.com", port=8443),
        original("app.example.net"),
        original(path="/logout"),
        original("auth.example.com", path="/login"),
        original(path="/" + "x" * 3000),
    ],
    ids=["odd port", "foreign host", "logout", "login", "long"],
)
def test_no_way_back_where_none_is_allowed(asked: OriginalRequest) -> None:
    """They sign in all the same, and land on the default (L-38)."""
    url = login_url(DOMAIN, asked, POLICY)

    assert url == "https://auth.example.com/login?rm=GET"


async def test_closed_door_for_nobody_does_not_ask_to_sign_out(portal: Portal) -> None:
    """Who is not signed in gets a page that names nobody."""
    reply = await portal.verify(None, host="closed.example.com", headers=NAVIGATION)

    assert reply.status == 403
    page = check_page(reply.body.decode())
    assert page.find_all("form") == page.find_all("a") == []
    assert "closed.example.com" in page.find("main").text
    assert "https://auth.example.com/static/" in reply.body.decode()


async def test_closed_door_speaks_the_browsers_language(portal: Portal) -> None:
    """The page on a protected host is translated like all others."""
    token, _ = await portal.create_session("bob")

    reply = await portal.verify(
        token,
        host="ops.example.com",
        headers=[*NAVIGATION, ("Accept-Language", "de")],
    )

    page = check_page(reply.body.decode())
    assert page.find("html").attributes["lang"] == "de"
    assert "bob" in page.text


@pytest.mark.parametrize("username", ["bob", None])
async def test_closed_door_shows_the_reference_of_its_decision(
    portal: Portal, username: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The line of the log with rule and reason is found by what the page shows."""
    caplog.set_level(logging.INFO, "forwardauth.verify")
    token = None
    if username is not None:
        token, _ = await portal.create_session(username)

    reply = await portal.verify(token, host="closed.example.com", headers=NAVIGATION)

    shown = check_page(reply.body.decode()).find("p", class_="hint").text
    reference = re.search("[0-9a-f]{8}", shown)
    assert reference is not None
    (line,) = caplog.messages
    assert line.startswith("event=verify adapter=traefik outcome=forbidden reason=")
    assert f"request_id={reference[0]}" in line.split()


HOSTILE = [
    "/<script>alert(1)</script>",
    "/?q=<img src=x onerror=alert(1)>".replace(" ", "%20"),
    '/"onmouseover="alert(1)',
    "/?a='};alert(1);//",
    "/{{7*7}}?{%25debug%25}",
    "/%3Cscript%3E%0d%0aSet-Cookie:%20a=b",
    "/?rd=javascript:alert(1)",
    "/" + "a" * 1500,
]


def without_reference(page: Element) -> str:
    """Return the text of *page* but for the digits, which differ by path."""
    text, count = re.subn(r"Reference [0-9a-f]{8}\b", "Reference", page.text)
    assert count == 1
    return text


@pytest.mark.parametrize("uri", HOSTILE, ids=lambda uri: uri[:24])
@pytest.mark.parametrize("host", ["closed.example.com", "ops.example.com"])
async def test_hostile_address_changes_no_page(
    portal: Portal, host: str, uri: str
) -> None:
    """Nothing of a path is on the page but the one link back, encoded (V-36)."""
    token, _ = await portal.create_session("bob")
    plain = await portal.verify(token, host=host, headers=NAVIGATION)

    reply = await portal.verify(token, host=host, uri=uri, headers=NAVIGATION)

    assert reply.status == 403
    assert len(reply.body) < 4096
    page, expected = (check_page(each.body.decode()) for each in (reply, plain))
    assert without_reference(page) == without_reference(expected)
    assert [element.tag for element in page.walk() if element.tag != "a"] == [
        element.tag for element in expected.walk() if element.tag != "a"
    ]
    assert reply.lines("Content-Security-Policy") == plain.lines(
        "Content-Security-Policy"
    )
    assert reply.lines("Set-Cookie") == []


@pytest.mark.parametrize("uri", HOSTILE, ids=lambda uri: uri[:24])
async def test_hostile_address_changes_no_json(portal: Portal, uri: str) -> None:
    """A program is told the same words, whatever it asked for (V-36)."""
    token, _ = await portal.create_session("bob")

    reply = await portal.verify(token, host="ops.example.com", uri=uri)

    assert reply.status == 403
    assert reply.json() == {"status": "KO", "message": "forbidden"}


@pytest.mark.parametrize(
    "username", ["<script>alert(1)</script>", '"><img src=x>', "{{7*7}}", "a&lt;b"]
)
def test_hostile_name_is_text(username: str) -> None:
    """A name of the users file is shown as it is written, and is no markup (V-36)."""
    page = check_page(forbidden(username=username))

    assert f"You are signed in as {username}" in page.text
    assert page.find_all("script") == []
