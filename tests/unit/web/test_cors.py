"""Which pages may call the logout interface with the user's cookies."""

import pytest

from tests.support.portal import Portal

PREFLIGHT = [("Access-Control-Request-Method", "POST")]
OWN = [
    "https://auth.example.com",
    "https://app.example.com",
    "https://example.com",
    "https://a.b.example.com:8443",
    "https://app.example.org",
]
OTHER = [
    "https://evil.example",
    "https://badexample.com",
    "https://example.com.evil.example",
    "https://app.example.com@evil.example",
    "https://evil.example/app.example.com",
    "http://app.example.com",
    "https://app.example.com/",
    "https://app.example.com.",
    "https://app.example.com, https://evil.example",
    "null",
    "*",
    "",
]


def cors_of(lines: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the CORS headers of an answer."""
    return {k: v for k, v in lines if k.lower().startswith("access-control-")}


@pytest.mark.parametrize("origin", OWN)
async def test_own_origin_may_read_the_answer(portal: Portal, origin: str) -> None:
    """A page below a cookie domain gets its own origin back, with credentials."""
    reply = await portal.post_json("/api/logout", b"{}", headers=[("Origin", origin)])

    assert reply.status == 200
    assert cors_of(reply.headers) == {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
    }
    assert "Origin" in reply.header("Vary").split(", ")


@pytest.mark.parametrize("origin", OWN)
async def test_own_origin_passes_the_preflight(portal: Portal, origin: str) -> None:
    """The browser is told that a JSON post with cookies is allowed."""
    reply = await portal.send(
        "OPTIONS", "/api/logout", headers=[("Origin", origin), *PREFLIGHT]
    )

    assert (reply.status, reply.body) == (204, b"")
    assert cors_of(reply.headers) == {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": "600",
    }
    assert reply.header("Vary") == "Origin"


@pytest.mark.parametrize("origin", OTHER)
async def test_other_origin_may_nothing(portal: Portal, origin: str) -> None:
    """No header lets a foreign page read an answer, or send what it may not (L-18)."""
    token, _ = await portal.create_session()
    headers = [("Origin", origin)]

    preflight = await portal.send(
        "OPTIONS", "/api/logout", headers=[*headers, *PREFLIGHT], cookie=token
    )
    post = await portal.post_json("/api/logout", b"{}", headers=headers, cookie=token)

    assert cors_of(preflight.headers) == {}
    assert cors_of(post.headers) == {}


async def test_two_origins_are_none(portal: Portal) -> None:
    """One request comes from one page."""
    origins = [("Origin", "https://app.example.com")] * 2

    reply = await portal.send("OPTIONS", "/api/logout", headers=[*origins, *PREFLIGHT])

    assert cors_of(reply.headers) == {}


async def test_preflight_ends_nothing(portal: Portal) -> None:
    """A browser that only asks has not logged out yet (L-18)."""
    token, _ = await portal.create_session()

    reply = await portal.send(
        "OPTIONS", "/api/logout", headers=[("Origin", OWN[0]), *PREFLIGHT], cookie=token
    )

    assert reply.lines("Set-Cookie") == []
    assert (await portal.verify(token)).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/firstfactor"),
        ("GET", "/api/state"),
        ("POST", "/api/checks/safe-redirection"),
        ("GET", "/login"),
        ("GET", "/logout"),
    ],
)
async def test_nothing_else_is_shared_with_other_origins(
    portal: Portal, method: str, path: str
) -> None:
    """Only logout is callable from an application's page."""
    token, _ = await portal.create_session()
    headers = [("Origin", "https://app.example.com")]

    reply = await portal.send(method, path, headers=headers, cookie=token)

    assert cors_of(reply.headers) == {}


async def test_answer_to_a_program_needs_no_cors(portal: Portal) -> None:
    """Without an Origin there is nobody to allow anything to."""
    reply = await portal.post_json("/api/logout", b"{}")

    assert reply.status == 200
    assert cors_of(reply.headers) == {}
