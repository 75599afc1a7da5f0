"""An older and a newer release on one store, one journal and one file.

What the first release wrote is read for ever. What a release to come writes is read as
far as it is known, kept as it came, and refused where it says that it must be.
"""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.handover import binding_of, parse_handover
from forwardauth.sessions.ids import Handle, SessionId, create_session_id, digest_of
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.model import Session, parse_entry
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.stores.redis_keys import RedisKeys
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_file import open_file
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from forwardauth.web.sign_in_log import SignInLog
from tests.support.clock import START, FakeClock
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import create_prefix, opened
from tests.support.releases import (
    ALICE,
    ALICE_ELSEWHERE,
    BOB,
    CODE,
    NEXT_FIELDS,
    NEXT_LINE,
    NEXT_STEPS,
    RELEASED,
    dump_next,
    write_released_database,
)
from tests.support.sessions import TIMEOUTS, Worker

BUSY: Final = timedelta(seconds=5)
STORES: Final = ("memory", "sqlite", "redis")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run a server."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@asynccontextmanager
async def sqlite(path: Path) -> AsyncIterator[SqliteStore]:
    """Open the store at *path* as this release does."""
    store = SqliteStore(SqliteWorker(path))
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture(params=STORES)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, redis: RedisServer
) -> AsyncIterator[SessionStore]:
    """An empty store of each kind."""
    match request.param:
        case "memory":
            yield MemoryStore()
        case "sqlite":
            async with sqlite(tmp_path / "sessions.db") as file:
                yield file
        case _:
            async with opened(redis.url, prefix=create_prefix()) as server:
                yield server


def create_session(**changes: Any) -> Session:
    """Return a session of today."""
    values: dict[str, Any] = {
        "handle": Handle("1" * 32),
        "login": "login",
        "username": "alice",
        "domain": "example.com",
        "credential": ("0" * 32,),
        "methods": ("pwd",),
        "level": 1,
        "created": START,
        "absolute": START + TIMEOUTS.absolute,
        "idle": TIMEOUTS.idle,
        "seen": START,
        "remembered": False,
        "address": "192.0.2.1",
        "user_agent": "Firefox",
    }
    return Session(**{**values, **changes})


# what the first release has left


async def test_file_of_the_first_release_is_read(tmp_path: Path) -> None:
    """Nobody is signed out by an upgrade, and everybody can still be (L-15)."""
    path = tmp_path / "sessions.db"
    write_released_database(path)
    clock = FakeClock()

    async with sqlite(path) as store:
        worker = Worker(tmp_path / "journal", store=store, clock=clock)
        live = await worker.lookup(ALICE)
        sign_ins = await SignInLog(store, clock).list_recent("alice")
        await worker.revoke(ALICE)

        assert live is not None
        assert live.session == create_session(
            handle=Handle(f"{1:032x}"), login="1" * 32
        )
        assert [each.address for each in sign_ins] == ["192.0.2.1"]
        assert not await worker.is_live(ALICE_ELSEWHERE, domain="example.org")
        assert await worker.is_live(BOB)


async def test_journal_of_the_first_release_is_carried_out(tmp_path: Path) -> None:
    """A promise that was given before an upgrade is kept after it (L-9, L-15)."""
    write_released_database(tmp_path / "sessions.db")
    journal = tmp_path / "journal"
    shutil.copy(RELEASED / "revocations.journal", journal)

    async with sqlite(tmp_path / "sessions.db") as store:
        worker = Worker(journal, store=store, clock=FakeClock())
        at_once = [await worker.is_live(each) for each in (ALICE, BOB)]
        is_left = await worker.revoker.retry_pending()

        assert at_once == [False, False]
        assert not is_left
        assert await store.count() == 0


def test_handover_of_the_first_release_is_read() -> None:
    """A browser that is between two domains during an upgrade arrives."""
    record = (RELEASED / "handover.json").read_bytes()
    entry = Entry(
        digest=digest_of(CODE),
        owner="alice",
        login="1" * 32,
        record=record,
        seen=START,
        expires=START,
    )

    handover = parse_handover(entry)

    assert handover is not None
    assert handover.domain == "example.org"
    assert handover.binding == binding_of("nonce")
    assert handover.parent == digest_of(ALICE)
    assert parse_entry(entry) is None


# a newer release beside this one


async def test_session_of_a_newer_release_counts_and_stays_as_it_is(
    store: SessionStore, tmp_path: Path
) -> None:
    """It is accepted, used and ended here; what it says besides is not touched."""
    clock = FakeClock()
    worker = Worker(tmp_path / "journal", store=store, clock=clock)
    cookie = create_session_id()
    entry = dump_next(create_session(), cookie)
    await store.create(entry)

    clock.advance(TIMEOUTS.touch_interval)
    live = await worker.lookup(cookie)
    listed = await worker.sessions.list_user("alice")
    kept = await store.load(entry.digest)
    await worker.revoke(cookie)

    assert live is not None
    assert [each.session.handle for each in listed] == [live.session.handle]
    assert kept is not None
    assert kept.seen == clock.now()
    assert kept.record == entry.record
    assert NEXT_FIELDS.items() <= json.loads(kept.record).items()
    assert not await worker.is_live(cookie)


async def test_session_that_needs_a_newer_release_is_refused(
    store: SessionStore, tmp_path: Path
) -> None:
    """What this release would misread opens no door here, and can be ended here."""
    worker = Worker(tmp_path / "journal", store=store, clock=FakeClock())
    cookie = create_session_id()
    await store.create(dump_next(create_session(), cookie, needs=2))

    is_live = await worker.is_live(cookie)
    is_kept = await store.load(digest_of(cookie)) is not None
    await worker.revoke(cookie)

    assert not is_live
    assert is_kept
    assert await store.load(digest_of(cookie)) is None


@pytest.mark.parametrize("needs", ["2", None, [1], {}, "x"])
def test_need_that_nobody_understands_is_refused(needs: object) -> None:
    """Only a number that this release reaches is a session."""
    entry = dump_next(create_session(), ALICE, needs=needs)

    assert parse_entry(entry) is None


async def test_fields_that_a_newer_release_adds_in_redis_stay(
    redis: RedisServer, tmp_path: Path
) -> None:
    """A use here moves the times and nothing else."""
    prefix, clock, cookie = create_prefix(), FakeClock(), create_session_id()
    async with opened(redis.url, clock, prefix=prefix) as store:
        worker = Worker(tmp_path / "journal", store=store, clock=clock)
        await store.create(dump_next(create_session(), cookie))
        key = RedisKeys(prefix).session(digest_of(cookie))
        redis.run("HSET", key, "device", "laptop")

        clock.advance(TIMEOUTS.touch_interval)
        is_live = await worker.is_live(cookie)

        assert is_live
        assert redis.run("HGET", key, "device") == b"laptop"


# the file, taken further


def columns(path: Path) -> list[str]:
    """Return the columns of the sessions in the file, and its version."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("PRAGMA table_info(sessions)").fetchall()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    return [*(row[1] for row in rows), str(version)]


async def test_several_workers_take_an_old_file_further_at_once(tmp_path: Path) -> None:
    """One does the step, the others find it done, and every session is there."""
    path = tmp_path / "sessions.db"
    write_released_database(path)

    files = await asyncio.gather(
        *(
            asyncio.to_thread(open_file, path, busy_timeout=BUSY, steps=NEXT_STEPS)
            for _ in range(4)
        )
    )
    counts = [f.reader.execute("SELECT count(*) FROM sessions") for f in files]

    assert [count.fetchone() for count in counts] == [(3,)] * 4
    assert columns(path)[-2:] == ["device", "2"]
    for file in files:
        file.close()


def test_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """An upgrade that goes wrong can be undone by the release before."""
    path = tmp_path / "sessions.db"
    write_released_database(path)
    before = columns(path)
    wrong = (*NEXT_STEPS, ("INSERT INTO nowhere VALUES (1)",))

    with pytest.raises(StoreUnavailableError, match="nowhere"):
        open_file(path, busy_timeout=BUSY, steps=wrong)

    assert columns(path) == before
    open_file(path, busy_timeout=BUSY).close()


async def test_worker_that_has_the_file_open_goes_on(tmp_path: Path) -> None:
    """During a rolling restart the older workers sign in, verify and sign out."""
    path = tmp_path / "sessions.db"
    write_released_database(path)
    async with sqlite(path) as store:
        worker = Worker(tmp_path / "journal", store=store, clock=FakeClock())
        assert await worker.is_live(ALICE)

        newer = open_file(path, busy_timeout=BUSY, steps=NEXT_STEPS)
        cookie, _ = await worker.sign_in()
        await store.ping()
        await worker.revoke(ALICE)

        assert await worker.is_live(cookie)
        assert not await worker.is_live(ALICE)
        assert await worker.is_live(BOB)
        newer.close()
    assert columns(path)[-2:] == ["device", "2"]


def test_release_before_does_not_open_the_newer_file(tmp_path: Path) -> None:
    """It says which versions meet, and what to do."""
    path = tmp_path / "sessions.db"
    open_file(path, busy_timeout=BUSY, steps=NEXT_STEPS).close()

    with pytest.raises(StoreUnavailableError, match=r"schema 2.*up to 1") as caught:
        open_file(path, busy_timeout=BUSY)

    assert "docs/upgrading.md" in str(caught.value.remedy)


# the journal, shared with a newer release


def test_lines_of_a_newer_release_stay_in_the_journal(tmp_path: Path) -> None:
    """They are refused as promises where they are, and survive that it is shortened."""
    path = tmp_path / "journal"
    newer = promise(1)
    content = {**newer_content(1), "v": 2, "device": "laptop"}
    path.write_text(f"{json.dumps(NEXT_LINE)}\n{json.dumps({'add': content})}\n")
    journal = RevocationJournal(path)

    is_held = journal.holds(newer.digest)
    others = [promise(number) for number in range(2, 1_200)]
    journal.add_all(others)
    journal.remove(*(each.digest for each in others))  # Most is over: it is shortened.
    lines = [json.loads(line) for line in path.read_text().split("\n") if line]
    held_after = RevocationJournal(path).holds(newer.digest)
    journal.remove(newer.digest)

    assert is_held
    assert held_after
    assert len(lines) < 1_200
    assert NEXT_LINE in lines
    assert {"add": content} in lines
    assert RevocationJournal(path).is_empty()


def promise(number: int) -> PendingRevocation:
    """Return a promise of this release."""
    return PendingRevocation(
        digest=digest_of(SessionId(f"{number}")),
        login=None,
        owner=None,
        cause="user",
        until=START + timedelta(days=30),
    )


def newer_content(number: int) -> dict[str, object]:
    """Return what stands in the line of ``promise``, as the first release wrote it."""
    line = (RELEASED / "revocations.journal").read_text().split("\n")[1]
    return {**json.loads(line)["add"], "digest": promise(number).digest.hex()}
