"""``POST /api/logout``: JSON in, JSON out, and the session is dead."""

import pytest

from tests.support.client import Headers
from tests.support.portal import PORTAL, Portal

SAFE = b'{"targetURL": "https://app.example.com/"}'


async def is_alive(portal: Portal, token: str) -> bool:
    """Whether verify still accepts *token*."""
    return (await portal.verify(token)).status == 200


@pytest.mark.parametrize(
    ("body", "is_safe"),
    [
        (SAFE, True),
        (b'{"rd": "https://app.example.com/"}', True),
        (b'{"redirect_uri": "https://app.example.com/"}', True),
        (b'{"targetURL": "https://evil.example/"}', False),
        (b'{"targetURL": ""}', False),
        (b'{"targetURL": null}', False),
        (b'{"rd": "https://app.example.com/", "targetURL": ""}', True),
        (
            b'{"rd": "https://a.example.com/", "targetURL": "https://a.example.com/"}',
            False,
        ),
        (b'{"rd": "https://a.example.com/", "rd": "https://a.example.com/"}', False),
        (b"{}", False),
        (b'{"other": 1}', False),
        (b"", False),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_session_ends_and_target_is_judged(
    portal: Portal, body: bytes, is_safe: bool
) -> None:
    """The session ends, and the answer says whether the target is safe (L-8, L-21)."""
    token, _ = await portal.create_session()

    reply = await portal.post_json("/api/logout", body, cookie=token)

    assert reply.status == 200
    assert reply.json() == {"status": "OK", "data": {"safeTargetURL": is_safe}}
    assert len(reply.lines("Set-Cookie")) == 3
    assert not await is_alive(portal, token)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"targetURL": 1}',
        b'{"targetURL": ["https://app.example.com/"]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"targetURL": "' + b"a" * 70_000 + b'"}',
    ],
    ids=lambda value: str(value)[:20],
)
async def test_bad_body_keeps_no_session_alive(portal: Portal, body: bytes) -> None:
    """A body that cannot be read is 400, after the end (L-8)."""
    token, _ = await portal.create_session()

    reply = await portal.post_json("/api/logout", body, cookie=token)

    assert reply.status == 400
    assert reply.json()["status"] == "KO"
    assert len(reply.lines("Set-Cookie")) == 3
    assert not await is_alive(portal, token)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "x",
    ],
)
async def test_other_type_ends_nothing(portal: Portal, kind: str) -> None:
    """A type that a form of another site can send is 415 (L-21)."""
    token, _ = await portal.create_session()

    reply = await portal.send(
        "POST", "/api/logout", headers=[("Content-Type", kind)], cookie=token, body=SAFE
    )

    assert reply.status == 415
    assert reply.lines("Set-Cookie") == []
    assert await is_alive(portal, token)


async def test_json_with_charset_is_json(portal: Portal) -> None:
    """A parameter of the type changes nothing."""
    token, _ = await portal.create_session()
    kind = [("Content-Type", "application/json; charset=utf-8")]

    reply = await portal.send(
        "POST", "/api/logout", headers=kind, cookie=token, body=SAFE
    )

    assert reply.status == 200


async def test_no_body_and_no_type_ends_session(portal: Portal) -> None:
    """A back end may post nothing at all."""
    token, _ = await portal.create_session()

    reply = await portal.send("POST", "/api/logout", cookie=token)

    assert reply.status == 200
    assert not await is_alive(portal, token)


@pytest.mark.parametrize(
    "headers",
    [
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Origin", "https://example.com.evil.example")],
        [("Origin", "http://app.example.com")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://app.example.com")],
        [("Referer", "https://evil.example/")],
    ],
    ids=str,
)
async def test_foreign_origin_ends_nothing(portal: Portal, headers: Headers) -> None:
    """A foreign origin is 403, ends nothing and gets no CORS header (L-18)."""
    token, _ = await portal.create_session()

    reply = await portal.post_json("/api/logout", SAFE, headers=headers, cookie=token)

    assert reply.status == 403
    assert reply.lines("Access-Control-Allow-Origin") == []
    assert reply.lines("Set-Cookie") == []
    assert await is_alive(portal, token)


@pytest.mark.parametrize(
    "origin",
    [
        "https://auth.example.com",
        "https://app.example.com",
        "https://example.com",
        "https://a.b.example.com:8443",
    ],
)
async def test_own_origin_is_answered_with_credentials(
    portal: Portal, origin: str
) -> None:
    """A page below a cookie domain may read the answer, by its own origin."""
    reply = await portal.post_json(
        "/api/logout",
        SAFE,
        headers=[("Origin", origin), ("Sec-Fetch-Site", "same-site")]
        if origin != f"https://{PORTAL}"
        else [("Origin", origin), ("Sec-Fetch-Site", "same-origin")],
    )

    assert reply.status == 200
    assert reply.header("Access-Control-Allow-Origin") == origin
    assert reply.header("Access-Control-Allow-Credentials") == "true"
    assert "Origin" in ", ".join(reply.lines("Vary"))


async def test_preflight_answers_own_origins_only(portal: Portal) -> None:
    """The preflight names the method and the type for our origins, and ends nothing."""
    ask = ("Access-Control-Request-Method", "POST")
    token, _ = await portal.create_session()

    own = await portal.send(
        "OPTIONS",
        "/api/logout",
        headers=[ask, ("Origin", "https://app.example.com")],
        cookie=token,
    )
    foreign = await portal.send(
        "OPTIONS", "/api/logout", headers=[ask, ("Origin", "https://evil.example")]
    )

    assert own.status == foreign.status == 204
    assert own.header("Access-Control-Allow-Methods") == "POST"
    assert own.header("Access-Control-Allow-Headers") == "Content-Type"
    assert foreign.lines("Access-Control-Allow-Origin") == []
    assert await is_alive(portal, token)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_other_method_is_405(portal: Portal, method: str) -> None:
    """Only POST ends a session here (L-21)."""
    reply = await portal.send(method, "/api/logout")

    assert reply.status == 405
    assert "POST" in reply.header("Allow")
