"""The JSON interface: sign-in, state and the redirect check."""

import json

import pytest

from tests.support.client import Headers
from tests.support.portal import COOKIE, PASSWORD, Portal, cookie_value

GOOD = {"username": "alice", "password": PASSWORD}


def encode(**content: object) -> bytes:
    """Return *content* as JSON."""
    return json.dumps(content).encode()


async def test_first_factor_signs_in(portal: Portal) -> None:
    """The right password is 200 with the session cookie and where to go."""
    reply = await portal.post_json(
        "/api/firstfactor", encode(**GOOD, targetURL="https://app.example.com/x")
    )

    assert reply.status == 200
    assert reply.json() == {
        "status": "OK",
        "data": {"redirect": "https://app.example.com/x"},
    }
    assert (await portal.verify(cookie_value(reply, COOKIE))).status == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "", None, 1])
async def test_bad_target_leads_to_the_portal(portal: Portal, target: object) -> None:
    """A refused target never comes back (L-33)."""
    reply = await portal.post_json("/api/firstfactor", encode(**GOOD, targetURL=target))

    assert reply.json()["data"] == {"redirect": "https://auth.example.com/"}


async def test_keep_me_logged_in_sets_max_age(portal: Portal) -> None:
    """Only ``true`` asks to be remembered."""
    yes = await portal.post_json(
        "/api/firstfactor", encode(**GOOD, keepMeLoggedIn=True)
    )
    no = await portal.post_json("/api/firstfactor", encode(**GOOD, keepMeLoggedIn="no"))

    assert "Max-Age=2592000" in yes.lines("Set-Cookie")[0]
    assert "Max-Age" not in no.lines("Set-Cookie")[0]


async def test_wrong_password_is_401(portal: Portal) -> None:
    """A failure is 401 ``KO``, and no cookie."""
    reply = await portal.post_json(
        "/api/firstfactor", encode(username="alice", password="wrong")
    )

    assert reply.status == 401
    assert reply.json()["status"] == "KO"
    assert reply.lines("Set-Cookie") == []


async def test_too_many_attempts_are_429(portal: Portal) -> None:
    """The throttle answers 429 with the wait, as on the page."""
    wrong = encode(username="alice", password="wrong")
    for _ in range(6):
        await portal.post_json("/api/firstfactor", wrong)

    reply = await portal.post_json("/api/firstfactor", encode(**GOOD))

    assert reply.status == 429
    assert int(reply.header("Retry-After")) > 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (encode(username="alice"), 400),
        (encode(username=["alice"], password=PASSWORD), 400),
        (encode(username="alice", password=1), 400),
        (b"a" * 70_000, 400),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_junk_is_400(portal: Portal, body: bytes, status: int) -> None:
    """A body that is not what it should be is 400 ``KO``."""
    reply = await portal.post_json("/api/firstfactor", body)

    assert reply.status == status
    assert reply.json()["status"] == "KO"


async def test_form_type_is_415(portal: Portal) -> None:
    """A type that a form of another site can send is refused."""
    reply = await portal.post_form("/api/firstfactor", GOOD.items())

    assert reply.status == 415
    assert await portal.store.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        [("Origin", "https://evil.example")],
        [("Origin", "https://app.example.com")],
        [("Sec-Fetch-Site", "same-site")],
        [("Sec-Fetch-Site", "cross-site")],
    ],
    ids=str,
)
async def test_other_origin_is_403(portal: Portal, headers: Headers) -> None:
    """Only the portal's own pages, and programs, sign in here (L-22)."""
    reply = await portal.post_json("/api/firstfactor", encode(**GOOD), headers=headers)

    assert reply.status == 403
    assert await portal.store.count() == 0


async def test_state_tells_who_is_signed_in(portal: Portal) -> None:
    """The state is the user with the level, or nobody with level 0."""
    token, _ = await portal.create_session()

    somebody = await portal.send("GET", "/api/state", cookie=token)
    nobody = await portal.send("GET", "/api/state")

    default = "https://auth.example.com/"
    assert somebody.json()["data"] == {
        "username": "alice",
        "authentication_level": 1,
        "default_redirection_url": default,
    }
    assert nobody.json()["data"] == {
        "username": "",
        "authentication_level": 0,
        "default_redirection_url": default,
    }


@pytest.mark.parametrize(
    ("uri", "is_ok"),
    [
        ("https://app.example.com/", True),
        ("https://www.example.org/x", True),
        ("https://evil.example/", False),
        ("", False),
        ("/relative", False),
    ],
)
async def test_redirect_check_answers(portal: Portal, uri: str, is_ok: bool) -> None:
    """The check says what the validator says (L-33)."""
    token, _ = await portal.create_session()

    reply = await portal.post_json(
        "/api/checks/safe-redirection", encode(uri=uri), cookie=token
    )

    assert reply.json() == {"status": "OK", "data": {"ok": is_ok}}


async def test_redirect_check_needs_a_session(portal: Portal) -> None:
    """Anonymous callers learn nothing about the lists."""
    reply = await portal.post_json(
        "/api/checks/safe-redirection", encode(uri="https://app.example.com/")
    )

    assert reply.status == 401
    assert reply.json()["status"] == "KO"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"uri": 1}'])
async def test_redirect_check_junk_is_400(portal: Portal, body: bytes) -> None:
    """Junk is 400 ``KO``."""
    token, _ = await portal.create_session()

    reply = await portal.post_json("/api/checks/safe-redirection", body, cookie=token)

    assert reply.status == 400
    assert reply.json()["status"] == "KO"
