"""A process that creates, touches and ends sessions without a pause until it is killed.

``python -m tests.support.session_writer FILE`` says what it is about to do and what was
acknowledged, one line each: ``created DIGEST``, ``touched``, ``ending`` and ``ended``.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from tests.unit.sessions.contract import at, create_entry

TOUCHED_AT: Final = at(60)

_WRITERS: Final = 8


def _say(what: str, entry: Entry) -> None:
    # One write, so that a kill leaves whole lines.
    os.write(sys.stdout.fileno(), f"{what} {entry.digest.hex()}\n".encode())


async def _write_on(store: SqliteStore, number: int) -> None:
    """Create two sessions, touch both and end one, over and over."""
    # What a writer before us left is not ours to end.
    own = f"{os.getpid()}-{number}"
    turn = number
    while True:
        turn += 1
        kept = create_entry(login=f"kept-{own}")
        ending = create_entry(login=f"ending-{own}", owner=f"user-{own}")
        for entry in (kept, ending):
            await store.create(entry)
            _say("created", entry)
            await store.touch(entry.digest, seen=TOUCHED_AT, expires=at(3_660))
            _say("touched", entry)
        _say("ending", ending)
        if turn % 3 == 0:
            await store.delete(ending.digest)
        elif turn % 3 == 1:
            await store.delete_login(ending.login)
        else:
            await store.delete_owner(ending.owner)
        _say("ended", ending)


async def _main(path: Path) -> None:
    store = SqliteStore(SqliteWorker(path))
    await asyncio.gather(*(_write_on(store, number) for number in range(_WRITERS)))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
