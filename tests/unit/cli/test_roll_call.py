"""The workers' answers, as they reach the supervising process and its manager."""

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from forwardauth.cli.roll_call import RollCall
from forwardauth.cli.service_manager import ServiceManager
from tests.support.notifications import Listener

WATCHDOG: Final = timedelta(seconds=0.2)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    """A manager that listens."""
    with Listener(str(tmp_path / "notify")) as opened:
        yield opened


async def test_ready_is_told_when_the_last_worker_serves(listener: Listener) -> None:
    """One that answers twice does not stand for another; none is told of twice."""
    roll_call = RollCall(2, ServiceManager(address=listener.name))
    roll_call.attend()

    await roll_call.answer(1)
    await roll_call.answer(1)
    early = await asyncio.to_thread(listener.count_within, seconds=0.1)
    await roll_call.answer(0)
    told = await asyncio.to_thread(listener.next)
    await roll_call.answer(0)

    assert early == 0
    assert told == {"READY": "1", "STATUS": "2 workers serve"}
    assert listener.received() == []


async def test_answers_are_heard_however_many_files_are_open(
    listener: Listener,
) -> None:
    """Each worker has some in the supervising process, and ``select`` ends at 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1_200), hard))
    with ExitStack() as stack:
        for _ in range(1_024):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        roll_call = RollCall(2, ServiceManager(address=listener.name))
        roll_call.attend()
        for number in range(2):
            await roll_call.answer(number)

        told = await asyncio.to_thread(listener.next)

    assert told == {"READY": "1", "STATUS": "2 workers serve"}


async def test_watchdog_is_fed_while_every_worker_answers(listener: Listener) -> None:
    """A worker whose loop hangs is noticed, though the others go on."""
    manager = ServiceManager(address=listener.name, watchdog=WATCHDOG)
    roll_call = RollCall(2, manager)
    roll_call.attend()
    one, other = (asyncio.create_task(roll_call.answer(number)) for number in (0, 1))

    fed = await asyncio.to_thread(listener.until, "WATCHDOG")
    other.cancel()
    await asyncio.sleep(WATCHDOG.total_seconds())
    listener.received()
    await asyncio.sleep(WATCHDOG.total_seconds())

    hungry = listener.received()
    one.cancel()
    await asyncio.wait([one, other])
    assert fed[0]["READY"] == "1"
    assert hungry == []


async def test_worker_that_died_is_not_missed(listener: Listener) -> None:
    """Those who serve go on while it is replaced, however often it is tried."""
    manager = ServiceManager(address=listener.name, watchdog=WATCHDOG)
    roll_call = RollCall(2, manager)
    roll_call.attend()
    one, other = (asyncio.create_task(roll_call.answer(number)) for number in (0, 1))
    await asyncio.to_thread(listener.until, "WATCHDOG")

    other.cancel()
    roll_call.excuse(1)
    await asyncio.sleep(2 * WATCHDOG.total_seconds())
    listener.received()
    fed = await asyncio.to_thread(listener.next)

    one.cancel()
    await asyncio.wait([one, other])
    assert fed == {"WATCHDOG": "1"}


async def test_many_workers_feed_the_watchdog_no_oftener(listener: Listener) -> None:
    """Sixteen of them are one service, which is fed a few times in its time."""
    manager = ServiceManager(address=listener.name, watchdog=WATCHDOG)
    roll_call = RollCall(16, manager)
    roll_call.attend()
    workers = [asyncio.create_task(roll_call.answer(number)) for number in range(16)]
    await asyncio.to_thread(listener.until, "WATCHDOG")

    fed = await asyncio.to_thread(
        listener.count_within, seconds=WATCHDOG.total_seconds()
    )

    for worker in workers:
        worker.cancel()
    await asyncio.wait(workers)
    assert 1 <= fed <= 5
