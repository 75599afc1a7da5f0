"""Uses of sessions that are to be recorded, some at a time and behind the answers.

    note, note, note ─► a moment ─► touch, touch, touch: one commit of SQLite

Verify says that a session has been used and goes on. What has come together in a moment
is written together: each commit to a SQLite file makes every worker read its rows
again, and costs as much for many uses as for one.

Laws: nobody waits for a touch but who stops the service; one that is lost shortens a
session, and none lengthens one, because it is of the moment of the use. A session is
written about once at a time, however often it is used meanwhile.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Final

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms
from forwardauth.sessions.store import SessionStore

MOMENT: Final = timedelta(seconds=0.5)
"""How long a use waits for others."""

_HURRY_MS: Final = 2_000
"""A session that would have ended within so long is written about at once."""

MAX_NOTED: Final = 32_768
"""How many uses wait at most, some 200 bytes each. What does not fit is noted by the
next use of its session."""

_AT_ONCE: Final = 16
"""How many are written together: what they take of one turn of the event loop stays
below what an answer of the normal way takes."""

_log = logging.getLogger(__name__)


class Touches:
    """Records uses in one store; one for each ``SessionManager``."""

    def __init__(self, store: SessionStore, *, moment: timedelta = MOMENT) -> None:
        """Write to *store*, after a *moment*."""
        self._store = store
        self._seconds = moment.total_seconds()
        self._noted: dict[Digest, tuple[int, int]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._is_urgent = False

    def note(
        self, digest: Digest, *, seen_ms: int, expires_ms: int, ends_ms: int
    ) -> None:
        """Let the store move the times of a session's login; see its ``touch``.

        Args:
            digest: The session that was used.
            seen_ms: When, in ms since 1970.
            expires_ms: When it ends if it is not used again.
            ends_ms: When it would have ended without this use.
        """
        if digest in self._noted or len(self._noted) >= MAX_NOTED:
            return
        self._noted[digest] = seen_ms, expires_ms
        self._is_urgent |= ends_ms - seen_ms < _HURRY_MS
        if self._writing is None and (self._timer is None or self._is_urgent):
            self._wait()

    def _wait(self) -> None:
        """Begin in a moment, or now where something is urgent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_urgent:
            self._begin()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._seconds, self._begin)

    def _begin(self) -> None:
        self._timer, self._is_urgent = None, False
        self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Write what has been noted until now, and wait for a moment if there is more.

        A digest is noted until it has been written, so that no use comes twice.
        """
        waiting = iter(tuple(self._noted))
        try:
            while batch := tuple(islice(waiting, _AT_ONCE)):
                await self._touch_all(batch)
                for digest in batch:
                    del self._noted[digest]
        finally:
            # Also where a store was cancelled: what is left is written next time.
            self._writing = None
            if self._noted:
                self._wait()

    async def _touch_all(self, batch: Iterable[Digest]) -> None:
        await asyncio.gather(*map(self._touch, batch))

    async def _touch(self, digest: Digest) -> None:
        seen_ms, expires_ms = self._noted[digest]
        seen, expires = from_ms(seen_ms), from_ms(expires_ms)
        try:
            await self._store.touch(digest, seen=seen, expires=expires)
        except StoreUnavailableError as exc:
            _log.debug("the use of a session was not recorded: %s", exc)
        except Exception:  # noqa: BLE001 - nobody waits for it but the stop, and it logs
            _log.exception("the use of a session was not recorded")

    async def close(self) -> None:
        """Write what has been noted, and return when that is done."""
        while self._timer is not None or self._writing is not None:
            if self._timer is not None:
                self._timer.cancel()
                self._begin()
            if self._writing is not None:
                await self._writing
