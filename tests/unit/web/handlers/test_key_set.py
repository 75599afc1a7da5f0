"""``/.well-known/jwks.json``: there for everybody, with nothing private in it."""

from pathlib import Path

import pytest

from forwardauth.web.routes import JWKS_PATH
from tests.support.portal import Portal

BASE_PATH = "server: {base_path: /authenticate}\n"


async def test_everybody_can_fetch_the_key(portal: Portal) -> None:
    """No cookie is needed and none is set; it may be kept for five minutes."""
    reply = await portal.send("GET", JWKS_PATH)

    (key,) = reply.json()["keys"]
    assert reply.status == 200
    assert "d" not in key
    assert reply.header("Content-Type") == "application/jwk-set+json"
    assert reply.header("Cache-Control") == "public, max-age=300"
    assert reply.lines("Set-Cookie") == []


@pytest.mark.parametrize(
    "host", ["auth.example.com", "login.example.org", "forwardauth:9091", "127.0.0.1"]
)
async def test_the_key_is_the_same_on_every_host(portal: Portal, host: str) -> None:
    """On each portal, and for an application that asks past the proxy."""
    home = await portal.send("GET", JWKS_PATH)

    reply = await portal.send("GET", JWKS_PATH, host=host)

    assert (reply.status, reply.body) == (200, home.body)


@pytest.mark.parametrize("path", [JWKS_PATH, f"/authenticate{JWKS_PATH}"])
async def test_the_key_is_below_the_base_path_and_at_the_top(
    tmp_path: Path, path: str
) -> None:
    """Where the issuer says, and where the standard says."""
    async with Portal(tmp_path, extra=BASE_PATH) as portal:
        reply = await portal.send("GET", path)

    assert reply.status == 200


async def test_a_head_request_has_no_body(portal: Portal) -> None:
    """A probe sees the same answer."""
    reply = await portal.send("HEAD", JWKS_PATH)

    assert (reply.status, reply.body) == (200, b"")


async def test_machines_that_share_the_secret_share_the_key(tmp_path: Path) -> None:
    """An application need not know which of them has told it."""
    secret = "s" * 40
    bodies = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        async with Portal(folder, session=f"  secret: {secret}\n") as portal:
            bodies.append((await portal.send("GET", JWKS_PATH)).body)

    assert bodies[0] == bodies[1]
    assert secret.encode() not in bodies[0]


async def test_a_restart_keeps_the_key(tmp_path: Path) -> None:
    """Without a configured secret it comes from the file beside the journal."""
    bodies = []
    for _ in range(2):
        async with Portal(tmp_path) as portal:
            bodies.append((await portal.send("GET", JWKS_PATH)).body)

    assert bodies[0] == bodies[1]
