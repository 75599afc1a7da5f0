"""What nobody asks for happens all the same, whatever goes wrong in between."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.sessions.housekeeping import Housekeeper
from forwardauth.sessions.ids import Digest, digest_of
from forwardauth.sessions.model import EndCause, Session
from forwardauth.sessions.revoker import SessionRevoker
from tests.support.clock import FakeClock
from tests.support.sessions import (
    READS,
    TIMEOUTS,
    PartlyDownStore,
    Recorder,
    Worker,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def store() -> PartlyDownStore:
    """A store that a test can take down."""
    return PartlyDownStore()


@pytest.fixture
def worker(tmp_path: Path, store: PartlyDownStore) -> Worker:
    """The worker that is kept in order."""
    return Worker(tmp_path / "journal", store=store, clock=FakeClock())


@pytest.fixture
def housekeeper(worker: Worker) -> Housekeeper:
    """Keeps it in order."""
    return Housekeeper(worker.revoker)


async def test_pending_revocations_are_retried(
    housekeeper: Housekeeper, worker: Worker, store: PartlyDownStore
) -> None:
    """They are carried out as soon as the store answers (L-9)."""
    session_id, _ = await worker.sign_in()
    store.go_down()
    await worker.revoke(session_id)
    await housekeeper.retry()
    store.come_back()

    await housekeeper.retry()

    assert await store.count() == 0
    assert worker.journal.is_empty()


async def test_journal_that_cannot_be_read_is_told_without_a_traceback(
    housekeeper: Housekeeper, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is an outage, and the next round tries again."""
    (tmp_path / "journal").mkdir()

    waits = [await housekeeper.retry() for _ in range(2)]

    assert waits[0] < waits[1]
    (first, _) = caplog.records
    assert first.levelname == "WARNING"
    assert "the revocation journal cannot be read" in first.getMessage()
    assert first.exc_info is None


async def test_waits_double_up_to_half_a_minute(
    housekeeper: Housekeeper, worker: Worker, store: PartlyDownStore
) -> None:
    """A store that is down is asked less and less, and at once when it was up."""
    session_id, _ = await worker.sign_in()
    at_rest = await housekeeper.retry()
    store.go_down()
    await worker.revoke(session_id)
    in_outage = [await housekeeper.retry() for _ in range(7)]
    store.come_back()

    assert at_rest == 1
    assert in_outage == [2, 4, 8, 16, 30, 30, 30]
    assert await housekeeper.retry() == 1


async def test_sweep_goes_on_until_nothing_is_left(
    housekeeper: Housekeeper, worker: Worker, store: PartlyDownStore
) -> None:
    """However many have expired, all are ended (L-58)."""
    for number in range(1_001):
        await worker.sign_in(f"user{number}")
    worker.clock.advance(HOUR)

    await housekeeper.sweep()

    assert await store.count() == 0
    assert worker.observer.causes == [EndCause.IDLE] * 1_001


async def test_outage_of_a_sweep_is_logged(
    housekeeper: Housekeeper,
    worker: Worker,
    store: PartlyDownStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What could not be swept is swept the next time."""
    await worker.sign_in()
    worker.clock.advance(HOUR)
    store.go_down()
    await housekeeper.sweep()
    store.come_back()
    await housekeeper.sweep()

    assert "cannot sweep expired sessions: the store is down" in caplog.text
    assert await store.count() == 0


class Broken(Recorder):
    """An observer with a bug."""

    def session_ended(
        self, session: Session | None, digest: Digest, cause: EndCause
    ) -> None:
        """Fail as no observer may."""
        raise RuntimeError(f"{cause} of {len(digest)} {session is None}")


async def test_bug_of_an_observer_ends_no_loop(
    tmp_path: Path,
    worker: Worker,
    store: PartlyDownStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault that nobody expected is logged, and the next round begins."""
    revoker = SessionRevoker(
        store=store,
        clock=worker.clock,
        timeouts=TIMEOUTS,
        journal=worker.journal,
        observer=Broken(),
    )
    housekeeper = Housekeeper(revoker)
    session_id, _ = await worker.sign_in()
    await worker.sign_in("bob")
    store.go_down()
    await worker.revoke(session_id)
    store.come_back()
    worker.clock.advance(HOUR)
    assert (tmp_path / "journal").exists()

    wait = await housekeeper.retry()
    await housekeeper.sweep()

    assert wait == 2
    assert "cannot carry out pending revocations" in caplog.text
    assert "cannot sweep expired sessions" in caplog.text
    assert not await worker.is_live(session_id)


async def test_first_round_is_at_once_and_every_sixtieth_sweeps(
    worker: Worker,
    store: PartlyDownStore,
) -> None:
    """What a crash left is taken up at the start; the loop ends when it is told to."""
    session_id, _ = await worker.sign_in()
    store.go_down()
    await worker.revoke(session_id)
    store.come_back()
    await worker.sign_in("bob")
    worker.clock.advance(HOUR)
    waits: list[float] = []
    counts: list[int] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        counts.append(await store.count())
        if len(waits) == 30:
            await worker.sign_in("carol")
            worker.clock.advance(HOUR)
        if len(waits) == 62:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Housekeeper(worker.revoker, sleep=sleep).run()

    assert counts[0] == 0
    assert counts[30:60] == [1] * 30
    assert counts[60:] == [0, 0]
    assert set(waits) == {1}


async def test_loop_waits_longer_in_an_outage(
    worker: Worker, store: PartlyDownStore
) -> None:
    """An outage does not end the loop, whichever call it meets."""
    session_id, _ = await worker.sign_in()
    store.go_down()
    await worker.revoke(session_id)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            store.come_back()
            store.broken = READS - {"load"}
        if len(waits) == 4:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Housekeeper(worker.revoker, sleep=sleep).run()

    assert waits == [2, 4, 8, 1]
    assert await store.load(digest_of(session_id)) is None
