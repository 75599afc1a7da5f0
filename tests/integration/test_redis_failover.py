"""A primary is killed under load: verify fails closed, recovers, and done stays done.

Two machines, each the whole service with a journal of its own, on three sentinels with
three servers, and on a cluster of six. What the killed server had acknowledged and no
replica had heard of is lost to Redis; what the service makes of that is tested here.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from forwardauth.clock import SystemClock
from forwardauth.sessions.ids import SessionId, digest_of
from forwardauth.sessions.stores.redis_keys import RedisKeys
from tests.support.portal import Portal
from tests.support.processes import wait_for
from tests.support.redis_failovers import (
    RedisGroup,
    running_replicated_cluster,
    running_sentinels,
)
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import create_prefix, opened

RECOVERY_SECONDS: Final = 30.0
"""Far beyond an election; a busy machine is no failure."""

GROUPS: Final = {
    "sentinels": running_sentinels,
    "cluster": running_replicated_cluster,
}
LIVE, OUTAGE = 200, 503


@pytest.fixture(params=GROUPS)
def group(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisGroup]:
    """Run the servers of one kind."""
    with GROUPS[request.param](tmp_path) as group:
        yield group


@dataclass
class Asker:
    """Asks one machine about one session again and again.

    Attributes:
        answers: Statuses of verify, with the time of each.
    """

    machine: Portal
    cookie: SessionId
    answers: list[tuple[float, int]] = field(default_factory=list)

    async def run(self) -> None:
        """Ask until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            status = (await self.machine.verify(self.cookie)).status
            self.answers.append((loop.time(), status))
            await asyncio.sleep(0.01)

    @property
    def statuses(self) -> set[int]:
        """What was ever answered."""
        return {status for _, status in self.answers}

    def span(self, status: int) -> float:
        """Return the seconds between the first and the last answer of *status*."""
        times = [at for at, each in self.answers if each == status]
        return times[-1] - times[0] if times else 0.0

    async def settles(self, status: int) -> None:
        """Return when the last answers have all been *status*, for a second."""
        async with asyncio.timeout(RECOVERY_SECONDS):
            while True:
                start = len(self.answers)
                await asyncio.sleep(1)
                if {each for _, each in self.answers[start:]} == {status}:
                    return


class Machines:
    """Two instances of the service on one group of servers."""

    def __init__(self, group: RedisGroup, here: Portal, there: Portal) -> None:
        self.group, self.here, self.there = group, here, there
        self.prefix = ""

    def primary_of(self, cookie: SessionId) -> RedisServer:
        """Return the server that has the session of *cookie*."""
        key = RedisKeys(self.prefix).session(digest_of(cookie))
        return self.group.primary_of(key)

    async def log_out(self, cookie: SessionId) -> int:
        """Sign out at the first machine, as an application does."""
        reply = await self.here.post_json("/api/logout", b"{}", cookie=cookie)
        return reply.status


@asynccontextmanager
async def running(
    group: RedisGroup, folder: Path, *, replicas: int
) -> AsyncIterator[Machines]:
    """Run two machines that wait for *replicas* when a session ends."""
    options: dict[str, str | int] = {"prefix": create_prefix(), "replicas": replicas}
    async with AsyncExitStack() as stack:
        portals: list[Portal] = []
        for name in ("here", "there"):
            (folder / name).mkdir()
            store = await stack.enter_async_context(
                opened(group.url, SystemClock(), timeout_ms=1_000, **options)
            )
            portal = Portal(folder / name, store=store, clock=SystemClock())
            portals.append(await stack.enter_async_context(portal))
        machines = Machines(group, *portals)
        machines.prefix = str(options["prefix"])
        yield machines


@asynccontextmanager
async def asking(*askers: Asker) -> AsyncIterator[None]:
    """Let *askers* ask as long as the context lasts."""
    tasks = [asyncio.create_task(each.run()) for each in askers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_logout_that_only_the_killed_primary_knew_stays_done(
    group: RedisGroup, tmp_path: Path
) -> None:
    """Where it was told, never accepted; elsewhere ended again at once (L-9, L-15).

    The kept session is answered live or not at all, and lives on (V-2).
    """
    async with running(group, tmp_path, replicas=0) as machines:
        here, there = machines.here, machines.there
        ended, _ = await here.create_session()
        lost = await asyncio.to_thread(machines.primary_of, ended)
        kept, _ = await here.create_session("bob")
        while machines.primary_of(kept) is not lost:  # In a cluster, on the same.
            kept, _ = await here.create_session("bob")
        await asyncio.sleep(0.5)  # The replicas have both.
        await asyncio.to_thread(group.cut_off, lost)
        status = await machines.log_out(ended)

        kept_here, kept_there = Asker(here, kept), Asker(there, kept)
        ended_here, ended_there = Asker(here, ended), Asker(there, ended)
        async with asking(kept_here, kept_there, ended_here, ended_there):
            await asyncio.sleep(0.2)
            lost.kill()
            for each in (kept_here, kept_there):
                await each.settles(LIVE)
            for each in (ended_here, ended_there):
                await each.settles(401)

        assert status == 200
        assert kept_here.statuses == kept_there.statuses == {LIVE, OUTAGE}
        assert ended_here.statuses <= {401, OUTAGE}
        print(  # noqa: T201 - the figures of docs/scaling.md, with pytest -rP
            f"outage {kept_here.span(OUTAGE):.1f} s here, "
            f"{kept_there.span(OUTAGE):.1f} s there; "
            f"ended session accepted elsewhere for {ended_there.span(LIVE):.2f} s"
        )

        await asyncio.to_thread(lost.start)
        again = Asker(there, ended), Asker(there, kept)
        async with asking(*again):
            follows = partial(_is_following, group, lost)
            await asyncio.to_thread(wait_for, follows, "the old primary follows")

        assert LIVE not in again[0].statuses
        assert again[1].statuses <= {LIVE, OUTAGE}


def _is_following(group: RedisGroup, server: RedisServer) -> bool:
    return any(server in group.followers_of(each) for each in group.servers)


async def test_logout_waits_for_a_replica_and_says_so(
    group: RedisGroup, tmp_path: Path
) -> None:
    """With ``replicas=1`` nothing is told as done that one server alone knows (L-9)."""
    async with running(group, tmp_path, replicas=1) as machines:
        first, _ = await machines.here.create_session()
        second, _ = await machines.here.create_session()
        primary = await asyncio.to_thread(machines.primary_of, second)
        before = await machines.log_out(first)

        with ExitStack() as paused:
            for follower in await asyncio.to_thread(group.followers_of, primary):
                paused.enter_context(follower.paused())
            replies = [
                await machine.post_json("/api/logout", b"{}", cookie=second)
                for machine in (machines.here, machines.there)
            ]
            refused = await machines.here.verify(second)
        for machine in (machines.here, machines.there):
            is_done = partial(_is_journal_done, machine)
            await asyncio.to_thread(wait_for, is_done, "the promise is kept")

        assert before == 200
        for each in replies:
            assert (each.status, each.json()["data"]) == (503, {"pending": True})
        assert refused.status == 401
        assert (await machines.there.verify(second)).status == 401


def _is_journal_done(machine: Portal) -> bool:
    journal = machine.settings.session.journal.read_text()
    return journal.count('"add"') <= journal.count('"done"')
