"""Form tokens in real forms: whose cookie makes which form count."""

from datetime import timedelta

import pytest

from forwardauth.sessions.ids import create_session_id, digest_of
from forwardauth.web import keys
from tests.support.client import Reply
from tests.support.clock import FakeClock
from tests.support.html import check_page
from tests.support.portal import COOKIE, PASSWORD, Portal, cookie_value

PRESESSION = f"__Host-{COOKIE}_login"
FOREIGN = [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")]
SIBLING = [("Sec-Fetch-Site", "same-site"), ("Origin", "https://app.example.com")]

Lines = list[tuple[str, str]]


def token_in(reply: Reply) -> str:
    """Return the token of the first form on a page that has one."""
    forms = check_page(reply.body.decode()).find_all("form")
    tokens = [form.fields().get("csrf_token") for form in forms]
    return next(token for token in tokens if token)


async def confirm(portal: Portal, *cookies: str) -> Reply:
    """Open the page that asks whether to sign out."""
    lines = [("Cookie", cookie) for cookie in cookies]
    return await portal.send("GET", "/logout", headers=[*FOREIGN, *lines])


async def sign_out(portal: Portal, token: str, *cookies: str) -> Reply:
    """Press its button, in a browser that does not vouch for it."""
    lines = [("Cookie", cookie) for cookie in cookies]
    return await portal.post_form("/logout", [("csrf_token", token)], headers=lines)


async def test_button_works_for_a_signed_in_browser(portal: Portal) -> None:
    """The form is bound to the session, and needs no further cookie (L-16)."""
    session, _ = await portal.create_session()
    cookie = f"{COOKIE}={session}"
    page = await confirm(portal, cookie)

    done = await sign_out(portal, token_in(page), cookie)

    assert page.lines("Set-Cookie") == []
    assert done.status == 303
    assert await portal.store.load(digest_of(session)) is None


async def test_button_works_for_an_expired_session(portal: Portal) -> None:
    """The form of somebody whose session has just ended is still their own."""
    session, _ = await portal.create_session()
    cookie = f"{COOKIE}={session}"
    page = await confirm(portal, cookie)
    await portal.store.delete(digest_of(session))

    done = await sign_out(portal, token_in(page), cookie)

    assert done.status == 303


async def test_button_works_for_an_anonymous_browser(portal: Portal) -> None:
    """Without a session the form is bound to a cookie that comes with it (L-7)."""
    page = await confirm(portal)
    presession = cookie_value(page, PRESESSION)

    done = await sign_out(portal, token_in(page), f"{PRESESSION}={presession}")

    assert done.status == 303
    assert await portal.store.count() == 0


@pytest.mark.parametrize(
    "token", ["", "0" * 64, "junk", "\N{LATIN SMALL LETTER U WITH DIAERESIS}" * 64]
)
async def test_wrong_token_ends_nothing(portal: Portal, token: str) -> None:
    """A button that is not ours leads to ours (L-16)."""
    session, _ = await portal.create_session()

    reply = await sign_out(portal, token, f"{COOKIE}={session}")

    assert reply.status == 200
    assert reply.lines("Set-Cookie") == []
    assert (await portal.verify(session)).status == 200


async def test_token_of_another_browser_ends_nothing(portal: Portal) -> None:
    """An attacker's own form is worth nothing with the victim's cookie (L-16)."""
    victim, _ = await portal.create_session("alice")
    attacker, _ = await portal.create_session("bob")
    token = token_in(await confirm(portal, f"{COOKIE}={attacker}"))

    reply = await sign_out(portal, token, f"{COOKIE}={victim}")

    assert reply.status == 200
    assert (await portal.verify(victim)).status == 200


async def test_repeated_token_is_none(portal: Portal) -> None:
    """Which of two fields is meant, nobody can tell."""
    session, _ = await portal.create_session()
    token = token_in(await confirm(portal, f"{COOKIE}={session}"))

    reply = await portal.post_form(
        "/logout", [("csrf_token", token), ("csrf_token", token)], cookie=session
    )

    assert reply.status == 200
    assert (await portal.verify(session)).status == 200


async def test_token_in_the_query_is_none(portal: Portal) -> None:
    """Queries end up in logs and histories, so no token is taken from there."""
    session, _ = await portal.create_session()
    token = token_in(await confirm(portal, f"{COOKIE}={session}"))

    reply = await portal.post_form(f"/logout?csrf_token={token}", [], cookie=session)

    assert reply.status == 200
    assert (await portal.verify(session)).status == 200


async def planted(portal: Portal) -> tuple[str, str]:
    """Return what a sibling host knows: a cookie of its making, and its token."""
    session = create_session_id()
    cookie = f"{COOKIE}={session}"
    return cookie, token_in(await confirm(portal, cookie))


async def test_planted_session_signs_nobody_in(portal: Portal) -> None:
    """The login form counts with its own cookie alone, none that a host can plant."""
    cookie, token = await planted(portal)
    fields = [("username", "bob"), ("password", PASSWORD), ("csrf_token", token)]

    reply = await portal.post_form(
        "/login", fields, headers=[*SIBLING, ("Cookie", cookie)]
    )

    assert reply.status == 403
    assert await portal.store.count() == 0


@pytest.mark.parametrize("end", ["others", "all"])
async def test_planted_session_ends_no_sessions(portal: Portal, end: str) -> None:
    """The page of sessions counts with the live session alone."""
    here, _ = await portal.create_session()
    elsewhere, _ = await portal.create_session()
    cookie, token = await planted(portal)

    reply = await portal.post_form(
        "/sessions",
        [("end", end), ("csrf_token", token)],
        headers=[*SIBLING, ("Cookie", f"{cookie}; {COOKIE}={here}")],
    )

    assert reply.status == 403
    assert (await portal.verify(here)).status == 200
    assert (await portal.verify(elsewhere)).status == 200


async def test_planted_session_does_not_break_the_page(portal: Portal) -> None:
    """The page's own form works beside a dead cookie that came first."""
    here, _ = await portal.create_session()
    elsewhere, _ = await portal.create_session()
    cookies = ("Cookie", f"{COOKIE}={create_session_id()}; {COOKIE}={here}")
    page = await portal.send("GET", "/", headers=[cookies])

    reply = await portal.post_form(
        "/sessions",
        [("end", "others"), ("csrf_token", token_in(page))],
        headers=[cookies],
    )

    assert reply.status == 303
    assert (await portal.verify(here)).status == 200
    assert (await portal.verify(elsewhere)).status == 401


async def test_logout_form_signs_nobody_in(portal: Portal) -> None:
    """A token of a session is none for the login form, in the same browser (L-22)."""
    session, _ = await portal.create_session("alice")
    token = token_in(await confirm(portal, f"{COOKIE}={session}"))
    fields = [("username", "bob"), ("password", PASSWORD), ("csrf_token", token)]

    reply = await portal.post_form("/login", fields, cookie=session)

    assert reply.status == 403
    assert (await portal.verify(session)).header("Remote-User") == "alice"


async def test_expired_presession_is_replaced(portal: Portal) -> None:
    """After an hour the login page gives a new cookie with its form (L-22)."""
    assert isinstance(portal.clock, FakeClock)
    old = cookie_value(await portal.send("GET", "/login"), PRESESSION)
    portal.clock.advance(timedelta(hours=1))

    again = await portal.send(
        "GET", "/login", headers=[("Cookie", f"{PRESESSION}={old}")]
    )

    new = cookie_value(again, PRESESSION)
    found = portal.app[keys.TOKENS].lookup_presession((new,))
    assert new != old
    assert found is not None
    assert token_in(again) == portal.app[keys.TOKENS].token_for_presession(found)


async def test_presession_without_its_prefix_is_none(portal: Portal) -> None:
    """A sibling host can plant a cookie of any other name."""
    page = await portal.send("GET", "/login")
    value, token = cookie_value(page, PRESESSION), token_in(page)
    fields = [("username", "bob"), ("password", PASSWORD), ("csrf_token", token)]

    reply = await portal.post_form(
        "/login", fields, headers=[("Cookie", f"{COOKIE}_login={value}")]
    )

    assert reply.status == 403
