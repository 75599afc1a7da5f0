"""The account page, and the change of the own password."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from forwardauth.sessions.model import EndCause
from forwardauth.users import editor
from forwardauth.users.throttle import ACCOUNT_LIMIT
from forwardauth.web import keys
from tests.support.client import Headers, Reply
from tests.support.clock import FakeClock
from tests.support.html import Element, check_page
from tests.support.portal import (
    COOKIE,
    HASH,
    PASSWORD,
    USERS,
    Portal,
    cookie_value,
    write_enabled_users,
)
from tests.support.stores import DownStore
from tests.support.users import CHEAP

NEW = "tangerine kayak mop"
HERE = "https://auth.example.com/account"
SAME_ORIGIN = [
    ("Sec-Fetch-Site", "same-origin"),
    ("Origin", "https://auth.example.com"),
]


@pytest.fixture
def store() -> DownStore:
    """A store that a test can take down."""
    return DownStore()


@pytest.fixture
async def portal(tmp_path: Path, store: DownStore) -> AsyncIterator[Portal]:
    """A service whose users file can be written."""
    write_enabled_users(tmp_path)
    async with Portal(tmp_path, store=store) as running:
        yield running


async def open_page(portal: Portal, token: str, path: str = "/account") -> Element:
    """Return the account page that the session *token* gets."""
    reply = await portal.send("GET", path, cookie=token)
    assert reply.status == 200
    return check_page(reply.body.decode())


async def change(
    portal: Portal,
    token: str,
    *,
    current: str = PASSWORD,
    new: str = NEW,
    again: str | None = None,
    csrf: str | None = None,
    headers: Headers = (),
) -> Reply:
    """Fill in the form of the page and send it."""
    if csrf is None:
        page = await open_page(portal, token)
        csrf = page.find("form", action="/account/password").fields()["csrf_token"]
    fields = [
        ("csrf_token", csrf),
        ("username", "alice"),
        ("current_password", current),
        ("new_password", new),
        ("new_password_again", new if again is None else again),
    ]
    return await portal.post_form(
        "/account/password", fields, headers=headers, cookie=token
    )


async def alive(portal: Portal, *tokens: str) -> list[bool]:
    """Whether verify accepts each of *tokens*."""
    return [(await portal.verify(token)).status == 200 for token in tokens]


def failure_of(reply: Reply) -> str:
    """Return what the page says went wrong."""
    return check_page(reply.body.decode()).find("div", role="alert").text


def hash_in(portal: Portal) -> str:
    """Return alice's hash as the file has it."""
    found = re.search(
        r'alice:.*?password: "?([^"\n]+)', portal.users.read_text(), re.DOTALL
    )
    assert found is not None
    return found[1]


async def test_change_counts_at_once(portal: Portal) -> None:
    """The file holds a hash of the new password, and nothing else in it is another."""
    token, _ = await portal.create_session()
    before = portal.users.read_text()

    reply = await change(portal, token)

    assert reply.status == 303
    assert CHEAP.verify(hash_in(portal), NEW.encode())
    assert portal.users.read_text() == before.replace(HASH, hash_in(portal), 1)


async def test_this_browser_gets_a_new_session_and_the_others_end(
    portal: Portal,
) -> None:
    """The cookie before is worth nothing any more, nor is any other of the user's."""
    here, own = await portal.create_session()
    linked, _ = await portal.create_session(domain="example.org", linked_to=own)
    there, _ = await portal.create_session()
    foreign, _ = await portal.create_session("bob")

    reply = await change(portal, here)

    token = cookie_value(reply, COOKIE)
    assert token != here
    assert await alive(portal, token, here, there, foreign) == [True] + [False] * 2 + [
        True
    ]
    assert (await portal.verify(linked, host="app.example.org")).status == 401
    url = reply.header("Location")
    page = await open_page(portal, token, url.removeprefix("https://auth.example.com"))
    assert page.find("p", role="status").text.startswith("Your password is changed.")


async def test_remembered_session_stays_remembered(portal: Portal) -> None:
    """Who asked to stay signed in need not ask again."""
    form = [("username", "alice"), ("password", PASSWORD), ("remember_me", "true")]
    login = await portal.post_form("/login", form, headers=SAME_ORIGIN)

    reply = await change(portal, cookie_value(login, COOKIE))

    (line,) = [e for e in reply.lines("Set-Cookie") if e.startswith(f"{COOKIE}=")]
    assert "Max-Age=2592000" in line


@pytest.mark.parametrize(
    ("typed", "status", "words"),
    [
        pytest.param({"current": "wrong"}, 403, "not correct", id="current"),
        pytest.param({"current": ""}, 403, "not correct", id="no current"),
        pytest.param({"again": "tangerine"}, 422, "differ", id="typing mistake"),
        pytest.param({"new": PASSWORD}, 422, "that you have", id="the same"),
        pytest.param({"new": "kX9#qv2"}, 422, "fewer than 8", id="short"),
        pytest.param({"new": ""}, 422, "fewer than 8", id="none"),
        pytest.param({"new": "x" * 1025}, 422, "too long", id="long"),
        pytest.param({"new": "Alice Liddell"}, 422, "too easy", id="own name"),
        pytest.param({"new": "example.com1"}, 422, "too easy", id="name of the site"),
    ],
)
async def test_refused_change_changes_nothing(
    portal: Portal, typed: dict[str, str], status: int, words: str
) -> None:
    """The page says why, and file and sessions stay as they were."""
    token, _ = await portal.create_session()
    before = portal.users.read_text()

    reply = await change(
        portal,
        token,
        current=typed.get("current", PASSWORD),
        new=typed.get("new", NEW),
        again=typed.get("again"),
    )

    assert reply.status == status
    assert words in failure_of(reply)
    assert portal.users.read_text() == before
    assert await alive(portal, token) == [True]


async def test_page_holds_nothing_that_was_typed(portal: Portal) -> None:
    """Neither password is in an answer, not even in a field."""
    token, _ = await portal.create_session()

    reply = await change(portal, token, again="tangerine kayak mob")

    body = reply.body.decode()
    assert all(text not in body for text in (PASSWORD, NEW, "kayak mob"))
    assert reply.header("Cache-Control") == "no-store"


async def test_guesses_at_the_current_password_are_throttled(portal: Portal) -> None:
    """Who sits at somebody's open browser gets no more tries than at the login."""
    token, _ = await portal.create_session()
    for _ in range(ACCOUNT_LIMIT.free + 1):
        await change(portal, token, current="wrong")

    reply = await change(portal, token)

    assert reply.status == 429
    assert reply.header("Retry-After")
    assert "too many attempts" in failure_of(reply)
    assert hash_in(portal) == HASH


@pytest.mark.parametrize(
    ("csrf", "headers"),
    [
        ("", []),
        ("A" * 64, []),
        ("", [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.test")]),
        ("", [("Sec-Fetch-Site", "same-site"), ("Origin", "https://app.example.com")]),
    ],
    ids=["no token", "wrong token", "foreign", "sibling"],
)
async def test_form_of_somebody_else_changes_nothing(
    portal: Portal, csrf: str, headers: Headers
) -> None:
    """Only our own page may ask, even with the right password."""
    token, _ = await portal.create_session()

    reply = await change(portal, token, csrf=csrf, headers=headers)

    assert reply.status == 403
    assert hash_in(portal) == HASH


async def test_edit_by_hand_of_the_same_user_has_the_last_word(portal: Portal) -> None:
    """An operator who sets a password meanwhile is not overruled."""
    token, _ = await portal.create_session()
    csrf = (await open_page(portal, token)).find("form", action="/account/password")
    set_by_hand = CHEAP.hash(b"by hand")
    editor.set_password(portal.users, "alice", set_by_hand)

    reply = await change(portal, token, csrf=csrf.fields()["csrf_token"])

    assert reply.status == 409
    assert "changed elsewhere" in failure_of(reply)
    assert hash_in(portal) == set_by_hand


async def test_second_press_is_told_what_the_first_has_done(portal: Portal) -> None:
    """Both answers say that it is changed, and the browser has a session that lives."""
    token, _ = await portal.create_session()
    page = await open_page(portal, token)
    csrf = page.find("form", action="/account/password").fields()["csrf_token"]

    replies = await asyncio.gather(
        *(change(portal, token, csrf=csrf) for _ in range(2))
    )

    assert [reply.status for reply in replies] == [303, 303]
    assert CHEAP.verify(hash_in(portal), NEW.encode())
    tokens = [cookie_value(reply, COOKIE) for reply in replies]
    assert any(await alive(portal, *tokens))
    assert await alive(portal, token) == [False]


async def test_broken_file_is_told_and_left_alone(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """A half-done edit by hand is not built upon; the log has its line."""
    token, _ = await portal.create_session()
    portal.users.write_text(portal.users.read_text() + "  eve: [\n")
    before = portal.users.read_text()

    reply = await change(portal, token)

    assert reply.status == 503
    assert "old one still counts" in failure_of(reply)
    assert portal.users.read_text() == before
    assert "users.yaml:" in caplog.text


async def test_file_that_cannot_be_written_shows_no_form(portal: Portal) -> None:
    """The page says so calmly; it is no error."""
    token, _ = await portal.create_session()
    portal.users.unlink()
    await portal.app[keys.USERS].poll_once()

    page = await open_page(portal, token)

    assert page.find_all("form", action="/account/password") == []
    assert "cannot be changed here" in page.text


async def test_outage_after_the_change_is_told_as_what_it_is(
    portal: Portal, store: DownStore
) -> None:
    """The password is changed, which nobody may be left in doubt about."""
    token, _ = await portal.create_session()
    page = await open_page(portal, token)
    csrf = page.find("form", action="/account/password").fields()["csrf_token"]
    store.calls_left = 3  # Who asks, and the attempt: let in, and right.

    reply = await change(portal, token, csrf=csrf)
    store.come_back()

    assert reply.status == 503
    assert "Your password is changed" in reply.body.decode()
    assert CHEAP.verify(hash_in(portal), NEW.encode())
    assert await alive(portal, token) == [False]


async def test_change_is_on_record_without_the_passwords(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """One line each for the change and for what was refused, and no secret in any."""
    caplog.set_level(logging.DEBUG)
    token, _ = await portal.create_session()
    await change(portal, token, current="a wrong one")

    await change(portal, token, headers=[("X-Forwarded-For", "203.0.113.7")])

    lines = [r.getMessage() for r in caplog.records if r.name == "forwardauth.audit"]
    (refused,) = [each for each in lines if "password_not_changed" in each]
    (done,) = [each for each in lines if "event=password_changed" in each]
    assert "reason=credentials user=alice session=" in refused
    assert "user=alice session=" in done
    assert "address=203.0.113.7" in done
    assert "event=session_ended reason=password_changed" in "\n".join(lines)
    for secret in (PASSWORD, NEW, "a wrong one", token, HASH, hash_in(portal)):
        assert secret not in caplog.text


async def test_password_managers_know_what_each_field_is(portal: Portal) -> None:
    """The user name is there for them, and both new fields ask for a new password."""
    token, _ = await portal.create_session()

    form = (await open_page(portal, token)).find("form", action="/account/password")

    fields = {e.attributes["name"]: e.attributes for e in form.find_all("input")}
    assert fields["username"]["autocomplete"] == "username"
    assert fields["username"]["value"] == "alice"
    assert fields["current_password"]["autocomplete"] == "current-password"
    assert fields["new_password"]["autocomplete"] == "new-password"
    assert fields["new_password_again"]["autocomplete"] == "new-password"
    assert not any(
        fields[n]["value"]
        for n in fields
        if "value" in fields[n] and n not in {"username", "csrf_token"}
    )


@pytest.mark.parametrize(
    ("typed", "score", "weakness"),
    [
        (NEW, 4, None),
        ("kX9#qv2", 2, "too_short"),
        ("Alice Liddell", 0, "too_easy"),
        ("", 0, "too_short"),
    ],
)
async def test_meter_judges_as_the_change_does(
    portal: Portal, typed: str, score: int, weakness: str | None
) -> None:
    """The script is told by the server what the form would be told."""
    token, _ = await portal.create_session()
    form = (await open_page(portal, token)).find("form", action="/account/password")
    fields = [
        ("csrf_token", form.fields()["csrf_token"]),
        ("new_password", typed),
    ]

    reply = await portal.post_form("/account/strength", fields, cookie=token)

    assert reply.status == 200
    data = reply.json()["data"]
    assert (data["score"], data["weakness"]) == (score, weakness)


async def test_meter_is_for_the_page_alone(portal: Portal) -> None:
    """Nobody else has passwords judged here: it takes the form's token."""
    token, _ = await portal.create_session()
    fields = [("new_password", NEW)]

    without = await portal.post_form(
        "/account/strength", fields, cookie=token, headers=SAME_ORIGIN
    )
    anonymous = await portal.post_form("/account/strength", fields)

    assert (without.status, anonymous.status) == (403, 401)


async def test_nobody_is_sent_to_sign_in_and_back(portal: Portal) -> None:
    """The way leads through the login to the account; a post as well."""
    expected = f"https://auth.example.com/login?rd={quote(HERE, safe='')}"

    seen = await portal.send("GET", "/account")
    posted = await portal.post_form("/account/password", [("new_password", NEW)])

    assert seen.header("Location") == expected
    assert posted.header("Location") == expected
    assert await portal.store.count() == 0


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_address_of_the_form_leads_to_the_form(
    portal: Portal, method: str
) -> None:
    """It is in the bar of who typed a wrong password, and may be visited from there."""
    token, _ = await portal.create_session()

    reply = await portal.send(method, "/account/password", cookie=token)

    assert reply.status == 303
    assert reply.header("Location") == HERE


async def test_account_is_at_home(portal: Portal) -> None:
    """The portal of another cookie domain leads there, and changes nothing itself."""
    token, _ = await portal.create_session(domain="example.org")

    seen = await portal.send("GET", "/account", host="login.example.org", cookie=token)
    posted = await portal.post_form(
        "/account/password",
        [("new_password", NEW)],
        host="login.example.org",
        cookie=token,
    )

    assert seen.header("Location") == HERE
    assert posted.status == 303
    assert hash_in(portal) == HASH


async def test_two_instances_are_of_one_mind(tmp_path: Path) -> None:
    """The one that has not read the file yet keeps the new session, and no old one.

    Nobody signs in with the old password once it has read it.
    """
    write_enabled_users(tmp_path)
    text = "# kept\n" + portal_users()
    (tmp_path / "users.yaml").write_text(text, encoding="utf-8")
    store = DownStore()
    secret = "  secret: 0123456789abcdef0123456789abcdef\n"
    async with (
        Portal(tmp_path, store=store, session=secret) as one,
        Portal(tmp_path, store=store, session=secret) as other,
    ):
        here, _ = await one.create_session()
        there, _ = await other.create_session()

        reply = await change(one, here)

        new = cookie_value(reply, COOKIE)
        assert await alive(other, new, here, there) == [True, False, False]
        stale, _ = await other.create_session()
        await other.app[keys.USERS].reload()
        assert await alive(other, new, stale) == [True, False]
        assert await alive(one, new, stale) == [True, False]
    assert (tmp_path / "users.yaml").read_text().startswith("# kept\n")


def portal_users() -> str:
    """Return the users file without carol, whose sessions end at the start."""
    return USERS.partition("  carol:")[0]


async def test_session_that_ended_meanwhile_changes_nothing(portal: Portal) -> None:
    """A form that outlived its session leads to the login page."""
    token, _ = await portal.create_session()
    page = await open_page(portal, token)
    csrf = page.find("form", action="/account/password").fields()["csrf_token"]
    await portal.app[keys.REVOKER].revoke_user("alice", cause=EndCause.REVOKED)

    reply = await change(portal, token, csrf=csrf)

    assert reply.status == 303
    assert hash_in(portal) == HASH


async def test_notice_of_the_change_fades(tmp_path: Path) -> None:
    """A bookmark of the page after the change does not tell it for ever."""
    write_enabled_users(tmp_path)
    clock = FakeClock()
    async with Portal(tmp_path, clock=clock) as portal:
        token, _ = await portal.create_session()
        reply = await change(portal, token)
        clock.advance(timedelta(minutes=11))

        path = reply.header("Location").removeprefix("https://auth.example.com")
        page = await open_page(portal, cookie_value(reply, COOKIE), path)

    assert page.find_all("p", role="status") == []
