"""The front page: "my sessions" for who is signed in, else the login page."""

from pathlib import Path

from forwardauth.sessions.ids import Digest, digest_of
from forwardauth.web import keys
from forwardauth.web.answers import PortalUrl
from forwardauth.web.notices import Notice
from tests.support.html import Element, check_page
from tests.support.portal import Portal
from tests.support.stores import DownStore


async def open_page(portal: Portal, token: str, path: str = "/") -> Element:
    """Return the page that the session *token* gets."""
    reply = await portal.send("GET", path, cookie=token)
    assert reply.status == 200
    return check_page(reply.body.decode())


async def test_nobody_gets_the_login_page(portal: Portal) -> None:
    """Who is not signed in can do so, and nothing is stored for it."""
    reply = await portal.send("GET", "/")

    page = check_page(reply.body.decode())
    assert reply.status == 200
    assert "password" in page.find("main").find("form").fields()
    assert await portal.store.count() == 0


async def test_own_sessions_are_listed_and_this_one_is_marked(portal: Portal) -> None:
    """Every session of the user is there, no other; a logout button is, too (L-50)."""
    token, own = await portal.create_session()
    _, other = await portal.create_session()
    _, foreign = await portal.create_session("bob")

    page = await open_page(portal, token)

    assert "Alice Liddell" in page.text
    assert len(page.find("main").find("ul").find_all("li")) == 2
    assert page.text.count("This browser") == 1
    html = str(page)
    assert other.handle in html
    assert own.handle not in html
    assert foreign.handle not in html
    assert len(page.find_all("form", action="https://auth.example.com/logout")) == 1


async def test_page_holds_no_secret(portal: Portal) -> None:
    """Neither the session id nor what the store knows it by is on the page."""
    token, _ = await portal.create_session()

    reply = await portal.send("GET", "/", cookie=token)

    assert token not in reply.body.decode()
    assert reply.header("Cache-Control") == "no-store"


async def test_outage_is_told(tmp_path: Path) -> None:
    """A store that is down is 503, and never an empty list."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        token, _ = await portal.create_session()
        store.go_down()

        reply = await portal.send("GET", "/", cookie=token)

    assert reply.status == 503


def path_of(portal: Portal, notice: Notice, digest: Digest) -> str:
    """Return the front page's path with *notice* for the session *digest*."""
    return portal.app[keys.NOTICES].add_to(PortalUrl("/"), notice, digest)


async def test_notice_is_told_again_after_a_reload(portal: Portal) -> None:
    """The page says what has happened as long as it is fresh."""
    token, _ = await portal.create_session()
    path = path_of(portal, Notice.OTHERS_ENDED, digest_of(token))

    pages = [await open_page(portal, token, path) for _ in range(2)]

    told = [page.find("p", role="status").text for page in pages]
    assert told == 2 * ["All your other sessions have ended."]


async def test_link_of_somebody_else_tells_nothing(portal: Portal) -> None:
    """A notice that was signed for another session is not shown, nor made-up text."""
    token, _ = await portal.create_session()
    other, _ = await portal.create_session("bob")
    paths = [path_of(portal, Notice.ENDED, digest_of(other)), "/?notice=ended"]

    pages = [await open_page(portal, token, path) for path in paths]

    assert [page.find_all("p", role="status") for page in pages] == [[], []]


async def test_protected_host_has_no_front_page(portal: Portal) -> None:
    """Our pages have one place each: a proxy that leads elsewhere is told so."""
    reply = await portal.send("GET", "/", host="app.example.com")

    assert reply.status == 400
