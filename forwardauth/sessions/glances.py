"""Looks a session up in passing: what verify needs of it, and only what is plain.

A look-up by ``SessionManager`` may wait, and ends what has expired. Nearly every
look-up of verify does none of this: the store answers from memory or from a file, and
all that counts stands in the record as we write it. That takes a few microseconds less
than the objects of a whole session would.

Law: a glance tells what ``SessionManager.lookup`` would, at the same moment, or raises
``NoGlanceError``; whoever meets that asks the manager. It changes nothing anywhere, but
that it lets a use be recorded which is due, as the manager does.

What has to be asked of the system (has a promise been written, is the file still the
one that is open, what has been committed) is asked once in a turn of the event loop, by
the first glance in it. The loop takes what has arrived, handles all of it, and looks
again for more: so every request of a turn had begun to arrive before that first glance,
and whatever was answered before the request began is seen. The next turn asks anew.
"""

import asyncio
from typing import Protocol, runtime_checkable

from forwardauth.clock import Clock
from forwardauth.sessions.backlog import Backlog
from forwardauth.sessions.ids import Digest, digest_presented
from forwardauth.sessions.rows import Glance, NoGlanceError, Row, read_record
from forwardauth.sessions.touches import Touches


@runtime_checkable
class GlancingStore(Protocol):
    """A store that can often answer at once."""

    def begin_peeking(self) -> None:
        """Let ``peek`` read what is there now, or later.

        Raises:
            NoGlanceError: It could take a while.
        """
        ...

    def peek(self, digest: Digest) -> Row | None:
        """Return what ``load`` would have at the beginning or since, if anything.

        Raises:
            NoGlanceError: It could take a while.
        """
        ...

    def end_peeking(self) -> None:
        """Let go of what was there at the beginning; it may have ended already."""
        ...


class SessionGlances:
    """Glances at one store; one for each worker, beside its ``SessionManager``."""

    def __init__(
        self,
        store: GlancingStore,
        *,
        backlog: Backlog,
        clock: Clock,
        touches: Touches,
    ) -> None:
        """Keep the parts.

        Args:
            store: The one that the manager has.
            backlog: Of the manager's revoker: what has been promised.
            clock: The manager's.
            touches: The manager's.
        """
        self._store = store
        self._peek = store.peek
        self._backlog = backlog
        self._clock = clock
        self._touches = touches
        self._touch_ms = touches.interval_ms
        self._is_in_turn = False
        self.is_crowded = False
        """Whether so many connections are open that a loop may look for more arrivals
        before a turn has ended, as uvloop's does after 1,024; each glance asks by
        itself then."""

    def lookup(self, presented: bytes, *, domain: str) -> Glance | None:
        """Return the session of the one cookie value *presented*, if it counts.

        Args:
            presented: The only value of our cookie in the request.
            domain: The cookie domain that the request is for.

        Raises:
            NoGlanceError: Something is to be waited for, ended or looked at more
                closely.
        """
        digest = digest_presented(presented)
        if digest is None:
            return None
        row = self._peek(digest) if self._is_in_turn else self._peek_first(digest)
        if row is None:
            return None
        now_ms = self._clock.now_ms()
        glance = judge(row, domain=domain, now_ms=now_ms)
        if glance is not None and now_ms - row.seen_ms >= self._touch_ms:
            note_use(self._touches, digest, row, now_ms)
        return glance

    def _peek_first(self, digest: Digest) -> Row | None:
        """Ask what holds for all glances of this turn, and then about *digest*.

        The promises first: one that is no longer there has been kept, which the store
        then shows.
        """
        if not self._backlog.is_empty():
            raise NoGlanceError
        self._store.begin_peeking()
        if self.is_crowded:
            try:
                return self._peek(digest)
            finally:
                self._store.end_peeking()
        self._is_in_turn = True
        # Runs before the loop looks for what has arrived meanwhile.
        asyncio.get_running_loop().call_soon(self._end_turn)
        return self._peek(digest)

    def _end_turn(self) -> None:
        self._is_in_turn = False
        self._store.end_peeking()


def judge(row: Row, *, domain: str, now_ms: int) -> Glance | None:
    """Return what *row* tells about the session, ``None`` if it does not count.

    Args:
        row: As the store has it.
        domain: The cookie domain that the request is for.
        now_ms: The time, in ms since 1970.

    Raises:
        NoGlanceError: Something is to be ended or looked at more closely.
    """
    glance = row.glance or read_record(row)
    if now_ms >= row.ends_ms:
        raise NoGlanceError
    return glance if glance.domain == domain else None


def note_use(touches: Touches, digest: Digest, row: Row, now_ms: int) -> None:
    """Let *touches* record that the session of *row* was used at *now_ms*."""
    expires_ms = row.ends_after(now_ms)
    touches.note(digest, seen_ms=now_ms, expires_ms=expires_ms, ends_ms=row.ends_ms)
