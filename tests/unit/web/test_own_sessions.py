"""Ending one's own sessions, by the page and by JSON: the same thing happens."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forwardauth.sessions.ids import digest_of
from forwardauth.web import keys
from tests.support.client import Reply
from tests.support.portal import COOKIE, Portal, write_enabled_users
from tests.support.stores import DownStore

_END = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly"
CLEARED = {
    f"{COOKIE}=; Path=/; Domain=example.com; {_END}; SameSite=Lax",
    f"{COOKIE}=; Path=/; {_END}; SameSite=Lax",
    f"__Host-{COOKIE}_login=; Path=/; {_END}; SameSite=Lax",
}
"""Every line by which a logout clears a cookie on the portal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to ask, and how its answers look.

    Attributes:
        done: Status of an end that leaves the current session alone.
        signed_out: Status of one that does not.
    """

    done: int
    signed_out: int
    is_page: bool

    async def end(self, portal: Portal, cookie: str | None, what: str) -> Reply:
        """Ask to end *what*: a handle, ``others`` or ``all``."""
        if self.is_page:
            return await portal.post_form(
                "/sessions",
                [("end", what)],
                headers=[("Sec-Fetch-Site", "same-origin")],
                cookie=cookie,
            )
        path = {"all": "", "others": "?except=current"}.get(what, f"/{what}")
        return await portal.send("DELETE", f"/api/sessions{path}", cookie=cookie)


PAGE = Way(done=303, signed_out=303, is_page=True)
JSON = Way(done=200, signed_out=200, is_page=False)

pytestmark = pytest.mark.parametrize("way", [PAGE, JSON], ids=["page", "JSON"])


@pytest.fixture
def store() -> DownStore:
    """A store that a test can take down."""
    return DownStore()


@pytest.fixture
async def portal(tmp_path: Path, store: DownStore) -> AsyncIterator[Portal]:
    """A service on that store, which asks it for nothing by itself."""
    write_enabled_users(tmp_path)
    async with Portal(tmp_path, store=store) as running:
        yield running


async def is_alive(
    portal: Portal, token: str, *, host: str = "app.example.com"
) -> bool:
    """Whether verify still accepts *token*."""
    return (await portal.verify(token, host=host)).status == 200


def led_to(reply: Reply) -> list[str]:
    """Return where a page leads; JSON leads nowhere."""
    return reply.lines("Location")


async def test_another_session_ends_alone(portal: Portal, way: Way) -> None:
    """Ending one other session leaves the cookie and the rest alone (L-11)."""
    own, _ = await portal.create_session()
    other, named = await portal.create_session()
    third, _ = await portal.create_session()

    reply = await way.end(portal, own, named.handle)

    assert reply.status == way.done
    assert reply.lines("Set-Cookie") == []
    back = [url.partition("?")[0] for url in led_to(reply)]
    assert back == (["https://auth.example.com/"] if way.is_page else [])
    assert not await is_alive(portal, other)
    assert await is_alive(portal, own)
    assert await is_alive(portal, third)


async def test_own_session_ends_like_a_logout(portal: Portal, way: Way) -> None:
    """Ending the current one clears its cookie in every variant (L-24)."""
    own, session = await portal.create_session()
    other, _ = await portal.create_session()

    reply = await way.end(portal, own, session.handle)

    assert reply.status == way.signed_out
    assert set(reply.lines("Set-Cookie")) == CLEARED
    place = "https://auth.example.com/signed-out"
    assert led_to(reply) == ([place] if way.is_page else [])
    assert not await is_alive(portal, own)
    assert await is_alive(portal, other)


async def test_linked_session_is_the_own_one(portal: Portal, way: Way) -> None:
    """Ending a session of one's own login ends all of the login (L-14)."""
    own, session = await portal.create_session()
    linked, elsewhere = await portal.create_session(
        domain="example.org", linked_to=session
    )

    reply = await way.end(portal, own, elsewhere.handle)

    assert set(reply.lines("Set-Cookie")) == CLEARED
    assert not await is_alive(portal, own)
    assert not await is_alive(portal, linked, host="app.example.org")


async def test_linked_sessions_of_another_login_end_together(
    portal: Portal, way: Way
) -> None:
    """Naming one session of another login ends both of its domains (L-14)."""
    own, _ = await portal.create_session()
    other, named = await portal.create_session()
    linked, _ = await portal.create_session(domain="example.org", linked_to=named)

    reply = await way.end(portal, own, named.handle)

    assert reply.status == way.done
    assert not await is_alive(portal, other)
    assert not await is_alive(portal, linked, host="app.example.org")
    assert await is_alive(portal, own)


async def test_others_end_but_not_the_own_login(portal: Portal, way: Way) -> None:
    """All others end; linked sessions of the own login stay, and so do other users'."""
    own, session = await portal.create_session()
    linked, _ = await portal.create_session(domain="example.org", linked_to=session)
    other, _ = await portal.create_session()
    bob, _ = await portal.create_session("bob")

    reply = await way.end(portal, own, "others")

    assert reply.status == way.done
    assert reply.lines("Set-Cookie") == []
    assert await is_alive(portal, own)
    assert await is_alive(portal, linked, host="app.example.org")
    assert not await is_alive(portal, other)
    assert await is_alive(portal, bob)


async def test_all_end_on_every_domain(portal: Portal, way: Way) -> None:
    """All sessions of the user end, on all domains, and nobody else's (L-10)."""
    own, _ = await portal.create_session()
    other, _ = await portal.create_session(domain="example.org")
    bob, _ = await portal.create_session("bob")

    reply = await way.end(portal, own, "all")

    assert reply.status == 200  # A page says so, too: a link to it could be forged.
    assert set(reply.lines("Set-Cookie")) == CLEARED
    assert not await is_alive(portal, own)
    assert not await is_alive(portal, other, host="app.example.org")
    assert await is_alive(portal, bob)


@pytest.mark.parametrize("what", ["others", "all"])
async def test_nobody_ends_nothing(portal: Portal, way: Way, what: str) -> None:
    """Without a session there is nobody whose sessions could end."""
    other, _ = await portal.create_session()

    reply = await way.end(portal, None, what)

    assert reply.status == (303 if way.is_page else 401)
    assert reply.lines("Set-Cookie") == []
    assert await is_alive(portal, other)


async def test_all_in_an_outage_is_pending(
    portal: Portal, store: DownStore, way: Way
) -> None:
    """Down from the first call on: 503, refused at once, later all end (L-9, L-10)."""
    own, _ = await portal.create_session()
    other, _ = await portal.create_session()
    bob, _ = await portal.create_session("bob")
    store.go_down()
    reply = await way.end(portal, own, "all")
    store.come_back()
    is_refused = not await is_alive(portal, own)
    await portal.app[keys.REVOKER].retry_pending()

    assert reply.status == 503
    assert reply.header("Retry-After") == "5"
    assert set(reply.lines("Set-Cookie")) == CLEARED
    assert is_refused
    assert not await is_alive(portal, other)
    assert await is_alive(portal, bob)


@pytest.mark.parametrize("answered", [1, 2, 3])
async def test_all_cut_off_by_an_outage_is_pending(
    portal: Portal, store: DownStore, way: Way, answered: int
) -> None:
    """Down after a few calls: 503, and what was left is ended later (L-9, L-10)."""
    own, session = await portal.create_session()
    linked, _ = await portal.create_session(domain="example.org", linked_to=session)
    other, _ = await portal.create_session()
    store.calls_left = answered
    reply = await way.end(portal, own, "all")
    store.come_back()
    await portal.app[keys.REVOKER].retry_pending()

    assert reply.status == 503
    assert not await is_alive(portal, own)
    assert not await is_alive(portal, linked, host="app.example.org")
    assert not await is_alive(portal, other)


@pytest.mark.parametrize("answered", [1, 2, 3])
async def test_retry_that_is_cut_off_goes_on(
    portal: Portal, store: DownStore, way: Way, answered: int
) -> None:
    """A second outage, in the middle of the retry, loses nothing of it (L-9)."""
    own, session = await portal.create_session()
    linked, _ = await portal.create_session(domain="example.org", linked_to=session)
    other, _ = await portal.create_session()
    store.go_down()
    await way.end(portal, own, "all")
    store.calls_left = answered
    is_left = await portal.app[keys.REVOKER].retry_pending()
    store.come_back()
    await portal.app[keys.REVOKER].retry_pending()

    assert is_left
    assert not await is_alive(portal, linked, host="app.example.org")
    assert not await is_alive(portal, other)


async def test_own_one_in_an_outage_is_pending(
    portal: Portal, store: DownStore, way: Way
) -> None:
    """The own session is refused at once and ended when the store is back (L-9)."""
    own, session = await portal.create_session()
    store.calls_left = 1
    reply = await way.end(portal, own, session.handle)
    store.come_back()
    is_refused = not await is_alive(portal, own)
    await portal.app[keys.REVOKER].retry_pending()

    assert reply.status == 503
    assert set(reply.lines("Set-Cookie")) == CLEARED
    assert is_refused
    assert await store.load(digest_of(own)) is None


async def test_other_one_in_an_outage_is_pending(
    portal: Portal, store: DownStore, way: Way
) -> None:
    """The other session is refused at once, and this browser stays signed in (L-9)."""
    own, _ = await portal.create_session()
    other, named = await portal.create_session()
    store.calls_left = 2
    reply = await way.end(portal, own, named.handle)
    store.come_back()
    is_refused = not await is_alive(portal, other)
    await portal.app[keys.REVOKER].retry_pending()

    assert reply.status == 503
    assert reply.header("Retry-After") == "5"
    assert reply.lines("Set-Cookie") == []
    assert is_refused
    assert await store.load(digest_of(other)) is None
    assert await is_alive(portal, own)


@pytest.mark.parametrize("answered", [0, 1])
async def test_others_in_an_outage_are_not_told_as_ended(
    portal: Portal, store: DownStore, way: Way, answered: int
) -> None:
    """The store did not answer: 503, and this browser stays signed in."""
    own, _ = await portal.create_session()
    store.calls_left = answered
    reply = await way.end(portal, own, "others")
    store.come_back()

    assert reply.status == 503
    assert reply.lines("Set-Cookie") == []
    assert await is_alive(portal, own)


async def test_foreign_handle_ends_nothing(portal: Portal, way: Way) -> None:
    """Nobody ends another user's session by its handle."""
    own, _ = await portal.create_session()
    bob, session = await portal.create_session("bob")

    reply = await way.end(portal, own, session.handle)

    assert reply.status == (303 if way.is_page else 404)
    assert reply.lines("Set-Cookie") == []
    assert await is_alive(portal, bob)
    assert await is_alive(portal, own)
