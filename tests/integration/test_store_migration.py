"""``forwardauth store migrate`` between real stores; who is signed in stays so.

The service runs on one store, then on the other; the command is the real one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from forwardauth.clock import SystemClock
from forwardauth.sessions.stores.factory import build_store
from tests.support.portal import COOKIE, PASSWORD, Portal, cookie_value
from tests.support.redis_groups import running_cluster
from tests.support.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run a server with a password, which nothing may tell."""
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(folder, password="hunter2") as server:
        yield server


def url_of(redis: RedisServer, prefix: str) -> str:
    """Return an address of *redis* that holds its password."""
    place = redis.url.partition("://")[2]
    return f"redis://default:hunter2@{place}?prefix={prefix}"


@asynccontextmanager
async def service(folder: Path, url: str) -> AsyncIterator[Portal]:
    """Run the service on the store at *url*, its other files in *folder*."""
    clock = SystemClock()
    async with Portal(folder, clock=clock, store=build_store(url, clock)) as portal:
        yield portal


async def sign_in(portal: Portal) -> str:
    """Sign in as a browser would, and return the session cookie."""
    body = json.dumps({"username": "alice", "password": PASSWORD}).encode()
    reply = await portal.post_json("/api/firstfactor", body)
    assert reply.status == 200, reply
    return cookie_value(reply, COOKIE)


async def begin(portal: Portal, username: str = "alice") -> str:
    """Return the cookie of a session that takes no time to prove a password."""
    session_id, _ = await portal.create_session(username)
    return session_id


async def migrate(folder: Path, *arguments: str) -> Result:
    """Run the command beside the service, with its configuration."""
    options = [*arguments, "--config", str(folder / "config.yaml")]

    def run() -> Result:
        return CliRunner().invoke(main, ["store", "migrate", *options])

    return await asyncio.to_thread(run)


async def counts(folder: Path, source: str, target: str) -> dict[str, Any]:
    """Migrate, and return what the command counted."""
    result = await migrate(folder, source, target, "--json")
    assert result.exit_code == 0, result.output
    assert "hunter2" not in result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


async def test_cookie_verifies_on_the_new_store(
    tmp_path: Path, redis: RedisServer
) -> None:
    """From SQLite to Redis and to another SQLite, one sign-in serves all three."""
    stops = [
        f"sqlite:{tmp_path / 'one.db'}",
        url_of(redis, "stop"),
        f"sqlite:{tmp_path / 'two.db'}",
    ]
    async with service(tmp_path, stops[0]) as portal:
        cookie = await sign_in(portal)
        signed_out = await begin(portal, "bob")
        seen = (await portal.send("GET", "/api/sessions", cookie=cookie)).json()["data"]
    for source, target in pairwise(stops):
        first = await counts(tmp_path, source, target)
        async with service(tmp_path, source) as portal:
            await portal.post_json("/api/logout", b"{}", cookie=signed_out)
        second = await counts(tmp_path, source, target)

        async with service(tmp_path, target) as portal:
            verified = await portal.verify(cookie)
            refused = await portal.verify(signed_out)
            kept = await portal.send("GET", "/api/sessions", cookie=cookie)
            account = await portal.send("GET", "/account", cookie=cookie)
        assert first["settled"]
        assert second["settled"]
        assert (verified.status, verified.header("Remote-User")) == (200, "alice")
        assert refused.status == 401
        (session,) = kept.json()["data"]
        assert {**session, "last_seen": ""} == {**seen[0], "last_seen": ""}
        assert account.status == 200
        # Who has signed in when is told on that page, from the events.
        assert second["events"] == 0


async def test_logout_between_two_runs_counts(
    tmp_path: Path, redis: RedisServer
) -> None:
    """The copy of a session that has ended at the old store ends at the new one."""
    source, target = f"sqlite:{tmp_path / 'one.db'}", url_of(redis, "between")
    async with service(tmp_path, source) as portal:
        cookie = await begin(portal)
        before = await counts(tmp_path, source, target)
        await portal.post_json("/api/logout", b"{}", cookie=cookie)
        after = await counts(tmp_path, source, target)
    async with service(tmp_path, target) as portal:
        verified = await portal.verify(cookie)

    assert before["sessions"]["copied"] == after["sessions"]["ended"] == 1
    assert verified.status == 401


async def test_end_of_a_user_on_the_new_store_reaches_copies(
    tmp_path: Path, redis: RedisServer
) -> None:
    """The indexes came along: ending all sessions of a user finds the copy."""
    source, target = f"sqlite:{tmp_path / 'one.db'}", url_of(redis, "indexes")
    async with service(tmp_path, source) as portal:
        cookie = await begin(portal)
    await counts(tmp_path, source, target)
    store = build_store(target, SystemClock())
    ended = await store.delete_owner("alice")
    again = await counts(tmp_path, source, target)
    await store.close()

    async with service(tmp_path, target) as portal:
        verified = await portal.verify(cookie)
    assert len(ended) == 1
    assert again["sessions"]["withheld"] == 1
    assert verified.status == 401


async def test_way_back_brings_nobody_back(tmp_path: Path, redis: RedisServer) -> None:
    """Who signs out after the move stays so when the operator moves back."""
    old, new = f"sqlite:{tmp_path / 'one.db'}", url_of(redis, "back")
    async with service(tmp_path, old) as portal:
        stays, leaves = await begin(portal), await begin(portal, "bob")
    await counts(tmp_path, old, new)
    async with service(tmp_path, new) as portal:
        await portal.post_json("/api/logout", b"{}", cookie=leaves)

    back = await counts(tmp_path, new, old)

    async with service(tmp_path, old) as portal:
        statuses = [(await portal.verify(each)).status for each in (stays, leaves)]
    assert (back["sessions"]["present"], back["sessions"]["ended"]) == (1, 1)
    assert statuses == [200, 401]


async def test_store_is_known_by_whatever_address(
    tmp_path: Path, redis: RedisServer
) -> None:
    """A server has many names, and what it keeps is kept once."""
    url = url_of(redis, "same")
    async with service(tmp_path, url) as portal:
        await begin(portal)

    result = await migrate(tmp_path, url, url.replace("127.0.0.1", "localhost"))

    assert result.exit_code == 2
    assert "are the same store" in result.stderr


async def test_dry_run_makes_no_file(tmp_path: Path, redis: RedisServer) -> None:
    """It counts, and says so, and shows no password."""
    source, target = url_of(redis, "dry"), f"sqlite:{tmp_path / 'new.db'}"
    async with service(tmp_path, source) as portal:
        await begin(portal)

    result = await migrate(tmp_path, source, target, "--dry-run")

    assert result.exit_code == 0
    assert "would be done:" in result.stdout
    assert "1  copied" in result.stdout
    assert "hunter2" not in result.output
    assert not (tmp_path / "new.db").exists()


async def test_cluster_takes_sessions_of_a_file(tmp_path: Path) -> None:
    """A cluster keeps a session and its indexes on several servers."""
    source = f"sqlite:{tmp_path / 'one.db'}"
    async with service(tmp_path, source) as portal:
        cookies = [await begin(portal) for _ in range(3)]
    with running_cluster(tmp_path / "cluster") as cluster:
        await counts(tmp_path, source, cluster.url)
        async with service(tmp_path, cluster.url) as portal:
            statuses = [(await portal.verify(each)).status for each in cookies]

    assert statuses == [200] * 3
