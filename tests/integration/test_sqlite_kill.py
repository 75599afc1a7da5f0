"""What SQLite has acknowledged outlives ``kill -9``, and what was ended stays ended."""

import asyncio
import signal
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from tests.support.session_writer import TOUCHED_AT
from tests.unit.sessions.contract import everything

KILLED_AFTER: Final = (1, 2, 3, 17, 40, 64, 99, 150, 211, 300)
"""How many lines each writer lives for: in its first transaction, and amid many."""

Told = Mapping[str, set[Digest]]


async def write_until_killed(path: Path, lines: int) -> dict[str, set[Digest]]:
    """Return what a writer has said until it was killed after so many *lines*."""
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.session_writer", str(path)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert writer.stdout is not None
    said = [await writer.stdout.readline() for _ in range(lines)]
    writer.kill()
    said += (await writer.stdout.read()).splitlines()
    assert await writer.wait() == -signal.SIGKILL
    told: dict[str, set[Digest]] = defaultdict(set)
    for line in said:
        what, digest = line.decode().split()
        told[what].add(Digest(bytes.fromhex(digest)))
    return told


async def check(store: SessionStore, told: Told) -> None:
    """Compare what *store* has with what was acknowledged."""
    for digest in told["ended"]:
        assert await store.load(digest) is None
        assert not await store.touch(digest, seen=TOUCHED_AT, expires=TOUCHED_AT)
    for digest in told["created"] - told["ending"]:
        entry = await store.load(digest)
        assert entry is not None
        assert digest not in told["touched"] or entry.seen == TOUCHED_AT


async def test_killed_writers_lose_nothing_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    """Ten times in the middle of its work; another process has the file open (L-15).

    The file is whole, opens at once, and can be written.
    """
    path = tmp_path / "sessions.db"
    beside = SqliteStore(SqliteWorker(path))
    await beside.ping()
    told: dict[str, set[Digest]] = defaultdict(set)

    for lines in KILLED_AFTER:
        for what, digests in (await write_until_killed(path, lines)).items():
            told[what] |= digests
        await check(beside, told)
    await beside.close()
    afresh = SqliteStore(SqliteWorker(path))
    await check(afresh, told)
    listed = await everything(afresh)
    for digest, entry in listed.items():
        assert await afresh.delete(digest) == entry
    left = await afresh.count()
    await afresh.close()

    assert len(told["ended"]) > len(KILLED_AFTER)
    assert listed.keys() >= told["created"] - told["ending"]
    assert listed.keys().isdisjoint(told["ended"])
    assert left == 0
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_killed_alone_the_file_opens_by_itself(tmp_path: Path) -> None:
    """Nobody else had the file open, so the next to come has to repair it."""
    path = tmp_path / "sessions.db"
    for lines in (1, 100):
        told = await write_until_killed(path, lines)
        assert path.with_name("sessions.db-wal").stat().st_size > 0

        store = SqliteStore(SqliteWorker(path))
        await check(store, told)
        await store.close()
