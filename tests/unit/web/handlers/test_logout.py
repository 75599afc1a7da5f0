"""Logout on the portal: who may ask, what ends, what is cleared, where it leads."""

import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest, SessionId, create_session_id, digest_of
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.web import keys
from tests.support.client import NAVIGATION, Reply
from tests.support.html import check_page
from tests.support.portal import (
    APP,
    COOKIE,
    PASSWORD,
    PORTAL,
    Portal,
    cookie_value,
)

SAFE = "https://app.example.com/bye?x=%7E#top"
SIGNED_OUT = "https://auth.example.com/signed-out"

Headers = list[tuple[str, str]]

OWN_NAVIGATIONS: dict[str, Headers] = {
    "typed": [("Sec-Fetch-Site", "none"), *NAVIGATION],
    "same-origin": [("Sec-Fetch-Site", "same-origin"), *NAVIGATION],
    "same-site": [("Sec-Fetch-Site", "same-site"), *NAVIGATION],
    "curl": [],
    "old-browser-referer": [("Referer", "https://app.example.com/page?x")],
}
OTHER_GETS: dict[str, Headers] = {
    "cross-site": [("Sec-Fetch-Site", "cross-site"), *NAVIGATION],
    "image": [
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Sec-Fetch-Dest", "image"),
    ],
    "iframe": [
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "iframe"),
    ],
    "fetch": [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Dest", "empty"),
    ],
    "prefetch": [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Purpose", "prefetch;prerender"),
        *NAVIGATION,
    ],
    "old-prefetch": [("Purpose", "prefetch")],
    "old-browser-foreign-referer": [("Referer", "https://evil.example/")],
    "foreign-origin": [("Origin", "https://evil.example")],
    "null-origin": [("Origin", "null")],
    "suffix-without-dot": [("Referer", "https://evilexample.com/")],
    "contradiction": [
        ("Sec-Fetch-Site", "same-origin"),
        ("Origin", "https://evil.example"),
        *NAVIGATION,
    ],
    "contradiction-sibling": [
        ("Sec-Fetch-Site", "same-origin"),
        ("Origin", "https://app.example.com"),
        *NAVIGATION,
    ],
    "repeated-site": [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "same-origin"),
        *NAVIGATION,
    ],
    "mode-without-site": [*NAVIGATION],
    "plain-http-origin": [("Referer", "http://app.example.com/")],
}


def sent_cookies(reply: Reply) -> list[str]:
    """Return the ``Set-Cookie`` lines as they came."""
    return reply.lines("Set-Cookie")


async def is_alive(portal: Portal, token: str) -> bool:
    """Whether verify still accepts *token*."""
    return (await portal.verify(token)).status == 200


@pytest.mark.parametrize("case", OWN_NAVIGATIONS)
async def test_own_navigation_signs_out(portal: Portal, case: str) -> None:
    """A link of the same site, or a typed address, ends the session (L-1, L-17)."""
    token, _ = await portal.create_session()

    reply = await portal.send(
        "GET", "/logout", headers=OWN_NAVIGATIONS[case], cookie=token
    )

    assert reply.status == 303
    assert reply.header("Location") == SIGNED_OUT
    assert not await is_alive(portal, token)
    assert await portal.store.load(digest_of(token)) is None


@pytest.mark.parametrize("case", OTHER_GETS)
async def test_other_get_ends_nothing(portal: Portal, case: str) -> None:
    """Other sites, frames, images and prefetches get the page (L-17, L-18)."""
    token, _ = await portal.create_session()

    reply = await portal.send("GET", "/logout", headers=OTHER_GETS[case], cookie=token)

    assert reply.status == 200
    check_page(reply.body.decode())
    assert not any("Max-Age=0" in line for line in sent_cookies(reply))
    assert await is_alive(portal, token)


@pytest.mark.parametrize("method", ["HEAD"])
async def test_head_ends_nothing(portal: Portal, method: str) -> None:
    """A HEAD is no decision of a person (L-18)."""
    token, _ = await portal.create_session()

    reply = await portal.send(method, "/logout", cookie=token)

    assert (reply.status, reply.body) == (200, b"")
    assert await is_alive(portal, token)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_method_is_405(portal: Portal, method: str) -> None:
    """Other methods are refused with the list of those that work (L-21)."""
    token, _ = await portal.create_session()

    reply = await portal.send(method, "/logout", cookie=token)

    assert reply.status == 405
    assert reply.header("Allow") == "GET,HEAD,POST"
    assert await is_alive(portal, token)


@pytest.mark.parametrize(
    "headers",
    [
        [("Sec-Fetch-Site", "same-origin")],
        [("Sec-Fetch-Site", "same-site")],
        [("Origin", "https://auth.example.com")],
        [("Origin", "https://app.example.com")],
        [("Origin", "https://app.example.com:8443")],
        [("Sec-Fetch-Site", "same-origin"), ("Origin", "null")],
    ],
    ids=str,
)
async def test_post_with_proof_signs_out(portal: Portal, headers: Headers) -> None:
    """A post that proves that it comes from our sites ends the session (L-16)."""
    token, _ = await portal.create_session()

    reply = await portal.post_form("/logout", [], headers=headers, cookie=token)

    assert reply.status == 303
    assert not await is_alive(portal, token)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Referer", "https://app.example.com/x")],
        [("Sec-Fetch-Site", "none")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Origin", "http://app.example.com")],
        [("Sec-Fetch-Site", "same-site"), ("Origin", "https://evil.example")],
        [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://app.example.com")],
        [("Sec-Fetch-Site", "same-origin"), ("Sec-Purpose", "prefetch")],
    ],
    ids=str,
)
@pytest.mark.parametrize("csrf_token", ["", "0" * 64, "é"])
async def test_post_without_proof_ends_nothing(
    portal: Portal, headers: Headers, csrf_token: str
) -> None:
    """Without proof a post gets the confirmation page (L-16)."""
    token, _ = await portal.create_session()

    reply = await portal.post_form(
        "/logout", [("csrf_token", csrf_token)], headers=headers, cookie=token
    )

    assert reply.status == 200
    assert not any("Max-Age=0" in line for line in sent_cookies(reply))
    assert await is_alive(portal, token)


async def test_button_of_the_page_signs_out(portal: Portal) -> None:
    """The page's own form, posted as it is, ends the session (L-16, L-44)."""
    token, _ = await portal.create_session()
    shown = await portal.send(
        "GET",
        f"/logout?rd={quote(SAFE, safe='')}",
        headers=OTHER_GETS["cross-site"],
        cookie=token,
    )
    form = check_page(shown.body.decode()).find("form")

    reply = await portal.post_form("/logout", form.fields().items(), cookie=token)

    assert form.attributes["action"] == "https://auth.example.com/logout"
    assert reply.status == 303
    assert reply.header("Location") == SAFE
    assert not await is_alive(portal, token)


async def test_page_without_session_cookie_posts_with_presession(
    portal: Portal,
) -> None:
    """Without the cookie the page claims nothing and clears nothing (L-19)."""
    shown = await portal.send("GET", "/logout", headers=OTHER_GETS["cross-site"])
    form = check_page(shown.body.decode()).find("form")
    presession = cookie_value(shown, f"__Host-{COOKIE}_login")
    token, _ = await portal.create_session()
    cookies = f"__Host-{COOKIE}_login={presession}; {COOKIE}={token}"

    reply = await portal.post_form(
        "/logout", form.fields().items(), headers=[("Cookie", cookies)]
    )

    assert shown.status == 200
    assert not any("Max-Age=0" in line for line in sent_cookies(shown))
    assert reply.status == 303
    assert not await is_alive(portal, token)


async def test_another_browsers_token_proves_nothing(portal: Portal) -> None:
    """A form token is worth nothing in another browser (L-16)."""
    mine, _ = await portal.create_session("bob")
    shown = await portal.send(
        "GET", "/logout", headers=OTHER_GETS["cross-site"], cookie=mine
    )
    form = check_page(shown.body.decode()).find("form")
    victim, _ = await portal.create_session("alice")

    reply = await portal.post_form("/logout", form.fields().items(), cookie=victim)

    assert reply.status == 200
    assert await is_alive(portal, victim)


@pytest.mark.parametrize(
    "cookie",
    [None, create_session_id(), "garbage", "", "é"],
    ids=["none", "unknown", "garbage", "empty", "latin"],
)
async def test_logout_is_idempotent(portal: Portal, cookie: str | None) -> None:
    """No cookie, an unknown one, a second time: the same answer (L-6, L-7)."""
    token, _ = await portal.create_session()
    first = await portal.send("GET", "/logout", cookie=token)
    again = await portal.send("GET", "/logout", cookie=token)

    other = await portal.send("GET", "/logout", cookie=cookie)

    for reply in (first, again, other):
        assert reply.status == 303
        assert reply.header("Location") == SIGNED_OUT
        assert len(sent_cookies(reply)) == 3


async def test_every_presented_session_ends(portal: Portal) -> None:
    """Logout ends every session whose cookie is presented, planted ones too."""
    mine, _ = await portal.create_session("alice")
    planted, _ = await portal.create_session("bob")
    header = ("Cookie", f"{COOKIE}={mine}; {COOKIE}={planted}")

    reply = await portal.send("GET", "/logout", headers=[header])

    assert reply.status == 303
    assert await portal.store.count() == 0


async def test_linked_sessions_end_together(portal: Portal) -> None:
    """A logout on one cookie domain ends the login's session on the other (L-14)."""
    home, session = await portal.create_session()
    linked, _ = await portal.create_session(domain="example.org", linked_to=session)

    reply = await portal.send("GET", "/logout", host="login.example.org", cookie=linked)

    assert reply.header("Location") == "https://login.example.org/signed-out"
    assert not await is_alive(portal, home)
    assert await portal.store.count() == 0


async def test_other_sessions_of_the_user_live_on(portal: Portal) -> None:
    """With ``scope: browser`` the user's other browsers stay signed in."""
    here, _ = await portal.create_session()
    elsewhere, _ = await portal.create_session()

    await portal.send("GET", "/logout", cookie=here)

    assert await is_alive(portal, elsewhere)


async def test_scope_user_ends_all_of_the_user(tmp_path: Path) -> None:
    """With ``scope: user`` all the user's sessions end, nobody else's (L-10)."""
    async with Portal(tmp_path, extra="logout: {scope: user}\n") as portal:
        here, _ = await portal.create_session("alice")
        elsewhere, _ = await portal.create_session("alice", domain="example.org")
        other, _ = await portal.create_session("bob")

        await portal.send("GET", "/logout", cookie=here)

        assert not await is_alive(portal, here)
        assert (await portal.verify(elsewhere, host="app.example.org")).status == 401
        assert await is_alive(portal, other)


async def test_cookies_are_cleared_line_by_line(tmp_path: Path) -> None:
    """Each name and variant has a line with the attributes of creation (L-24..L-26)."""
    extra = "logout: {clear_cookies: [grafana_session, __Secure-app]}\n"
    async with Portal(tmp_path, extra=extra) as portal:
        reply = await portal.send("GET", "/logout")

    end = (
        "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; "
        "Secure; HttpOnly; SameSite=Lax"
    )
    assert sent_cookies(reply) == [
        f"{COOKIE}=; Path=/; Domain=example.com; {end}",
        f"{COOKIE}=; Path=/; {end}",
        f"__Host-{COOKIE}_login=; Path=/; {end}",
        f"grafana_session=; Path=/; Domain=example.com; {end}",
        f"grafana_session=; Path=/; {end}",
        f"__Secure-app=; Path=/; Domain=example.com; {end}",
        f"__Secure-app=; Path=/; {end}",
    ]


async def test_clear_site_data_is_opt_in_and_quoted(tmp_path: Path) -> None:
    """``Clear-Site-Data`` comes by list, its values quoted (L-29)."""
    extra = "logout: {clear_site_data: [storage, cookies]}\n"
    async with Portal(tmp_path, extra=extra) as portal:
        reply = await portal.send("GET", "/logout")

    assert reply.header("Clear-Site-Data") == '"storage", "cookies"'


async def test_answers_carry_safe_headers(portal: Portal) -> None:
    """No logout answer may be stored, framed or leak its address (L-30)."""
    replies = [
        await portal.send("GET", "/logout"),
        await portal.send("GET", "/logout", headers=OTHER_GETS["cross-site"]),
        await portal.send("GET", "/signed-out"),
        await portal.post_json("/api/logout", b"{}"),
    ]

    for reply in replies:
        assert reply.header("Cache-Control") == "no-store"
        assert reply.header("Referrer-Policy") == "no-referrer"
        assert reply.header("X-Content-Type-Options") == "nosniff"
        assert {"Sec-Fetch-Site", "Origin", "Cookie"} <= set(
            ", ".join(reply.lines("Vary")).split(", ")
        )
        assert reply.lines("Clear-Site-Data") == []
    for page in replies[1:3]:
        assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")


@pytest.mark.parametrize("name", ["rd", "redirect_uri", "targetURL"])
async def test_safe_target_is_sent_byte_for_byte(portal: Portal, name: str) -> None:
    """Each spelling of the parameter leads to the checked text itself (L-32, L-38)."""
    path = f"/logout?{name}=https%3A%2F%2Fapp.example.com%2Fbye%3Fx%3D%257E%23top"

    reply = await portal.send("GET", path)

    assert reply.status == 303
    assert reply.header("Location") == SAFE


@pytest.mark.parametrize(
    "query",
    [
        "rd=https%3A%2F%2Fevil.example%2F",
        "rd=https%3A%2F%2Fapp.example.com%2F&rd=https%3A%2F%2Fapp.example.com%2F",
        "rd=https%3A%2F%2Fapp.example.com%2F&redirect_uri=https%3A%2F%2Fapp.example.com%2F",
        "rd=javascript%3Aalert(1)",
        "rd=%2F%2Fevil.example",
        "rd=https%3A%2F%2Fapp.example.com%2Flogout",
        "rd=https%3A%2F%2Fauth.example.com%2Flogout",
        "rd=https%3A%2F%2Fapp.example.com%2F%0D%0ASet-Cookie%3Aa%3Db",
        "rd=%FF%FE",
        "rd=" + "a" * 4000,
        "rd=",
        "&".join(f"a{n}=b" for n in range(100)),
    ],
    ids=lambda value: value[:40],
)
async def test_bad_target_keeps_no_session_alive(portal: Portal, query: str) -> None:
    """Whatever the target, the session is dead and the page is ours (L-8, L-34)."""
    token, _ = await portal.create_session()

    reply = await portal.send("GET", f"/logout?{query}", cookie=token)

    assert reply.status == 303
    assert reply.header("Location") == SIGNED_OUT
    assert not await is_alive(portal, token)


async def test_form_target_conflicts_with_query(portal: Portal) -> None:
    """A target in the query and one in the form are two: none is used (L-32)."""
    token, _ = await portal.create_session()

    reply = await portal.post_form(
        "/logout?rd=https://app.example.com/",
        [("rd", "https://app.example.com/")],
        headers=[("Sec-Fetch-Site", "same-origin")],
        cookie=token,
    )

    assert reply.header("Location") == SIGNED_OUT
    assert not await is_alive(portal, token)


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("{default_target: https://www.example.com/}", "https://www.example.com/"),
        ("{default_target: login}", "https://auth.example.com/login"),
    ],
    ids=["url", "login"],
)
async def test_default_target_is_next(
    tmp_path: Path, extra: str, expected: str
) -> None:
    """A refused or absent target gives way to the configured default (L-32)."""
    async with Portal(tmp_path, extra=f"logout: {extra}\n") as portal:
        absent = await portal.send("GET", "/logout")
        refused = await portal.send("GET", "/logout?rd=https://evil.example/")
        valid = await portal.send("GET", f"/logout?rd=https://{APP}/")

    assert absent.header("Location") == expected
    assert refused.header("Location") == expected
    assert valid.header("Location") == f"https://{APP}/"


async def test_refused_target_is_never_shown(portal: Portal) -> None:
    """The page neither shows nor links what was refused (L-34)."""
    reply = await portal.send(
        "GET", "/logout?rd=https://evil.example/", headers=OTHER_GETS["cross-site"]
    )

    assert reply.status == 200
    assert b"evil" not in reply.body


async def test_json_client_gets_json(portal: Portal) -> None:
    """A client that prefers JSON is answered in it; the end is the same (L-51)."""
    token, _ = await portal.create_session()
    accept = ("Accept", "application/json")

    asked = await portal.send(
        "GET",
        "/logout",
        headers=[accept, ("Origin", "https://evil.example")],
        cookie=token,
    )
    alive = await is_alive(portal, token)
    done = await portal.send("GET", "/logout", headers=[accept], cookie=token)

    assert (asked.status, asked.json()["status"]) == (403, "KO")
    assert alive
    assert done.json() == {"status": "OK", "data": {"safeTargetURL": False}}
    assert not await is_alive(portal, token)


async def test_signed_out_page_is_there(portal: Portal) -> None:
    """The logout page needs no configuration and no session (L-45, L-49)."""
    reply = await portal.send("GET", "/signed-out")

    page = check_page(reply.body.decode())
    assert reply.status == 200
    links = [link.attributes["href"] for link in page.find_all("a")]
    assert "https://auth.example.com/login" in links


async def test_signed_out_page_claims_nothing_untrue(portal: Portal) -> None:
    """Who is signed in is not told to be signed out."""
    token, _ = await portal.create_session()

    reply = await portal.send("GET", "/signed-out", cookie=token)

    assert reply.status == 303
    assert reply.header("Location") == "https://auth.example.com/"


class DownStore(MemoryStore):
    """A store whose every call fails while ``is_down``."""

    is_down = False

    def __getattribute__(self, name: str) -> object:
        is_call = name in {"load", "delete", "delete_login", "delete_owner", "create"}
        if is_call and super().__getattribute__("is_down"):
            raise StoreUnavailableError("the store is down")
        return super().__getattribute__(name)

    def peek(self, digest: Digest) -> Row | None:
        if self.is_down:
            raise NoGlanceError
        return super().peek(digest)


@pytest.fixture
def down_store() -> DownStore:
    """A store that a test can take down."""
    return DownStore()


async def _stop_and_logout(
    portal: Portal, store: DownStore, *, headers: Iterable[tuple[str, str]] = ()
) -> tuple[SessionId, Reply]:
    token, _ = await portal.create_session()
    store.is_down = True
    reply = await portal.send("GET", "/logout", headers=headers, cookie=token)
    return token, reply


async def test_outage_is_told_and_not_forgotten(
    tmp_path: Path, down_store: DownStore
) -> None:
    """A store that is down: cookie cleared, 503, pending, refused at once (L-9)."""
    async with Portal(tmp_path, store=down_store) as portal:
        token, reply = await _stop_and_logout(portal, down_store)
        down_store.is_down = False
        refused = await portal.verify(token)
        await portal.app[keys.REVOKER].retry_pending()

        assert reply.status == 503
        assert reply.header("Retry-After") == "5"
        assert len(sent_cookies(reply)) == 3
        check_page(reply.body.decode())
        assert refused.status == 401
        assert await portal.store.load(digest_of(token)) is None


async def test_outage_survives_a_restart(tmp_path: Path, down_store: DownStore) -> None:
    """A pending revocation is refused and carried out after a restart (L-9, L-15)."""
    async with Portal(tmp_path, store=down_store) as portal:
        token, _ = await _stop_and_logout(portal, down_store)
    down_store.is_down = False
    async with Portal(tmp_path, store=down_store) as portal:
        refused = await portal.verify(token)

        assert refused.status == 401
        await portal.app[keys.REVOKER].retry_pending()
        assert await portal.store.load(digest_of(token)) is None


async def test_outage_in_json(tmp_path: Path, down_store: DownStore) -> None:
    """The same for programs, with a bad body too (L-9, L-51)."""
    accept = [("Accept", "application/json")]
    async with Portal(tmp_path, store=down_store) as portal:
        token, page = await _stop_and_logout(portal, down_store, headers=accept)
        api = await portal.post_json("/api/logout", b"{bad", cookie=token)

    for reply in (page, api):
        assert reply.status == 503
        assert reply.json()["status"] == "KO"
        assert reply.json()["data"] == {"pending": True}
        assert len(sent_cookies(reply)) == 3


async def test_confirmation_page_needs_no_store(
    tmp_path: Path, down_store: DownStore
) -> None:
    """The page is there while the store is down (L-45)."""
    down_store.is_down = True
    async with Portal(tmp_path, store=down_store) as portal:
        reply = await portal.send(
            "GET",
            "/logout",
            headers=OTHER_GETS["cross-site"],
            cookie=create_session_id(),
        )

    assert reply.status == 200


async def test_foreign_host_is_400(portal: Portal) -> None:
    """A host below no cookie domain has no logout."""
    reply = await portal.send("GET", "/logout", host="example.net")

    assert reply.status == 400


async def test_base_path_moves_everything(tmp_path: Path) -> None:
    """Below a base path the portal's pages and links are below it."""
    extra = "server: {base_path: /authenticate}\n"
    async with Portal(tmp_path, extra=extra) as portal:
        token, _ = await portal.create_session()
        done = await portal.send("GET", "/authenticate/logout", cookie=token)
        loop = await portal.send(
            "GET",
            f"/authenticate/logout?rd=https://{PORTAL}/authenticate/logout",
        )
        missing = await portal.send("GET", "/logout")

    assert done.header("Location") == "https://auth.example.com/authenticate/signed-out"
    assert loop.header("Location") == "https://auth.example.com/authenticate/signed-out"
    assert missing.status == 404


async def test_remembered_session_ends_like_any_other(portal: Portal) -> None:
    """A login that was to be remembered for a month is gone at once (L-4)."""
    login = await portal.post_json(
        "/api/firstfactor",
        json.dumps(
            {"username": "alice", "password": PASSWORD, "keepMeLoggedIn": True}
        ).encode(),
    )
    token = cookie_value(login, COOKIE)
    before = await portal.verify(token)

    await portal.send("GET", "/logout", cookie=token)

    after = await portal.verify(token)
    assert (before.status, after.status) == (200, 401)
    assert await portal.store.count() == 0


async def test_page_after_a_logout_elsewhere_ends_the_sign_in_under_way(
    portal: Portal,
) -> None:
    """The portal's pre-session goes where another host signed out (L-3, L-22, L-27)."""
    own = await portal.send(
        "GET", "/signed-out", headers=[("Sec-Fetch-Site", "same-site"), *NAVIGATION]
    )
    foreign = await portal.send(
        "GET", "/signed-out", headers=[("Sec-Fetch-Site", "cross-site"), *NAVIGATION]
    )

    assert [line.split(";")[0] for line in own.lines("Set-Cookie")] == [
        f"__Host-{COOKIE}_login="
    ]
    assert foreign.lines("Set-Cookie") == []


async def test_sign_out_works_by_whatever_scheme(portal: Portal) -> None:
    """Plain http stops a sign-in at the portal, and never a sign-out (L-23)."""
    token, _ = await portal.create_session()
    plain = [("X-Forwarded-Proto", "http")]

    login = await portal.send("GET", "/login", headers=plain)
    logout = await portal.send("GET", "/logout", headers=plain, cookie=token)

    assert (login.status, logout.status) == (400, 303)
    assert not await is_alive(portal, token)


async def everywhere_path(portal: Portal, host: str) -> str:
    """Return where the logout page of *host* leads for the other sessions."""
    shown = await portal.send("GET", "/signed-out", host=host)
    (link,) = [
        a.attributes["href"]
        for a in check_page(shown.body.decode()).find_all("a")
        if a.text == "Sign in to end your other sessions"
    ]
    assert link.startswith(f"https://{host}/login?")
    return link.removeprefix(f"https://{host}")


async def test_logout_page_leads_through_a_sign_in_to_the_other_sessions(
    portal: Portal,
) -> None:
    """Nobody is known there any more; where one ends sessions, somebody is (L-49)."""
    reply = await portal.send("GET", await everywhere_path(portal, PORTAL))
    form = check_page(reply.body.decode()).find("main").find("form").fields()

    filled = {**form, "username": "alice", "password": PASSWORD}
    done = await portal.post_form(
        "/login", filled.items(), headers=[("Sec-Fetch-Site", "same-origin")]
    )

    assert done.header("Location") == "https://auth.example.com/"


async def test_logout_page_of_another_domain_leads_to_its_own_sessions(
    portal: Portal,
) -> None:
    """Not to the default of that domain, by which nothing can be ended (L-49)."""
    host = "login.example.org"
    token, _ = await portal.create_session("alice", domain="example.org")
    path = await everywhere_path(portal, host)

    reply = await portal.send("GET", path, host=host, cookie=token)

    assert reply.header("Location") == f"https://{host}/"
