"""Uses of sessions that are to be recorded, some at a time and behind the answers.

    note, note, note ─► a moment ─► touch, touch, touch: one commit of SQLite

Verify says that a session has been used and goes on. What has come together in a moment
is written together: each commit to a SQLite file makes every worker read its rows
again, and costs as much for many uses as for one.

Laws: nobody waits for a touch but who stops the service, and not for long; one that is
lost shortens a session, and none lengthens one, because it is of the moment of the use.
A session is written about once at a time, however often it is used meanwhile, and not
at all where another process has been quicker.
"""

import asyncio
import logging
from contextvars import Context
from datetime import timedelta
from typing import Final

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms
from forwardauth.sessions.store import SessionStore

MOMENT: Final = timedelta(seconds=0.5)
"""How long a use waits for others."""

HURRY_MS: Final = 60_000
"""A session that would have ended within so long is written about at once, and before
all others: a crowd that comes back together takes some seconds to write about."""

MAX_NOTED: Final = 32_768
"""How many uses wait at most, some 200 bytes each. What does not fit is noted by the
next use of its session."""

AT_ONCE: Final = 16
"""How many are written at a time: what they take of one turn of the event loop stays
below what an answer of the normal way takes."""

CLOSE_SECONDS: Final = 3.0
"""How long a stop waits for a store that does not take them."""

_log = logging.getLogger(__name__)


class Touches:
    """Records uses in one store; one for each ``SessionManager``."""

    def __init__(
        self, store: SessionStore, *, interval: timedelta, moment: timedelta = MOMENT
    ) -> None:
        """Write to *store*, after a *moment*; a use within *interval* of another not.

        Nothing of whoever notes a use (request id, trace) gets into the writing of it,
        which is for many.
        """
        self._store = store
        self._interval = interval
        self.interval_ms = interval // timedelta(milliseconds=1)
        """How long a use goes unrecorded: only a later one is to be noted."""
        self._seconds = moment.total_seconds()
        self._noted: dict[Digest, tuple[int, int]] = {}
        self._urgent: dict[Digest, tuple[int, int]] = {}
        self._under_way: set[Digest] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._writers: set[asyncio.Task[None]] = set()

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
        if digest in self._under_way:
            return
        is_urgent = ends_ms - seen_ms < HURRY_MS
        waiting = self._urgent if is_urgent else self._noted
        if digest not in waiting and len(waiting) >= MAX_NOTED:
            return
        waiting[digest] = seen_ms, expires_ms
        if is_urgent:
            self._begin()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._begin)

    def _begin(self) -> None:
        """Write what is noted, by as many writers as have something to do."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        waiting = len(self._urgent) + len(self._noted)
        while len(self._writers) < min(AT_ONCE, len(self._under_way) + waiting):
            writer = loop.create_task(self._write(), context=Context())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)

    async def _write(self) -> None:
        """Write one after the other, until nothing is noted."""
        while waiting := self._urgent or self._noted:
            digest = next(iter(waiting))
            seen_ms, expires_ms = waiting.pop(digest)
            self._under_way.add(digest)
            try:
                await self._touch(digest, seen_ms, expires_ms)
            except StoreUnavailableError as exc:
                _log.debug("the use of a session was not recorded: %s", exc)
            except Exception:  # noqa: BLE001 - nobody waits but the stop; the log has it
                _log.exception("the use of a session was not recorded")
            finally:
                self._under_way.discard(digest)

    async def _touch(self, digest: Digest, seen_ms: int, expires_ms: int) -> None:
        seen, expires = from_ms(seen_ms), from_ms(expires_ms)
        # Another worker, or a use of a linked session, may have been quicker.
        entry = await self._store.load(digest)
        if entry is not None and seen - entry.seen >= self._interval:
            await self._store.touch(digest, seen=seen, expires=expires)

    async def close(self) -> None:
        """Write what has been noted, as far as the store takes it in time."""
        self._begin()
        if self._writers:
            _, late = await asyncio.wait(self._writers, timeout=CLOSE_SECONDS)
            for writer in late:
                writer.cancel()
