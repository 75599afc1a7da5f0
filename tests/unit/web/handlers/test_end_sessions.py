"""Ending one's own sessions by the page: ask, end, tell."""

from pathlib import Path

import pytest

from forwardauth.sessions.model import EndCause
from forwardauth.web import keys
from tests.support.client import Headers, Reply
from tests.support.html import Element, check_page
from tests.support.portal import COOKIE, Portal, write_enabled_users
from tests.support.stores import DownStore

SAME_ORIGIN = [
    ("Sec-Fetch-Site", "same-origin"),
    ("Origin", "https://auth.example.com"),
]


async def ask(portal: Portal, token: str, what: str) -> Element:
    """Return the page that asks whether to end *what*."""
    reply = await portal.send("GET", f"/sessions/end?end={what}", cookie=token)
    assert reply.status == 200
    return check_page(reply.body.decode())


async def token_of(portal: Portal, token: str) -> str:
    """Return the form token of the session *token*, as a page gives it."""
    page = await ask(portal, token, "all")
    return page.find("form", action="/sessions").fields()["csrf_token"]


async def end(
    portal: Portal, token: str, what: str, *, headers: Headers = (), csrf: str = ""
) -> Reply:
    """Post the form that ends *what*, with the token of a page or another."""
    if not csrf and not headers:
        csrf = await token_of(portal, token)
    fields = [("csrf_token", csrf), ("end", what)]
    return await portal.post_form("/sessions", fields, headers=headers, cookie=token)


async def told(portal: Portal, token: str, reply: Reply) -> str:
    """Follow *reply* to the list of what is left; return what its status says."""
    url = reply.header("Location")
    assert url.startswith("https://auth.example.com/?")
    path = url.removeprefix("https://auth.example.com")
    shown = await portal.send("GET", path, cookie=token)
    return check_page(shown.body.decode()).find("p", role="status").text


async def alive(portal: Portal, *tokens: str) -> list[bool]:
    """Whether verify accepts each of *tokens*."""
    return [(await portal.verify(token)).status == 200 for token in tokens]


async def test_question_names_what_would_end_and_ends_nothing(portal: Portal) -> None:
    """Each choice shows its own sessions, and all of them live on."""
    here, own = await portal.create_session()
    there, other = await portal.create_session()
    third, _ = await portal.create_session()

    rows = {
        what: len((await ask(portal, here, what)).find("main").find_all("h2"))
        for what in (other.handle, own.handle, "others", "all")
    }

    assert rows == {other.handle: 1, own.handle: 1, "others": 2, "all": 3}
    assert await alive(portal, here, there, third) == [True, True, True]


async def test_form_of_the_question_ends_what_it_named(portal: Portal) -> None:
    """Whoever goes on ends just that, and is told."""
    here, _ = await portal.create_session()
    there, session = await portal.create_session()
    form = (await ask(portal, here, session.handle)).find("form", action="/sessions")

    reply = await portal.post_form("/sessions", form.fields().items(), cookie=here)

    assert await told(portal, here, reply) == "The session has ended."
    assert await alive(portal, here, there) == [True, False]


@pytest.mark.parametrize("what", ["", "nothing", "OTHERS", "others"])
async def test_question_about_nothing_leads_back(portal: Portal, what: str) -> None:
    """Where nothing would end there is nothing to confirm."""
    token, _ = await portal.create_session()
    await portal.create_session("bob")

    reply = await portal.send("GET", f"/sessions/end?end={what}", cookie=token)

    assert reply.status == 303
    assert reply.header("Location") == "https://auth.example.com/"


async def test_question_is_for_who_is_signed_in(portal: Portal) -> None:
    """Nobody else is told of any session."""
    _, session = await portal.create_session()

    reply = await portal.send("GET", f"/sessions/end?end={session.handle}")

    assert reply.header("Location") == "https://auth.example.com/login"


async def test_question_about_a_foreign_session_leads_back(portal: Portal) -> None:
    """A handle of somebody else's session is nobody's, and shows nothing."""
    token, _ = await portal.create_session()
    foreign, session = await portal.create_session("bob")

    reply = await portal.send(
        "GET", f"/sessions/end?end={session.handle}", cookie=token
    )

    assert reply.header("Location") == "https://auth.example.com/"
    assert await alive(portal, foreign) == [True]


@pytest.mark.parametrize(
    ("site", "is_told"),
    [("same-origin", True), ("same-site", False), ("cross-site", False)],
)
async def test_question_from_an_old_list_is_told_that_it_is_over(
    portal: Portal, site: str, is_told: bool
) -> None:
    """Who wants to end what has ended is told so, but by no link of others."""
    here, _ = await portal.create_session()
    _, session = await portal.create_session()
    await end(portal, here, session.handle)

    reply = await portal.send(
        "GET",
        f"/sessions/end?end={session.handle}",
        headers=[("Sec-Fetch-Site", site)],
        cookie=here,
    )

    url = reply.header("Location")
    assert url.startswith("https://auth.example.com/?notice=gone.") == is_told


async def test_second_press_ends_nothing_more(portal: Portal) -> None:
    """A form that is sent twice says that it had been done, and does nothing."""
    here, _ = await portal.create_session()
    _, session = await portal.create_session()
    third, _ = await portal.create_session()
    await end(portal, here, session.handle)

    reply = await end(portal, here, session.handle)

    assert await told(portal, here, reply) == "That session had ended already."
    assert await alive(portal, here, third) == [True, True]


@pytest.mark.parametrize("what", ["all", "others"])
async def test_outage_is_no_reason_to_stay_signed_in(tmp_path: Path, what: str) -> None:
    """To end all can be asked for without the store, to end others cannot."""
    write_enabled_users(tmp_path)
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        token, _ = await portal.create_session()
        store.go_down()

        asked = await portal.send("GET", f"/sessions/end?end={what}", cookie=token)
        if what == "all":
            form = check_page(asked.body.decode()).find("form", action="/sessions")
            ended = await portal.post_form(
                "/sessions", form.fields().items(), cookie=token
            )
            store.come_back()
            assert ended.status == 503
            assert "not finished yet" in ended.body.decode()
            assert await alive(portal, token) == [False]

    assert asked.status == (200 if what == "all" else 503)


async def test_other_session_is_ended(portal: Portal) -> None:
    """One of the others goes, this one and the rest stay, the page comes again."""
    here, _ = await portal.create_session()
    there, session = await portal.create_session()
    third, _ = await portal.create_session()

    reply = await end(portal, here, session.handle)

    assert reply.status == 303
    assert await told(portal, here, reply) == "The session has ended."
    assert await alive(portal, here, there, third) == [True, False, True]


async def test_all_others_are_ended(portal: Portal) -> None:
    """This login stays on all its domains; other users are left alone (L-10)."""
    here, session = await portal.create_session()
    linked, _ = await portal.create_session(domain="example.org", linked_to=session)
    there, _ = await portal.create_session()
    foreign, _ = await portal.create_session("bob")

    reply = await end(portal, here, "others")

    assert await told(portal, here, reply) == "All your other sessions have ended."
    assert await alive(portal, here, there, foreign) == [True, False, True]
    assert (await portal.verify(linked, host="app.example.org")).status == 200


async def test_all_are_ended_and_the_cookie_goes(portal: Portal) -> None:
    """Everything of the user, this browser included (L-10)."""
    here, _ = await portal.create_session()
    there, _ = await portal.create_session()
    foreign, _ = await portal.create_session("bob")

    reply = await end(portal, here, "all")

    page = check_page(reply.body.decode())
    assert reply.status == 200
    assert page.find("h1").text == "You are signed out everywhere"
    assert "in other browsers" not in page.text
    assert page.find_all("form") == []
    assert await alive(portal, here, there, foreign) == [False, False, True]
    lines = [e for e in reply.lines("Set-Cookie") if e.startswith(f"{COOKIE}=;")]
    assert lines
    assert all("Max-Age=0" in line for line in lines)


async def test_end_of_this_session_alone_claims_no_more(portal: Portal) -> None:
    """Its own handle signs out here, and the page speaks of this browser (L-49)."""
    here, session = await portal.create_session()
    there, _ = await portal.create_session()

    reply = await end(portal, here, session.handle)

    assert reply.header("Location") == "https://auth.example.com/signed-out"
    assert await alive(portal, here, there) == [False, True]


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
    csrf = await token_of(portal, attacker)

    reply = await end(portal, victim, "all", csrf=csrf)

    assert reply.status == 403
    assert await alive(portal, victim) == [True]


async def test_nothing_makes_up_for_the_token_of_another_session(
    portal: Portal,
) -> None:
    """What alice left on the screen does not act for bob, who came next (L-31)."""
    alice, _ = await portal.create_session("alice")
    bob, _ = await portal.create_session("bob")
    csrf = await token_of(portal, alice)

    reply = await end(portal, bob, "all", csrf=csrf, headers=SAME_ORIGIN)

    assert reply.status == 403
    assert await alive(portal, bob, alice) == [True, True]


async def test_same_origin_post_is_proof(portal: Portal) -> None:
    """A browser that says where the post comes from needs no token."""
    token, _ = await portal.create_session()

    reply = await end(portal, token, "all", headers=SAME_ORIGIN)

    assert reply.status == 200
    assert await alive(portal, token) == [False]


async def test_nobody_is_sent_to_sign_in(portal: Portal) -> None:
    """A form that outlived its session leads to the login page."""
    token, _ = await portal.create_session()
    await portal.app[keys.REVOKER].revoke_user("alice", cause=EndCause.REVOKED)

    reply = await end(portal, token, "all", headers=SAME_ORIGIN)

    assert reply.header("Location") == "https://auth.example.com/login"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sessions?end=all"),
        ("DELETE", "/sessions?end=all"),
        ("POST", "/sessions/end?end=all"),
    ],
)
async def test_sessions_are_ended_by_post_alone(
    portal: Portal, method: str, path: str
) -> None:
    """A link ends nothing, and the page that asks takes no form."""
    token, _ = await portal.create_session()

    reply = await portal.send(method, path, cookie=token)

    assert reply.status == 405
    assert await alive(portal, token) == [True]


@pytest.mark.parametrize("what", ["others", "all", "one"])
async def test_outage_is_never_told_as_done(tmp_path: Path, what: str) -> None:
    """A store that is down is 503 for each of the buttons (L-9)."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        token, _ = await portal.create_session()
        _, other = await portal.create_session()
        store.go_down()
        wanted = other.handle if what == "one" else what
        reply = await end(portal, token, wanted, headers=SAME_ORIGIN)

    assert reply.status == 503
    assert reply.lines("Location") == []
