"""The logins of the one who asks: the sessions of one login are one."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.html import parse_page
from tests.support.portal import Portal


async def listed(portal: Portal, cookie: str) -> list[dict[str, object]]:
    """Return what the interface for programs lists."""
    reply = await portal.send("GET", "/api/sessions", cookie=cookie)
    found: list[dict[str, object]] = reply.json()["data"]
    return found


async def test_login_on_two_domains_is_one(tmp_path: Path) -> None:
    """It began with the first, was used with the last, and reaches both (L-14)."""
    clock = FakeClock()
    async with Portal(tmp_path, clock=clock) as portal:
        token, first = await portal.create_session()
        clock.advance(timedelta(minutes=2))
        await portal.create_session(domain="example.org", linked_to=first)

        (login,) = await listed(portal, token)

    assert login["id"] == first.handle
    assert login["created"] == "2026-03-01T12:00:00Z"
    assert login["last_seen"] == "2026-03-01T12:02:00Z"
    assert login["domain"] == "example.com"
    assert login["domains"] == ["example.com", "example.org"]
    assert login["current"] is True


@pytest.mark.parametrize("path", ["/", "/api/sessions"])
async def test_each_login_is_listed_once(portal: Portal, path: str) -> None:
    """The page and its twin list the same logins, the last used first."""
    token, here = await portal.create_session()
    await portal.create_session(domain="example.org", linked_to=here)
    _, there = await portal.create_session()
    await portal.create_session("bob")

    reply = await portal.send("GET", path, cookie=token)

    if path == "/":
        main = parse_page(reply.body.decode()).find("main")
        rows = [item for item in main.find_all("li") if item.find_all("h2")]
        marks = [bool(row.find_all("p")) for row in rows]
        ends = [a.attributes["href"] for a in main.find("ul").find_all("a")]
        assert ends == [f"/sessions/end?end={there.handle}"]
    else:
        marks = [each["current"] for each in reply.json()["data"]]
    assert sorted(marks) == [False, True]


async def test_login_is_current_from_whichever_domain_it_is_seen(
    tmp_path: Path,
) -> None:
    """Seen from the portal of the second domain, too, the login is the same (L-14)."""
    clock = FakeClock()
    async with Portal(tmp_path, clock=clock) as portal:
        _, first = await portal.create_session()
        clock.advance(timedelta(minutes=1))
        linked, _ = await portal.create_session(domain="example.org", linked_to=first)

        reply = await portal.send(
            "GET", "/api/sessions", cookie=linked, host="login.example.org"
        )

    (login,) = reply.json()["data"]
    assert login["current"] is True
    assert login["id"] == first.handle
