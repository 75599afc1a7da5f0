"""The front page: "my sessions", and ending them."""

from pathlib import Path

import pytest

from forwardauth.sessions.model import EndCause
from forwardauth.web import keys
from tests.support.client import Headers, Reply
from tests.support.html import Element, check_page
from tests.support.portal import COOKIE, Portal
from tests.support.stores import DownStore

SAME_ORIGIN = [
    ("Sec-Fetch-Site", "same-origin"),
    ("Origin", "https://auth.example.com"),
]


async def open_page(portal: Portal, token: str) -> Element:
    """Return the page that the session *token* gets."""
    reply = await portal.send("GET", "/", cookie=token)
    assert reply.status == 200
    return check_page(reply.body.decode())


async def end(
    portal: Portal, token: str, what: str, *, headers: Headers = (), csrf: str = ""
) -> Reply:
    """Press the button *what* of the form, with the token of the page or another."""
    if not csrf and not headers:
        page = await open_page(portal, token)
        csrf = page.find("form", action="/sessions").fields()["csrf_token"]
    fields = [("csrf_token", csrf), ("end", what)]
    return await portal.post_form("/sessions", fields, headers=headers, cookie=token)


async def alive(portal: Portal, *tokens: str) -> list[bool]:
    """Whether verify accepts each of *tokens*."""
    return [(await portal.verify(token)).status == 200 for token in tokens]


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
    values = [each.attributes.get("value") for each in page.find_all("button")]
    assert other.handle in values
    assert own.handle not in values
    assert foreign.handle not in values
    assert len(page.find_all("form", action="https://auth.example.com/logout")) == 1


async def test_page_holds_no_secret(portal: Portal) -> None:
    """Neither the session id nor what the store knows it by is on the page."""
    token, _ = await portal.create_session()

    reply = await portal.send("GET", "/", cookie=token)

    assert token not in reply.body.decode()
    assert reply.header("Cache-Control") == "no-store"


async def test_other_session_is_ended(portal: Portal) -> None:
    """One of the others goes, this one and the rest stay, the page comes again."""
    here, _ = await portal.create_session()
    there, session = await portal.create_session()
    third, _ = await portal.create_session()

    reply = await end(portal, here, session.handle)

    assert reply.status == 303
    assert reply.header("Location") == "https://auth.example.com/"
    assert await alive(portal, here, there, third) == [True, False, True]


async def test_all_others_are_ended(portal: Portal) -> None:
    """This login stays on all its domains; other users are left alone (L-10)."""
    here, session = await portal.create_session()
    linked, _ = await portal.create_session(domain="example.org", linked_to=session)
    there, _ = await portal.create_session()
    foreign, _ = await portal.create_session("bob")

    reply = await end(portal, here, "others")

    assert reply.header("Location") == "https://auth.example.com/"
    assert await alive(portal, here, there, foreign) == [True, False, True]
    assert (await portal.verify(linked, host="app.example.org")).status == 200


async def test_all_are_ended_and_the_cookie_goes(portal: Portal) -> None:
    """Everything of the user, this browser included (L-10)."""
    here, _ = await portal.create_session()
    there, _ = await portal.create_session()
    foreign, _ = await portal.create_session("bob")

    reply = await end(portal, here, "all")

    assert reply.header("Location") == "https://auth.example.com/signed-out"
    assert await alive(portal, here, there, foreign) == [False, False, True]
    lines = [e for e in reply.lines("Set-Cookie") if e.startswith(f"{COOKIE}=;")]
    assert lines
    assert all("Max-Age=0" in line for line in lines)


async def test_foreign_session_cannot_be_ended(portal: Portal) -> None:
    """A handle of somebody else's session is nobody's."""
    token, _ = await portal.create_session()
    foreign, session = await portal.create_session("bob")

    reply = await end(portal, token, session.handle)

    assert reply.status == 303
    assert await alive(portal, token, foreign) == [True, True]


@pytest.mark.parametrize("what", ["", "nothing", "OTHERS", "all ", "../all"])
async def test_unknown_button_ends_nothing(portal: Portal, what: str) -> None:
    """What no button of ours says does nothing, and is no error."""
    token, _ = await portal.create_session()
    other, _ = await portal.create_session()

    reply = await end(portal, token, what)

    assert reply.status == 303
    assert await alive(portal, token, other) == [True, True]


@pytest.mark.parametrize(
    ("headers", "csrf"),
    [
        ([("X-Nothing", "1")], ""),
        ([("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.test")], ""),
        ([("Sec-Fetch-Site", "same-site"), ("Origin", "https://app.example.com")], ""),
        ([("Origin", "null")], ""),
        ([("X-Nothing", "1")], "A" * 43),
    ],
    ids=["no token", "foreign", "sibling", "null", "wrong token"],
)
async def test_post_without_proof_ends_nothing(
    portal: Portal, headers: Headers, csrf: str
) -> None:
    """Neither another site nor an application below the domain may end sessions."""
    token, _ = await portal.create_session()
    other, _ = await portal.create_session()

    reply = await end(portal, token, "all", headers=headers, csrf=csrf)

    assert reply.status == 403
    assert await alive(portal, token, other) == [True, True]


async def test_token_of_another_session_is_no_proof(portal: Portal) -> None:
    """A form that an attacker got for an own session does not work for a victim."""
    victim, _ = await portal.create_session("alice")
    attacker, _ = await portal.create_session("bob")
    page = await open_page(portal, attacker)
    csrf = page.find("form", action="/sessions").fields()["csrf_token"]

    reply = await end(portal, victim, "all", csrf=csrf)

    assert reply.status == 403
    assert await alive(portal, victim) == [True]


async def test_nothing_makes_up_for_the_token_of_another_session(
    portal: Portal,
) -> None:
    """What alice left on the screen does not act for bob, who came next (L-31)."""
    alice, _ = await portal.create_session("alice")
    bob, _ = await portal.create_session("bob")
    page = await open_page(portal, alice)
    csrf = page.find("form", action="/sessions").fields()["csrf_token"]

    reply = await end(portal, bob, "all", csrf=csrf, headers=SAME_ORIGIN)

    assert reply.status == 403
    assert await alive(portal, bob, alice) == [True, True]


async def test_same_origin_post_is_proof(portal: Portal) -> None:
    """A browser that says where the post comes from needs no token."""
    token, _ = await portal.create_session()

    reply = await end(portal, token, "all", headers=SAME_ORIGIN)

    assert reply.status == 303
    assert await alive(portal, token) == [False]


async def test_nobody_is_sent_to_sign_in(portal: Portal) -> None:
    """A form that outlived its session leads to the login page."""
    token, _ = await portal.create_session()
    await portal.app[keys.REVOKER].revoke_user("alice", cause=EndCause.REVOKED)

    reply = await end(portal, token, "all", headers=SAME_ORIGIN)

    assert reply.header("Location") == "https://auth.example.com/login"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_sessions_are_ended_by_post_alone(portal: Portal, method: str) -> None:
    """A link ends nothing."""
    token, _ = await portal.create_session()

    reply = await portal.send(method, "/sessions?end=all", cookie=token)

    assert reply.status == 405
    assert await alive(portal, token) == [True]


@pytest.mark.parametrize("what", ["others", "all", "one"])
async def test_outage_is_never_told_as_done(tmp_path: Path, what: str) -> None:
    """A store that is down is 503, on the page and for each of its buttons (L-9)."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        token, _ = await portal.create_session()
        _, other = await portal.create_session()
        store.go_down()
        page = await portal.send("GET", "/", cookie=token)
        wanted = other.handle if what == "one" else what
        reply = await end(portal, token, wanted, headers=SAME_ORIGIN)

    assert page.status == 503
    assert reply.status == 503
    assert reply.lines("Location") == []


async def test_protected_host_has_no_front_page(portal: Portal) -> None:
    """Our pages have one place each: a proxy that leads elsewhere is told so."""
    reply = await portal.send("GET", "/", host="app.example.com")

    assert reply.status == 400
