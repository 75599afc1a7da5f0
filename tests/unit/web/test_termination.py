"""What every logout does: end first, clear, then look where to go."""

from pathlib import Path

import pytest

from forwardauth.sessions.ids import create_session_id
from tests.support.client import NAVIGATION, Headers, Reply
from tests.support.portal import COOKIE, Portal
from tests.support.stores import DownStore

TYPED = [*NAVIGATION, ("Sec-Fetch-Site", "none")]
ROOM = "logout: {{{}}}\n"

WAYS = ["page", "json", "takeover"]


async def sign_out(
    portal: Portal, way: str, query: str = "", *, cookies: Headers = ()
) -> Reply:
    """Ask for a logout on the portal, by JSON, or on a protected host."""
    if way == "json":
        return await portal.send("POST", f"/api/logout{query}", headers=[*cookies])
    if way == "page":
        return await portal.send("GET", f"/logout{query}", headers=[*TYPED, *cookies])
    return await portal.verify(None, uri=f"/logout{query}", headers=[*TYPED, *cookies])


def cookie(*tokens: str) -> Headers:
    """Return the header with a session cookie for each of *tokens*."""
    return [("Cookie", "; ".join(f"{COOKIE}={token}" for token in tokens))]


@pytest.mark.parametrize("way", WAYS)
async def test_every_session_presented_ends(portal: Portal, way: str) -> None:
    """A planted cookie beside one's own keeps neither alive (L-1, V-5)."""
    mine, _ = await portal.create_session("alice")
    planted, _ = await portal.create_session("bob")

    await sign_out(portal, way, cookies=cookie(planted, create_session_id(), mine))

    assert (await portal.verify(mine)).status == 401
    assert (await portal.verify(planted)).status == 401
    assert await portal.store.count() == 0


@pytest.mark.parametrize("way", WAYS)
async def test_refused_target_keeps_nothing_alive(portal: Portal, way: str) -> None:
    """The session is gone whatever the target, which is neither used nor shown."""
    token, _ = await portal.create_session()

    reply = await sign_out(
        portal, way, "?rd=https%3A%2F%2Fevil.test%2F", cookies=cookie(token)
    )

    assert (await portal.verify(token)).status == 401
    assert "evil" not in reply.body.decode()
    assert all("evil" not in value for _, value in reply.headers)


@pytest.mark.parametrize(
    ("settings", "query", "location"),
    [
        ("", "", "https://auth.example.com/signed-out"),
        ("", "?rd=https://app.example.com/x", "https://app.example.com/x"),
        ("default_target: login", "", "https://auth.example.com/login"),
        (
            'default_target: "https://www.example.com/bye"',
            "",
            "https://www.example.com/bye",
        ),
        (
            'default_target: "https://www.example.com/bye"',
            "?rd=https://evil.test/",
            "https://www.example.com/bye",
        ),
        (
            'default_target: "https://www.example.com/bye"',
            "?rd=https://app.example.com/x",
            "https://app.example.com/x",
        ),
        (
            "",
            "?rd=https://app.example.com/x&rd=https://app.example.com/x",
            "https://auth.example.com/signed-out",
        ),
        ("", "?rd=", "https://auth.example.com/signed-out"),
    ],
    ids=[
        "page",
        "target",
        "login",
        "default",
        "default for a refused one",
        "target before default",
        "twice is none",
        "empty is none",
    ],
)
@pytest.mark.parametrize("way", ["page", "takeover"])
async def test_first_destination_that_counts(
    tmp_path: Path, way: str, settings: str, query: str, location: str
) -> None:
    """A valid target, then the default, then our page, wherever it was asked."""
    async with Portal(tmp_path, extra=ROOM.format(settings)) as portal:
        reply = await sign_out(portal, way, query)

    assert reply.status == 303
    assert reply.header("Location") == location


@pytest.mark.parametrize("way", WAYS)
async def test_application_cookies_expire_as_well(tmp_path: Path, way: str) -> None:
    """``clear_cookies`` go as the session cookie does, each on lines of its own."""
    settings = "clear_cookies: [app_sid]"
    async with Portal(tmp_path, extra=ROOM.format(settings)) as portal:
        reply = await sign_out(portal, way)

    lines = [each for each in reply.lines("Set-Cookie") if each.startswith("app_sid=;")]
    assert any("Domain=example.com" in line for line in lines)
    assert any("Domain=" not in line for line in lines)
    assert all("Max-Age=0" in line for line in lines)


@pytest.mark.parametrize("way", ["page", "takeover"])
async def test_presession_goes_on_the_portal_alone(portal: Portal, way: str) -> None:
    """The half-finished login lives on the portal's host, and ends with the rest."""
    reply = await sign_out(portal, way)

    names = {line.partition("=")[0] for line in reply.lines("Set-Cookie")}
    assert (f"__Host-{COOKIE}_login" in names) is (way == "page")


async def test_site_data_is_cleared_where_it_is_wanted(tmp_path: Path) -> None:
    """The values are quoted strings; without the setting there is no header."""
    settings = "clear_site_data: [cache, storage]"
    async with Portal(tmp_path, extra=ROOM.format(settings)) as portal:
        told = await sign_out(portal, "page")
    async with Portal(tmp_path) as portal:
        silent = await sign_out(portal, "page")

    assert told.header("Clear-Site-Data") == '"cache", "storage"'
    assert silent.lines("Clear-Site-Data") == []


@pytest.mark.parametrize("way", WAYS)
async def test_outage_is_pending_and_clears_the_cookie(
    tmp_path: Path, way: str
) -> None:
    """The browser forgets, the server side is told to be pending, never done (L-9)."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        token, _ = await portal.create_session()
        store.go_down()
        reply = await sign_out(portal, way, cookies=cookie(token))
        store.come_back()
        verified = await portal.verify(token)

    assert reply.status == 503
    assert reply.header("Retry-After") == "5"
    assert reply.lines("Location") == []
    lines = [e for e in reply.lines("Set-Cookie") if e.startswith(f"{COOKIE}=;")]
    assert all("Max-Age=0" in line for line in lines)
    assert len(lines) == 2
    assert verified.status == 401


async def test_scope_user_ends_every_session_of_the_user(tmp_path: Path) -> None:
    """With ``scope: user`` all browsers of the user are out, others stay (L-10)."""
    async with Portal(tmp_path, extra=ROOM.format("scope: user")) as portal:
        here, _ = await portal.create_session()
        there, _ = await portal.create_session()
        other, _ = await portal.create_session("bob")
        await sign_out(portal, "page", cookies=cookie(here))

        statuses = [(await portal.verify(each)).status for each in (here, there, other)]

    assert statuses == [401, 401, 200]
