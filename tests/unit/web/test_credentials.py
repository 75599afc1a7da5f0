"""The one way in: what it ends, what it begins, and how it slows down guessing."""

import json
import logging
from pathlib import Path

import pytest

from forwardauth.sessions.ids import Digest, SessionId, digest_of
from forwardauth.users.throttle import ACCOUNT_LIMIT, ADDRESS_LIMIT
from forwardauth.web import keys
from tests.support.client import Headers, Reply
from tests.support.portal import (
    COOKIE,
    PASSWORD,
    WEAK_HASH,
    Portal,
    cookie_value,
    write_weak_users,
)
from tests.support.stores import DownStore

HOME = "203.0.113.7"
OFFICE = "203.0.113.8"
STRANGER = "198.51.100.9"
ACCOUNT = ACCOUNT_LIMIT.free + 1
ADDRESS = ADDRESS_LIMIT.free + 1
"""Guesses that are let in at once: those that cost nothing, and the one that does."""
UNTRUSTED = "server: {trusted_proxies: [10.0.0.0/8]}\n"


async def sign_in(
    portal: Portal,
    username: str = "alice",
    password: str = PASSWORD,
    *,
    headers: Headers = (),
    cookie: str | None = None,
    remember: object = False,
) -> Reply:
    """Sign in by the interface for programs."""
    content = {
        "username": username,
        "password": password,
        "keepMeLoggedIn": remember,
    }
    body = json.dumps(content).encode()
    return await portal.post_json(
        "/api/firstfactor", body, headers=headers, cookie=cookie
    )


def through(*hops: str) -> list[tuple[str, str]]:
    """Return what a proxy adds for a browser behind *hops*."""
    return [("X-Forwarded-For", ", ".join(hops))]


async def guess(
    portal: Portal, times: int, *, hops: tuple[str, ...], username: str | None = None
) -> list[int]:
    """Guess at *username*, or each time at another user; return the statuses."""
    return [
        (
            await sign_in(
                portal, username or f"user{n}", "wrong", headers=through(*hops)
            )
        ).status
        for n in range(times)
    ]


async def test_session_records_how_it_began(portal: Portal) -> None:
    """The list of sessions can tell where and with what one signed in."""
    agent = "Mozilla/5.0 " + "x" * 500

    reply = await sign_in(portal, headers=[*through(HOME), ("User-Agent", agent)])

    entry = await portal.store.load(digest_of_cookie(reply))
    assert entry is not None
    record = json.loads(entry.record)
    assert record["address"] == HOME
    assert record["user_agent"] == agent[:256]
    assert record["methods"] == ["pwd"]
    assert entry.owner == "alice"


def digest_of_cookie(reply: Reply) -> Digest:
    """Return the key of the session that *reply* gives."""
    return digest_of(SessionId(cookie_value(reply, COOKIE)))


@pytest.mark.parametrize("name", ["ALICE", " alice "])
async def test_user_is_known_however_it_is_typed(portal: Portal, name: str) -> None:
    """The session is of the user as the file spells it, so that it counts."""
    reply = await sign_in(portal, name)

    verified = await portal.verify(cookie_value(reply, COOKIE))
    assert verified.header("Remote-User") == "alice"


@pytest.mark.parametrize("remember", ["true", 1], ids=str)
async def test_only_true_remembers(portal: Portal, remember: object) -> None:
    """A month is not given away to a value that is only truthy."""
    reply = await sign_in(portal, remember=remember)

    assert "Max-Age" not in reply.lines("Set-Cookie")[0]


async def test_every_session_presented_is_ended(portal: Portal) -> None:
    """Signing in ends what was there before, planted or not (L-13)."""
    one, _ = await portal.create_session("alice")
    other, _ = await portal.create_session("bob")

    reply = await sign_in(portal, headers=[("Cookie", f"{COOKIE}={other}")], cookie=one)

    assert reply.status == 200
    assert [(await portal.verify(token)).status for token in (one, other)] == [401, 401]
    assert await portal.store.count() == 1


async def test_failed_login_ends_nothing(portal: Portal) -> None:
    """A wrong password does not sign anybody out."""
    before, _ = await portal.create_session("alice")

    reply = await sign_in(portal, password="wrong", cookie=before)

    assert reply.status == 401
    assert reply.lines("Set-Cookie") == []
    assert (await portal.verify(before)).status == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("alice", "wrong"),
        ("nobody", PASSWORD),
        ("carol", PASSWORD),
        ("\ud800", PASSWORD),
        ("alice", "\ud800"),
        ("alice", PASSWORD + "\0"),
        ("alice\0", PASSWORD),
        ("a" * 10_000, PASSWORD),
    ],
    ids=["wrong", "unknown", "disabled", "name", "password", "nul", "nul name", "long"],
)
async def test_every_failure_is_the_same(
    portal: Portal, username: str, password: str
) -> None:
    """The answer does not say which half was wrong, and junk is no fault."""
    reply = await sign_in(portal, username, password)

    assert reply.status == 401
    assert reply.json() == {
        "status": "KO",
        "message": "user name and password do not match",
    }
    assert await portal.store.count() == 0


async def test_account_is_slowed_down_for_strangers_alone(portal: Portal) -> None:
    """Who has signed in from home is not kept out by guesses from elsewhere."""
    await sign_in(portal, headers=through(HOME))

    guesses = await guess(portal, ACCOUNT + 1, hops=(STRANGER,), username="alice")
    stranger = await sign_in(portal, headers=through(STRANGER))
    owner = await sign_in(portal, headers=through(HOME))

    assert guesses == [401] * ACCOUNT + [429]
    assert stranger.status == 429
    assert int(stranger.header("Retry-After")) > 0
    assert owner.status == 200


async def test_address_is_slowed_down_over_all_accounts(portal: Portal) -> None:
    """One address cannot try one password on everybody; another is not affected."""
    guesses = await guess(portal, ADDRESS + 1, hops=(STRANGER,))

    elsewhere = await sign_in(portal, "user0", "wrong", headers=through(OFFICE))

    assert guesses == [401] * ADDRESS + [429]
    assert elsewhere.status == 401


async def test_address_cannot_be_made_up_behind_a_proxy(portal: Portal) -> None:
    """What the browser itself sent stands left of what the proxy saw (V-22)."""
    statuses = [
        await guess(portal, 1, hops=(f"192.0.2.{n}", STRANGER), username=f"user{n}")
        for n in range(ADDRESS + 1)
    ]

    assert statuses == [[401]] * ADDRESS + [[429]]


async def test_header_of_an_untrusted_peer_is_not_believed(tmp_path: Path) -> None:
    """Without a trusted proxy the peer is the address, whatever it sends (V-11)."""
    async with Portal(tmp_path, extra=UNTRUSTED) as portal:
        statuses = [
            await guess(portal, 1, hops=(f"192.0.2.{n}",), username=f"user{n}")
            for n in range(ADDRESS + 1)
        ]

    assert statuses == [[401]] * ADDRESS + [[429]]


async def test_untrusted_peer_does_not_pass_for_the_owner(tmp_path: Path) -> None:
    """Naming the owner's address opens nothing to who is not behind a proxy (V-11)."""
    async with Portal(tmp_path, extra=UNTRUSTED) as portal:
        reply = await sign_in(portal, headers=through(HOME))
        entry = await portal.store.load(digest_of_cookie(reply))

    assert entry is not None
    assert json.loads(entry.record)["address"] == "127.0.0.1"


async def test_junk_address_is_slowed_down_by_account(portal: Portal) -> None:
    """An address that cannot be read is nobody's, and shares no bucket (V-22)."""
    guesses = await guess(portal, ACCOUNT + 1, hops=("junk",), username="alice")

    other = await sign_in(portal, "bob", "wrong", headers=through("junk"))

    assert guesses == [401] * ACCOUNT + [429]
    assert other.status == 401


async def test_spelling_does_not_get_around_the_limit(portal: Portal) -> None:
    """Every spelling of a name is one account (V-39)."""
    names = ["alice", "ALICE", " alice", "Alice ", "aLICE", "alicE", "aLiCe"]

    statuses = [(await sign_in(portal, name, "wrong")).status for name in names]

    assert statuses == [401] * ACCOUNT + [429]


async def test_limit_holds_for_page_and_interface_together(portal: Portal) -> None:
    """There is one way in, so there is one count."""
    own = [("Sec-Fetch-Site", "same-origin")]
    wrong = [("username", "alice"), ("password", "wrong")]
    for _ in range(ACCOUNT):
        await portal.post_form("/login", wrong, headers=own)

    reply = await sign_in(portal)

    assert reply.status == 429


async def test_limit_ends_with_success(portal: Portal) -> None:
    """The right password clears the account's failures."""
    await guess(portal, ACCOUNT - 1, hops=(HOME,), username="alice")
    success = await sign_in(portal, headers=through(HOME))

    again = await guess(portal, ACCOUNT, hops=(OFFICE,), username="alice")

    assert success.status == 200
    assert again == [401] * ACCOUNT


async def test_throttled_password_is_not_tried(portal: Portal) -> None:
    """The answer to a throttled attempt tells nothing about its password."""
    await guess(portal, ACCOUNT, hops=(STRANGER,), username="alice")

    right = await sign_in(portal, headers=through(STRANGER))
    wrong = await sign_in(portal, password="wrong", headers=through(STRANGER))

    assert (right.status, right.body) == (wrong.status, wrong.body)
    assert await portal.store.count() == 0


async def test_logout_is_never_slowed_down(portal: Portal) -> None:
    """Whoever is throttled can still sign out (L-23)."""
    session, _ = await portal.create_session()
    await guess(portal, ADDRESS + 1, hops=(HOME,))

    reply = await portal.send("GET", "/logout", headers=through(HOME), cookie=session)

    assert reply.status == 303
    assert (await portal.verify(session)).status == 401


async def test_attempts_are_told_with_their_address(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """Each failure has its reason, name and trusted address, and no password (L-56)."""
    secret = "not-the-password"
    with caplog.at_level(logging.INFO, "forwardauth.audit"):
        for _ in range(ACCOUNT + 1):
            sent = [*through(STRANGER), ("X-Request-ID", "1")]
            await sign_in(portal, "bob", secret, headers=sent)

    failed = f"user=bob address={STRANGER} request_id=1"
    assert [record.getMessage() for record in caplog.records] == [
        f"event=login_failed reason=credentials {failed}"
    ] * ACCOUNT + [f"event=login_failed reason=throttled {failed}"]
    assert secret not in caplog.text


async def test_rehash_is_written_and_known(tmp_path: Path) -> None:
    """The login that replaces a weak hash survives the replacement (L-12)."""
    write_weak_users(tmp_path)
    async with Portal(tmp_path) as portal:
        reply = await sign_in(portal)
        token = cookie_value(reply, COOKIE)

        before = await portal.verify(token)
        await portal.app[keys.USERS].reload()
        after = await portal.verify(token)

        assert WEAK_HASH not in portal.users.read_text(encoding="utf-8").split("bob")[0]
    assert (before.status, after.status) == (200, 200)


@pytest.mark.parametrize("password", [PASSWORD, "wrong"], ids=["right", "wrong"])
async def test_outage_says_nothing_about_the_password(
    tmp_path: Path, password: str
) -> None:
    """Nobody can count the attempt, so nobody looks at the password."""
    store = DownStore()
    store.go_down()
    async with Portal(tmp_path, store=store) as portal:
        reply = await sign_in(portal, password=password)

    assert reply.status == 503
    assert reply.lines("Set-Cookie") == []
