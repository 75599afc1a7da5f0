"""Ready or not: the store, the configuration, and a bound for the answer."""

import asyncio
from datetime import timedelta
from pathlib import Path

from forwardauth.web import keys
from forwardauth.web.instance import Instance
from forwardauth.web.readiness import ConfigState, Readiness
from tests.support.clock import START, FakeClock
from tests.support.portal import Portal
from tests.support.stores import DownStore


class HungStore(DownStore):
    """A store that takes questions and never answers."""

    async def ping(self) -> None:
        await asyncio.Event().wait()

    async def count(self) -> int:
        return await asyncio.Event().wait() or 0


def readiness_of(portal: Portal, *, patience: float = 5.0) -> Readiness:
    """Return what looks at the parts of *portal*."""
    backlog = portal.app[keys.REVOKER].backlog
    config = portal.app[keys.READINESS].config
    return Readiness(portal.store, config, backlog, patience_seconds=patience)


def test_configuration_is_current_until_one_is_refused() -> None:
    """What counts stays what it was, and since when."""
    clock = FakeClock()
    state = ConfigState(clock)
    clock.advance(timedelta(hours=1))

    state.refuse("line 3 is odd")

    assert not state.is_current
    assert state.since == START
    assert state.refused == START + timedelta(hours=1)


def test_configuration_that_is_taken_ends_the_refusal() -> None:
    """Also when it is the former one again: that is what was asked for last."""
    clock = FakeClock()
    state = ConfigState(clock)
    state.refuse("line 3 is odd")
    clock.advance(timedelta(hours=1))

    state.take()

    assert state.is_current
    assert state.since == START + timedelta(hours=1)
    assert (state.refused, state.reason) == (None, "")


async def test_worker_that_lags_behind_is_told(portal: Portal) -> None:
    """What one worker says is true of all of them."""
    instance = Instance(workers=2)
    instance.accept(2, START)
    instance.serve(0, 2)
    instance.serve(1, 1)
    backlog = portal.app[keys.REVOKER].backlog
    config = ConfigState(FakeClock(), instance)

    _, check = await Readiness(portal.store, config, backlog).check()

    assert check.fault == "a worker still goes by the configuration before"
    assert not config.is_current


async def test_service_that_stops_is_not_ready(portal: Portal) -> None:
    """Whoever balances load sends the next request elsewhere."""
    instance = Instance()
    instance.accept(1, START)
    instance.begin_stop()
    backlog = portal.app[keys.REVOKER].backlog
    config = ConfigState(FakeClock(), instance)

    checks = await Readiness(portal.store, config, backlog).check()

    assert [each.fault for each in checks] == [None, None, "the service is stopping"]


async def test_all_is_well(portal: Portal) -> None:
    """Store and configuration are looked at, and nothing is wrong with either."""
    checks = await readiness_of(portal).check()

    assert [(check.name, check.fault) for check in checks] == [
        ("store", None),
        ("config", None),
    ]


async def test_each_fault_is_told(tmp_path: Path) -> None:
    """Who looks sees both when both are wrong."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        portal.app[keys.READINESS].config.refuse("line 3 is odd")
        store.go_down()
        faults = [check.fault for check in await readiness_of(portal).check()]

    assert faults == [
        "the store is down",
        "the configuration is not the current one: line 3 is odd",
    ]


async def test_store_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """The answer comes in bounded time, and so does a scrape."""
    async with Portal(tmp_path, store=HungStore()) as portal:
        readiness = readiness_of(portal, patience=0.01)
        store, _ = await readiness.check()
        count = await readiness.count_sessions()
        await readiness.close()

    assert store.fault == "the store has not answered for 0.01 s"
    assert count is None


async def test_revocations_that_wait_are_counted(tmp_path: Path) -> None:
    """Those of the journal, until the store has confirmed them."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        token, _ = await portal.create_session()
        store.go_down()
        await portal.send("GET", "/logout", cookie=token)
        waiting = portal.app[keys.READINESS].count_waiting()
        store.come_back()
        await portal.app[keys.REVOKER].backlog.retry()
        after = portal.app[keys.READINESS].count_waiting()

    assert (waiting, after) == (1, 0)


async def test_journal_that_cannot_be_read_is_not_zero(tmp_path: Path) -> None:
    """Nobody is told that nothing waits when nobody knows."""
    async with Portal(tmp_path) as portal:
        journal = portal.settings.session.journal
        journal.unlink(missing_ok=True)
        journal.mkdir()
        waiting = portal.app[keys.READINESS].count_waiting()
        journal.rmdir()

    assert waiting is None
