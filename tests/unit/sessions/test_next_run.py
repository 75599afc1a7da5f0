"""Those who wait share runs, and hear of none that began before they asked."""

import asyncio
import gc

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.next_run import NextRun


class Errand:
    """Something that takes until a test lets it end."""

    def __init__(self) -> None:
        self.began = 0
        self.ended = 0
        self.error: StoreUnavailableError | None = None
        self._gates: list[asyncio.Event] = []

    async def run(self) -> None:
        """Begin, and end when ``end`` is called for this one."""
        gate = asyncio.Event()
        self._gates.append(gate)
        self.began += 1
        await gate.wait()
        self.ended += 1
        if self.error is not None:
            raise self.error

    def end(self) -> None:
        """Let the first that has begun end."""
        self._gates.pop(0).set()


async def settle() -> None:
    """Let everything go on that can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_meanwhile_waits_for_the_next_run() -> None:
    """All of them for the same one, however many there are."""
    errand = Errand()
    shared = NextRun(errand.run)
    first = asyncio.create_task(shared.wait())
    await settle()
    others = [asyncio.create_task(shared.wait()) for _ in range(10)]
    await settle()

    began_first = errand.began
    errand.end()
    await settle()
    are_done = first.done(), any(each.done() for each in others)
    errand.end()
    await asyncio.gather(first, *others)

    assert began_first == 1
    assert are_done == (True, False)
    assert (errand.began, errand.ended) == (2, 2)


async def test_failure_is_told_to_all_and_ends_with_its_run() -> None:
    """Who asks later gets a run of their own."""
    errand = Errand()
    errand.error = StoreUnavailableError("away")
    shared = NextRun(errand.run)
    waiting = [asyncio.create_task(shared.wait()) for _ in range(3)]
    await settle()

    errand.end()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    errand.error = None
    later = asyncio.create_task(shared.wait())
    await settle()
    errand.end()
    await later

    assert [type(each) for each in told] == [StoreUnavailableError] * 3
    assert errand.ended == 2


async def test_who_goes_away_keeps_nobody_from_the_answer() -> None:
    """The run is nobody's own."""
    errand = Errand()
    errand.error = StoreUnavailableError("away")
    shared = NextRun(errand.run)
    gone, stays = (asyncio.create_task(shared.wait()) for _ in range(2))
    await settle()

    gone.cancel()
    await settle()
    errand.end()

    with pytest.raises(StoreUnavailableError):
        await stays
    assert gone.cancelled()


async def test_run_that_is_cut_off_is_told_as_that() -> None:
    """The end of the service ends it too, and there is no error to look at."""
    errand = Errand()
    shared = NextRun(errand.run)
    waiting = asyncio.create_task(shared.wait())
    await settle()
    (run,) = asyncio.all_tasks() - {waiting, asyncio.current_task()}

    run.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (errand.began, errand.ended) == (1, 0)


async def test_failure_that_nobody_waits_for_is_no_loose_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Everybody has gone by the time it fails."""
    errand = Errand()
    errand.error = StoreUnavailableError("away")
    waiting = asyncio.create_task(NextRun(errand.run).wait())
    await settle()

    waiting.cancel()
    await settle()
    errand.end()
    await settle()
    # Its traceback leads to all that has been run.
    del waiting, errand.error
    gc.collect()

    assert errand.ended == 1
    assert "never retrieved" not in caplog.text
