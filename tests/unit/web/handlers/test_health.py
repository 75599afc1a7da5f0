"""The probes, on the portal and on the management listener."""

from pathlib import Path

import pytest

from forwardauth.web import keys
from tests.support.portal import Portal
from tests.support.stores import DownStore


@pytest.mark.parametrize(
    "host",
    [
        "auth.example.com",
        "localhost:9091",
        "10.0.0.7",
        "[::1]:9091",
        "evil.test",
        "a..b",
    ],
)
async def test_health_answers_whatever_the_host(portal: Portal, host: str) -> None:
    """A container's health check needs no name, and no store."""
    reply = await portal.send("GET", "/api/health", host=host)

    assert reply.status == 200
    assert reply.json() == {"status": "OK"}
    assert reply.header("Cache-Control") == "no-store"


async def test_health_moves_with_the_base_path(tmp_path: Path) -> None:
    """Below a base path it is there, and nowhere else."""
    async with Portal(tmp_path, extra="server: {base_path: /auth}\n") as portal:
        below = await portal.send("GET", "/auth/api/health")
        above = await portal.send("GET", "/api/health")

    assert (below.status, above.status) == (200, 404)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_answer_on_management(portal: Portal, path: str) -> None:
    """Alive and ready, whatever the host and without base path."""
    reply = await portal.send("GET", path, host="10.0.0.7", is_management=True)

    assert reply.status == 200
    assert reply.json() == {"status": "OK"}


async def test_outage_is_alive_but_not_ready(tmp_path: Path) -> None:
    """A store that is down takes the instance out of service, and back in after it."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        store.go_down()
        alive = await portal.send("GET", "/healthz", is_management=True)
        health = await portal.send("GET", "/api/health")
        ready = await portal.send("GET", "/readyz", is_management=True)
        store.come_back()
        again = await portal.send("GET", "/readyz", is_management=True)

    assert (alive.status, health.status) == (200, 200)
    assert ready.status == 503
    assert ready.header("Retry-After") == "5"
    assert ready.json()["status"] == "KO"
    assert again.status == 200


async def test_refused_configuration_is_not_ready(portal: Portal) -> None:
    """Whoever changed it has not got what they wanted, until it is mended."""
    config = portal.app[keys.READINESS].config
    config.refuse("config.yaml:3: server.listen: is odd")
    refused = await portal.send("GET", "/readyz", is_management=True)
    config.take()
    mended = await portal.send("GET", "/readyz", is_management=True)

    assert refused.status == 503
    assert "server.listen: is odd" in refused.json()["message"]
    assert mended.status == 200


async def test_verbose_tells_of_each_check(tmp_path: Path) -> None:
    """What was looked at, what came of it, and what waits for the store."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        store.go_down()
        reply = await portal.send("GET", "/readyz?verbose", is_management=True)

    data = reply.json()["data"]
    assert reply.status == 503
    assert data["config"] == {
        "ok": True,
        "since": "2026-03-01T12:00:00+00:00",
        "generation": 1,
    }
    assert data["store"]["ok"] is False
    assert data["store"]["fault"] == "the store is down"
    assert data["store"]["revocations_waiting"] == 0
    assert 0 <= data["store"]["seconds"] < 60


@pytest.mark.parametrize("accept", ["text/plain", "text/html,*/*;q=0.8"])
@pytest.mark.parametrize("is_down", [False, True], ids=["up", "down"])
async def test_verbose_is_text_for_people(
    tmp_path: Path, accept: str, is_down: bool
) -> None:
    """A line for each check, and the answer below."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        if is_down:
            store.go_down()
        reply = await portal.send(
            "GET",
            "/readyz?verbose",
            headers=[("Accept", accept)],
            is_management=True,
        )

    lines = reply.body.decode().splitlines()
    words = "FAIL store" if is_down else "ok   store"
    assert reply.status == (503 if is_down else 200)
    assert reply.header("Content-Type").startswith("text/plain")
    assert lines[0].startswith(words)
    assert lines[1].startswith("ok   config since=")
    assert lines[2] == ("not ready" if is_down else "ready")
