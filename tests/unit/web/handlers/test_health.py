"""The probes, on the portal and on the management listener."""

from pathlib import Path

import pytest

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
