"""``/api/sessions``: the caller's own sessions as JSON."""

from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.sessions.ids import create_handle, create_session_id, digest_of
from tests.support.client import FETCH, Headers
from tests.support.clock import FakeClock
from tests.support.portal import APP, Portal, write_enabled_users
from tests.support.stores import DownStore


async def is_alive(portal: Portal, token: str) -> bool:
    """Whether verify still accepts *token*."""
    return (await portal.verify(token)).status == 200


async def test_list_says_what_is_known_and_no_secret(tmp_path: Path) -> None:
    """Each session of the caller, the last used first; no id, no digest (L-11)."""
    clock = FakeClock()
    async with Portal(tmp_path, clock=clock) as portal:
        _, other = await portal.create_session(domain="example.org")
        clock.advance(timedelta(minutes=1))
        token, own = await portal.create_session()
        await portal.create_session("bob")

        reply = await portal.send("GET", "/api/sessions", cookie=token)

    known = {"address": "192.0.2.1", "user_agent": "test", "remembered": False}
    assert reply.status == 200
    assert reply.header("Cache-Control") == "no-store"
    assert reply.json() == {
        "status": "OK",
        "data": [
            {
                "id": own.handle,
                "created": "2026-03-01T12:01:00Z",
                "last_seen": "2026-03-01T12:01:00Z",
                "current": True,
                "domain": "example.com",
                "domains": ["example.com"],
                **known,
            },
            {
                "id": other.handle,
                "created": "2026-03-01T12:00:00Z",
                "last_seen": "2026-03-01T12:00:00Z",
                "current": False,
                "domain": "example.org",
                "domains": ["example.org"],
                **known,
            },
        ],
    }
    assert token.encode() not in reply.body
    assert digest_of(token).hex().encode() not in reply.body


async def test_list_leaves_out_what_has_ended(portal: Portal) -> None:
    """A session that was ended, or is refused already, is not shown."""
    token, own = await portal.create_session()
    ended, _ = await portal.create_session()
    await portal.send("POST", "/api/logout", cookie=ended)

    reply = await portal.send("GET", "/api/sessions", cookie=token)

    assert [each["id"] for each in reply.json()["data"]] == [own.handle]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/sessions"),
        ("DELETE", "/api/sessions"),
        ("DELETE", "/api/sessions?except=current"),
        ("DELETE", f"/api/sessions/{create_handle()}"),
    ],
)
@pytest.mark.parametrize("cookie", [None, "garbage", create_session_id()], ids=str)
async def test_no_session_is_401(
    portal: Portal, method: str, path: str, cookie: str | None
) -> None:
    """Nobody, and a cookie that nobody issued, is 401 ``KO`` without a cookie line."""
    reply = await portal.send(method, path, cookie=cookie)

    assert reply.status == 401
    assert reply.json() == {"status": "KO", "message": "sign-in needed"}
    assert reply.lines("Set-Cookie") == []


@pytest.mark.parametrize(
    "path",
    ["/api/sessions", "/api/sessions?except=current", "/api/sessions/{own}"],
)
@pytest.mark.parametrize(
    "headers",
    [
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Origin", f"https://{APP}")],
        [("Origin", "https://login.example.org")],
        [("Origin", "http://auth.example.com")],
        [("Sec-Fetch-Site", "same-site")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://auth.example.com")],
        [("Sec-Fetch-Mode", "cors")],
        [("Referer", "https://evil.example/")],
    ],
    ids=str,
)
async def test_other_origin_is_403(portal: Portal, path: str, headers: Headers) -> None:
    """Only the portal's own pages, and programs, end anything (L-18)."""
    token, own = await portal.create_session()
    other, _ = await portal.create_session()

    reply = await portal.send(
        "DELETE", path.format(own=own.handle), headers=headers, cookie=token
    )

    assert reply.status == 403
    assert reply.lines("Set-Cookie") == []
    assert reply.lines("Access-Control-Allow-Origin") == []
    assert await is_alive(portal, token)
    assert await is_alive(portal, other)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        [*FETCH, ("Origin", "https://auth.example.com")],
        [("Origin", "https://auth.example.com")],
        [("Sec-Fetch-Site", "same-origin")],
    ],
    ids=["program", "fetch", "origin alone", "site alone"],
)
async def test_own_origin_and_programs_may_end(
    portal: Portal, headers: Headers
) -> None:
    """The answer is ``OK`` and nothing else."""
    token, own = await portal.create_session()

    reply = await portal.send(
        "DELETE", f"/api/sessions/{own.handle}", headers=headers, cookie=token
    )

    assert reply.status == 200
    assert reply.json() == {"status": "OK"}
    assert not await is_alive(portal, token)


@pytest.mark.parametrize(
    "query",
    [
        "except=others",
        "except=",
        "except",
        "except=Current",
        "except=current&except=current",
        "except=all&except=current",
        "exept=current",
        "except=current%00",
        "other=1",
        "&",
    ],
)
async def test_unknown_query_is_400(portal: Portal, query: str) -> None:
    """What the caller wanted to spare is not known, so nothing ends."""
    token, _ = await portal.create_session()
    other, _ = await portal.create_session()

    reply = await portal.send("DELETE", f"/api/sessions?{query}", cookie=token)

    assert reply.status == 400
    assert reply.json()["status"] == "KO"
    assert reply.lines("Set-Cookie") == []
    assert await is_alive(portal, token)
    assert await is_alive(portal, other)


@pytest.mark.parametrize(
    "wrong",
    ["0" * 32, "current", "others", "all", "%2e%2e", "a%2Fb", "%00", "x" * 4000],
    ids=lambda value: str(value)[:20],
)
async def test_unknown_id_is_404(portal: Portal, wrong: str) -> None:
    """An id that names no session of the caller ends nothing."""
    token, _ = await portal.create_session()

    reply = await portal.send("DELETE", f"/api/sessions/{wrong}", cookie=token)

    assert reply.status == 404
    assert reply.json()["status"] == "KO"
    assert await is_alive(portal, token)


async def test_neither_token_nor_digest_is_an_id(portal: Portal) -> None:
    """A session is named by its handle here, and never by its secret."""
    token, session = await portal.create_session()
    names = [token, digest_of(token).hex(), session.login, session.handle[:16]]

    replies = [
        await portal.send("DELETE", f"/api/sessions/{name}", cookie=token)
        for name in names
    ]

    assert [reply.status for reply in replies] == [404] * 4
    assert await is_alive(portal, token)


async def test_ending_twice_is_404(portal: Portal) -> None:
    """What has ended is nobody's session any more."""
    token, _ = await portal.create_session()
    _, other = await portal.create_session()
    path = f"/api/sessions/{other.handle}"
    first = await portal.send("DELETE", path, cookie=token)

    second = await portal.send("DELETE", path, cookie=token)

    assert (first.status, second.status) == (200, 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/sessions", {"GET", "HEAD", "DELETE"}),
        ("PUT", "/api/sessions", {"GET", "HEAD", "DELETE"}),
        ("GET", f"/api/sessions/{create_handle()}", {"DELETE"}),
        ("POST", f"/api/sessions/{create_handle()}", {"DELETE"}),
        ("OPTIONS", "/api/sessions", {"GET", "HEAD", "DELETE"}),
    ],
)
async def test_other_method_is_405(
    portal: Portal, method: str, path: str, allowed: set[str]
) -> None:
    """Nothing ends by a method that a form can send (L-21)."""
    token, _ = await portal.create_session()

    reply = await portal.send(method, path, cookie=token)

    assert reply.status == 405
    assert set(reply.header("Allow").split(",")) == allowed
    assert await is_alive(portal, token)


@pytest.mark.parametrize("host", [APP, "evil.example"])
async def test_only_a_portal_answers(portal: Portal, host: str) -> None:
    """A protected host has no such interface."""
    token, _ = await portal.create_session()

    reply = await portal.send("DELETE", "/api/sessions", host=host, cookie=token)

    assert reply.status == 400
    assert await is_alive(portal, token)


async def test_session_of_another_domain_does_not_count(portal: Portal) -> None:
    """A cookie is asked about at its own portal alone."""
    token, _ = await portal.create_session(domain="example.org")

    foreign = await portal.send("GET", "/api/sessions", cookie=token)
    own = await portal.send(
        "GET", "/api/sessions", host="login.example.org", cookie=token
    )

    assert (foreign.status, own.status) == (401, 200)


async def test_base_path_moves_the_interface(tmp_path: Path) -> None:
    """Below a base path it is there, and only there."""
    async with Portal(tmp_path, extra="server: {base_path: /a}\n") as portal:
        token, _ = await portal.create_session()
        there = await portal.send("GET", "/a/api/sessions", cookie=token)
        elsewhere = await portal.send("GET", "/api/sessions", cookie=token)

    assert (there.status, elsewhere.status) == (200, 404)


async def test_what_is_pending_is_told(tmp_path: Path) -> None:
    """In an outage the answer says whether something is still to come (L-9)."""
    store = DownStore()
    write_enabled_users(tmp_path)
    async with Portal(tmp_path, store=store) as portal:
        token, own = await portal.create_session()
        _, other = await portal.create_session()
        answers = []
        for answered, path in [
            (2, f"/{other.handle}"),
            (1, "?except=current"),
            (0, f"/{other.handle}"),
            # Something is promised by now: whoever looks, looks once more.
            (2, f"/{own.handle}"),
        ]:
            store.calls_left = answered
            answers.append(
                await portal.send("DELETE", f"/api/sessions{path}", cookie=token)
            )

    assert [reply.status for reply in answers] == [503] * 4
    pending = [reply.json().get("data") for reply in answers]
    assert pending == [{"pending": True}, None, None, {"pending": True}]


async def test_store_that_comes_back_claims_nothing(tmp_path: Path) -> None:
    """Back at once without the session: nobody can tell whose were to end."""
    store = DownStore()
    write_enabled_users(tmp_path)
    async with Portal(tmp_path, store=store) as portal:
        store.go_down(faults=1)

        reply = await portal.send("DELETE", "/api/sessions", cookie=create_session_id())

    assert reply.status == 503
    assert reply.lines("Set-Cookie") == []
