"""The page of a 403 for nginx: it says who one is, and opens nothing."""

import logging
import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.client import FETCH, NAVIGATION, Headers, Reply
from tests.support.html import check_page
from tests.support.portal import Portal, write_enabled_users
from tests.support.stores import DownStore

PATHS: Final = ("/verify/nginx/forbidden", "/api/authz/auth-request/forbidden")


async def ask(
    portal: Portal,
    token: str | None,
    *,
    host: str = "ops.example.com",
    path: str = PATHS[0],
    method: str = "GET",
    uri: str = "/",
    headers: Headers = NAVIGATION,
) -> Reply:
    """Ask for the page as nginx does."""
    asked = (("X-Original-URL", f"https://{host}{uri}"), ("X-Original-Method", method))
    return await portal.send(
        "GET",
        path,
        host="forwardauth.internal",
        headers=[*asked, *headers],
        cookie=token,
    )


@pytest.mark.parametrize("path", PATHS)
async def test_page_says_who_one_is(portal: Portal, path: str) -> None:
    """Name, host, and the two ways out, on the portal (V-31, V-36)."""
    token, _ = await portal.create_session("bob")

    reply = await ask(portal, token, path=path, uri="/a?b=c%20d")

    assert reply.status == 403
    page = check_page(reply.body.decode())
    assert "signed in as bob" in page.text
    assert "ops.example.com" in page.text
    way_back = "https%3A%2F%2Fops.example.com%2Fa%3Fb%3Dc%2520d"
    assert [link.attributes["href"] for link in page.find_all("a")] == [
        f"https://auth.example.com/logout?rd={way_back}",
        "https://auth.example.com/logout",
    ]
    policy = reply.header("Content-Security-Policy")
    assert "style-src https://auth.example.com;" in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.lines("Set-Cookie") == []


async def test_page_shows_the_reference_of_the_decision(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """nginx drops the denial's own page; both lines have what this one shows."""
    caplog.set_level(logging.INFO, "forwardauth.verify")
    token, _ = await portal.create_session("bob")
    await portal.verify(
        token, host="ops.example.com", adapter="nginx", headers=NAVIGATION
    )

    reply = await ask(portal, token)

    shown = check_page(reply.body.decode()).find("p", class_="hint").text
    reference = re.search("[0-9a-f]{8}", shown)
    assert reference is not None
    decision, page = caplog.messages
    assert decision.startswith("event=verify adapter=nginx outcome=forbidden reason=")
    assert page.startswith("event=forbidden_page adapter=nginx outcome=forbidden user=")
    for line in (decision, page):
        assert f"request_id={reference[0]}" in line.split()


@pytest.mark.parametrize(
    "host",
    ["app.example.com", "public.example.com", "closed.example.com", "app.example.org"],
)
@pytest.mark.parametrize("username", [None, "alice", "bob"])
async def test_nobody_passes_here(
    portal: Portal, host: str, username: str | None
) -> None:
    """403 for whom verify would let pass or send to sign in, as well (V-2, V-31)."""
    token = None
    if username is not None:
        token, _ = await portal.create_session(username)

    replies = [
        await ask(portal, token, host=host, headers=headers)
        for headers in (NAVIGATION, FETCH)
    ]

    assert [reply.status for reply in replies] == [403, 403]
    for reply in replies:
        assert reply.lines("Location") == []
        assert reply.lines("Remote-User") == []


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", FETCH), ("GET", ()), ("PUT", NAVIGATION)],
    ids=["fetch", "program", "put"],
)
async def test_program_is_told_nothing_about_the_user(
    portal: Portal, method: str, headers: Headers
) -> None:
    """JSON that is always the same (V-34, V-36)."""
    token, _ = await portal.create_session("bob")

    reply = await ask(portal, token, method=method, headers=headers)

    assert reply.status == 403
    assert reply.json() == {"status": "KO", "message": "forbidden"}


async def test_page_in_an_outage_names_nobody(tmp_path: Path) -> None:
    """Nobody can tell who asks, and nobody passes (V-2)."""
    store = DownStore()
    write_enabled_users(tmp_path)
    async with Portal(tmp_path, store=store) as portal:
        token, _ = await portal.create_session("bob")
        store.go_down()

        reply = await ask(portal, token)
        store.come_back()

    assert reply.status == 403
    page = check_page(reply.body.decode())
    assert "bob" not in page.text
    assert page.find_all("form") == []


@pytest.mark.parametrize("host", ["app.example.net", "-", "a b"])
async def test_question_that_cannot_be_read_is_forbidden(
    portal: Portal, host: str
) -> None:
    """An unknown or malformed host is 403, as nginx knows no 400."""
    reply = await ask(portal, None, host=host)

    assert reply.status == 403
    assert reply.json()["status"] == "KO"


async def test_page_is_not_shown_to_whoever_asks(portal: Portal) -> None:
    """Without nginx's own headers there is no page (V-13)."""
    token, _ = await portal.create_session("bob")

    reply = await portal.send("GET", PATHS[0], headers=NAVIGATION, cookie=token)

    assert reply.status == 403
    assert "bob" not in reply.body.decode()
