"""Signing in by the page, as a browser and as an attacker do it."""

from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import create_session_id, digest_of
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.web import keys
from tests.support.client import Reply
from tests.support.clock import FakeClock
from tests.support.html import check_page
from tests.support.portal import (
    COOKIE,
    PASSWORD,
    WEAK_HASH,
    Portal,
    cookie_value,
    write_enabled_users,
    write_weak_users,
)
from tests.support.stores import DownStore

PRESESSION = f"__Host-{COOKIE}_login"
SAME_ORIGIN = [
    ("Sec-Fetch-Site", "same-origin"),
    ("Origin", "https://auth.example.com"),
]


async def open_form(portal: Portal, query: str = "") -> tuple[dict[str, str], str]:
    """Open the login page; return the fields of its form and the pre-session."""
    shown = await portal.send("GET", f"/login{query}")
    form = check_page(shown.body.decode()).find("main").find("form")
    return form.fields(), cookie_value(shown, PRESESSION)


async def submit(
    portal: Portal,
    fields: dict[str, str],
    presession: str,
    *,
    username: str = "alice",
    password: str = PASSWORD,
    extra: dict[str, str] | None = None,
) -> Reply:
    """Submit the form as a browser without fetch metadata does."""
    filled = {**fields, "username": username, "password": password, **(extra or {})}
    return await portal.post_form(
        "/login", filled.items(), headers=[("Cookie", f"{PRESESSION}={presession}")]
    )


async def test_login_leads_to_target_with_a_session(portal: Portal) -> None:
    """The right password makes a session and leads to the checked target (L-38)."""
    fields, presession = await open_form(
        portal, "?rd=https%3A%2F%2Fapp.example.com%2Fx"
    )

    reply = await submit(portal, fields, presession)

    token = cookie_value(reply, COOKIE)
    assert reply.status == 303
    assert reply.header("Location") == "https://app.example.com/x"
    assert (await portal.verify(token)).status == 200


async def test_session_cookie_has_its_attributes(portal: Portal) -> None:
    """The cookie reaches all hosts of the domain, over TLS, and no script."""
    fields, presession = await open_form(portal)

    reply = await submit(portal, fields, presession)

    session, cleared = reply.lines("Set-Cookie")
    assert session.split("; ", 1)[1] == (
        "Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax"
    )
    assert cleared.startswith(f"{PRESESSION}=; Path=/; Max-Age=0")


async def test_remember_me_outlives_the_browser(portal: Portal) -> None:
    """A remembered session has a cookie and a life of its own."""
    fields, presession = await open_form(portal)

    reply = await submit(portal, fields, presession, extra={"remember_me": "true"})
    token = cookie_value(reply, COOKIE)
    assert isinstance(portal.clock, FakeClock)
    portal.clock.advance(timedelta(days=29))
    within = await portal.verify(token)
    portal.clock.advance(timedelta(days=1))
    over = await portal.verify(token)

    assert "; Max-Age=2592000; " in reply.lines("Set-Cookie")[0]
    assert (within.status, over.status) == (200, 401)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("alice", "wrong"),
        ("nobody", PASSWORD),
        ("carol", PASSWORD),
        ("alice", ""),
        ("", ""),
        ("alice", "a" * 5000),
        ("al\x00ice", PASSWORD),
    ],
    ids=["wrong", "unknown", "disabled", "empty", "nothing", "long", "nul"],
)
async def test_failures_look_alike(
    portal: Portal, username: str, password: str
) -> None:
    """A failure says nothing about which half was wrong, and makes no session."""
    fields, presession = await open_form(portal)
    expected = await submit(portal, fields, presession, password="wrong!")

    reply = await submit(
        portal, fields, presession, username=username, password=password
    )

    alert = check_page(reply.body.decode()).find("div", role="alert")
    wanted = check_page(expected.body.decode()).find("div", role="alert")
    assert reply.status == 401
    assert alert.text == wanted.text
    assert not any(line.startswith(f"{COOKIE}=") for line in reply.lines("Set-Cookie"))
    assert await portal.store.count() == 0


async def test_user_name_is_kept_and_escaped(portal: Portal) -> None:
    """The form shows again what was typed, as text."""
    fields, presession = await open_form(portal)

    reply = await submit(portal, fields, presession, username='"><script>')

    form = check_page(reply.body.decode()).find("main").find("form")
    assert form.fields()["username"] == '"><script>'


async def test_form_without_token_is_shown_again(portal: Portal) -> None:
    """A post that nothing shows to be ours signs nobody in (L-22)."""
    reply = await portal.post_form(
        "/login", [("username", "alice"), ("password", PASSWORD)]
    )

    assert reply.status == 403
    assert await portal.store.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site"), ("Origin", "https://app.example.com")],
        [("Sec-Fetch-Site", "none")],
        [("Origin", "https://auth.example.com")],
        [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")],
    ],
    ids=str,
)
async def test_login_from_elsewhere_needs_the_token(
    portal: Portal, headers: list[tuple[str, str]]
) -> None:
    """A sibling host cannot sign a browser in either (L-22)."""
    reply = await portal.post_form(
        "/login", [("username", "alice"), ("password", PASSWORD)], headers=headers
    )

    assert reply.status == 403


async def test_expired_form_of_our_own_page_just_works(portal: Portal) -> None:
    """Where the browser vouches for our page, an old token does no harm."""
    fields, presession = await open_form(portal)
    assert isinstance(portal.clock, FakeClock)
    portal.clock.advance(timedelta(hours=2))
    filled = {**fields, "username": "alice", "password": PASSWORD}
    cookie = ("Cookie", f"{PRESESSION}={presession}")

    old = await portal.post_form("/login", filled.items(), headers=[cookie])
    modern = await portal.post_form(
        "/login", filled.items(), headers=[cookie, *SAME_ORIGIN]
    )

    assert (old.status, modern.status) == (403, 303)


async def test_expired_form_is_answered_by_one_that_works(portal: Portal) -> None:
    """Name, target and choice are kept, and the next post needs nothing but these."""
    fields, presession = await open_form(portal, "?rd=https://app.example.com/x")
    assert isinstance(portal.clock, FakeClock)
    portal.clock.advance(timedelta(hours=2))

    renewed = await submit(portal, fields, presession, extra={"remember_me": "true"})
    form = check_page(renewed.body.decode()).find("main").find("form").fields()
    again = await submit(portal, form, cookie_value(renewed, PRESESSION))

    assert renewed.status == 403
    assert (form["username"], form["remember_me"]) == ("alice", "true")
    assert form["password"] == ""
    assert again.status == 303
    assert again.header("Location") == "https://app.example.com/x"


async def test_second_tab_goes_on_when_the_first_has_signed_in(portal: Portal) -> None:
    """Its pre-session is gone with the first login; it leads to its own target."""
    first, presession = await open_form(portal)
    second, _ = await open_form(portal, "?rd=https://app.example.com/x")
    token = cookie_value(await submit(portal, first, presession), COOKIE)

    filled = {**second, "username": "alice", "password": PASSWORD}
    reply = await portal.post_form("/login", filled.items(), cookie=token)

    assert reply.status == 303
    assert reply.header("Location") == "https://app.example.com/x"
    assert reply.lines("Set-Cookie") == []
    assert (await portal.verify(token)).status == 200
    assert await portal.store.count() == 1


@pytest.mark.parametrize("username", ["alice", "ALICE"])
async def test_signed_in_visitor_is_not_asked_again(
    portal: Portal, username: str
) -> None:
    """A wrong password in a tab that was left open keeps nobody out, or in."""
    token, _ = await portal.create_session("alice")
    wrong = [("username", username), ("password", "wrong")]

    reply = await portal.post_form("/login", wrong, headers=SAME_ORIGIN, cookie=token)

    assert reply.status == 303
    assert reply.header("Location") == "https://auth.example.com/"
    assert (await portal.verify(token)).status == 200


@pytest.mark.parametrize("username", ["alice", "nobody", ""])
@pytest.mark.parametrize("headers", [SAME_ORIGIN, []], ids=["modern", "old"])
async def test_form_that_names_another_leads_nobody_on(
    portal: Portal, username: str, headers: list[tuple[str, str]]
) -> None:
    """Who wants to be somebody else is asked, and nothing has changed meanwhile."""
    token, _ = await portal.create_session("bob")
    wrong = [("username", username), ("password", "wrong")]

    reply = await portal.post_form("/login", wrong, headers=headers, cookie=token)

    assert reply.status == (401 if headers else 403)
    form = check_page(reply.body.decode()).find("main").find("form")
    assert form.fields()["username"] == username
    assert (await portal.verify(token)).status == 200


async def test_foreign_presession_does_not_fit_the_token(portal: Portal) -> None:
    """A token counts only beside the pre-session it was made for (L-22)."""
    fields, _ = await open_form(portal)
    _, other = await open_form(portal)

    reply = await submit(portal, fields, other)

    assert reply.status == 403


async def test_planted_session_is_not_adopted(portal: Portal) -> None:
    """A cookie that was there before login never becomes the session (L-13)."""
    planted = create_session_id()

    reply = await portal.post_form(
        "/login",
        [("username", "alice"), ("password", PASSWORD)],
        headers=SAME_ORIGIN,
        cookie=planted,
    )

    assert cookie_value(reply, COOKIE) != planted
    assert await portal.store.load(digest_of(planted)) is None


async def test_signing_in_ends_the_session_before(portal: Portal) -> None:
    """Signing in over a live session ends that one."""
    before, _ = await portal.create_session("bob")

    reply = await portal.post_form(
        "/login",
        [("username", "alice"), ("password", PASSWORD)],
        headers=SAME_ORIGIN,
        cookie=before,
    )

    assert reply.status == 303
    assert await portal.store.load(digest_of(before)) is None
    assert await portal.store.count() == 1


@pytest.mark.parametrize(
    "rd", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/local"]
)
async def test_refused_target_leads_to_the_portal(portal: Portal, rd: str) -> None:
    """A refused target is dropped, for login as for logout (L-33)."""
    reply = await portal.post_form(
        "/login",
        [("username", "alice"), ("password", PASSWORD), ("rd", rd)],
        headers=SAME_ORIGIN,
    )

    assert reply.status == 303
    assert reply.header("Location") == "https://auth.example.com/"


async def test_default_target_of_the_domain(portal: Portal) -> None:
    """Without a target, the login ends where the cookie domain says."""
    token, _ = await portal.create_session(domain="example.org")

    reply = await portal.send("GET", "/login", host="login.example.org", cookie=token)

    assert reply.header("Location") == "https://www.example.org/"


async def test_signed_in_visitor_goes_straight_on(portal: Portal) -> None:
    """Who is signed in already does not sign in again."""
    token, _ = await portal.create_session()

    reply = await portal.send(
        "GET", "/login?rd=https://app.example.com/x", cookie=token
    )

    assert reply.status == 303
    assert reply.header("Location") == "https://app.example.com/x"


async def test_too_many_attempts_are_429(portal: Portal) -> None:
    """Guessing is slowed down, and the page says for how long."""
    fields, presession = await open_form(portal)
    for _ in range(6):
        await submit(portal, fields, presession, password="wrong")

    reply = await submit(portal, fields, presession)

    assert reply.status == 429
    assert int(reply.header("Retry-After")) > 0
    check_page(reply.body.decode())


async def test_old_hash_is_replaced_at_login(tmp_path: Path) -> None:
    """A weaker hash becomes argon2id, and other sessions of the user live on."""
    write_weak_users(tmp_path)
    async with Portal(tmp_path) as portal:
        elsewhere, _ = await portal.create_session(password_hash=WEAK_HASH)
        before = portal.users.read_text(encoding="utf-8")

        reply = await portal.post_form(
            "/login",
            [("username", "alice"), ("password", PASSWORD)],
            headers=SAME_ORIGIN,
        )
        await portal.app[keys.USERS].reload()

        assert portal.users.read_text(encoding="utf-8") != before
        assert (await portal.verify(elsewhere)).status == 200
        assert (await portal.verify(cookie_value(reply, COOKIE))).status == 200


async def test_login_page_stores_nothing(portal: Portal) -> None:
    """The page sets its signed cookie, and nothing is kept for it."""
    await open_form(portal)

    assert await portal.store.count() == 0


async def test_login_page_keeps_its_presession(portal: Portal) -> None:
    """A second tab uses the cookie of the first, so both forms work."""
    fields, presession = await open_form(portal)

    again = await portal.send(
        "GET", "/login", headers=[("Cookie", f"{PRESESSION}={presession}")]
    )

    assert again.lines("Set-Cookie") == []
    form = check_page(again.body.decode()).find("main").find("form").fields()
    assert form["csrf_token"] == fields["csrf_token"]


class FullStore(MemoryStore):
    """A store that takes no new session."""

    async def create(self, entry: Entry) -> bool:  # noqa: ARG002 - the seam
        raise StoreUnavailableError("the disk is full")


async def test_store_outage_is_told(tmp_path: Path) -> None:
    """A right password without a store is 503, and no cookie is set."""
    async with Portal(tmp_path, store=FullStore()) as portal:
        reply = await portal.post_form(
            "/login",
            [("username", "alice"), ("password", PASSWORD)],
            headers=SAME_ORIGIN,
        )

    assert reply.status == 503
    assert reply.header("Retry-After") == "5"
    assert not any(line.startswith(f"{COOKIE}=") for line in reply.lines("Set-Cookie"))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_outage_is_explained_to_who_may_be_signed_in(
    tmp_path: Path, method: str
) -> None:
    """The form says that the store is at fault, and is 503 (V-2)."""
    store = DownStore()
    write_enabled_users(tmp_path)
    async with Portal(tmp_path, store=store) as portal:
        cookie, _ = await portal.create_session("alice")
        store.go_down()
        if method == "GET":
            reply = await portal.send("GET", "/login", cookie=cookie)
        else:
            wrong = [("username", "alice"), ("password", "wrong")]
            reply = await portal.post_form(
                "/login", wrong, headers=SAME_ORIGIN, cookie=cookie
            )
        store.come_back()

    assert reply.status == 503
    assert reply.header("Retry-After") == "5"
    alert = check_page(reply.body.decode()).find("div", role="alert")
    assert "the place where sign-ins are kept does not answer" in alert.text


async def test_login_is_on_the_portal_alone(portal: Portal) -> None:
    """A protected host that is led here by mistake shows no login form."""
    reply = await portal.send("GET", "/login", host="app.example.com")

    assert reply.status == 400
