"""Looks a session up in passing: what verify needs of it, and only what is plain.

A look-up by ``SessionManager`` may wait, ends what has expired and records the use of
what has not. Nearly every look-up of verify does none of this: the store answers from
memory or from a file, and all that counts stands in the record as we write it. That
takes a few microseconds less than the objects of a whole session would.

Law: a glance tells what ``SessionManager.lookup`` would, at the same moment, or raises
``NoGlanceError``; whoever meets that asks the manager. It changes nothing anywhere.

What has to be asked of the system (has a promise been written, is the file still the
one that is open, what has been committed) is asked once in a turn of the event loop, by
the first glance in it. The loop takes what has arrived, handles all of it, and looks
again for more: so every request of a turn had begun to arrive before that first glance,
and whatever was answered before the request began is seen. The next turn asks anew.
"""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple, Protocol, runtime_checkable

from forwardauth.clock import Clock
from forwardauth.sessions.backlog import Backlog
from forwardauth.sessions.ids import Digest, digest_presented
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.model import is_time

_RECORD: Final = re.compile(
    rb'\{"v":1,"handle":"[^"]{32}","domain":"([^"]+)",'
    rb'"credential":\[("[^"]{32}"(?:,"[^"]{32}"){0,7})\],'
    rb'"methods":\["[^"]+"\],"level":([12]),"created":(0|[1-9][0-9]{0,14}),'
    rb'"absolute":(0|[1-9][0-9]{0,14}),"idle":(null|0|[1-9][0-9]{0,14}),'
    rb'"remembered":(?:true|false),'
    rb'"address":"[^"]*","user_agent":"[^"]*","upstream":\{\}\}'
)
"""All of a record as ``dump_entry`` writes it. One with anything else is for
``parse_entry`` to read, or to refuse."""

_PLAIN: Final = bytes(range(0x20, 0x7F)).replace(b"\\", b"")
"""What a text of JSON may hold as it is, or rather less. To look for anything else
first is half as much work as to look for each kind of character where it belongs."""


class Glance(NamedTuple):
    """A session that counts.

    Attributes:
        username: Whose it is.
        credential: Stamps of the password hash it was proven with, as JSON; equal
            bytes mean equal stamps.
        level: How many factors were proven.
        domain: The cookie domain on which it counts.
    """

    username: str
    credential: bytes
    level: int
    domain: str

    @property
    def stamps(self) -> tuple[str, ...]:
        """The stamps in *credential*."""
        return tuple(self.credential.decode("ascii").replace('"', "").split(","))


class Content(NamedTuple):
    """What a record says. Times in ms.

    Attributes:
        absolute_ms: When the session ends at the latest, since 1970.
        idle_ms: How long it lasts unused, ``None`` where that has no bound.
    """

    glance: Glance
    absolute_ms: int
    idle_ms: int | None


@dataclass(slots=True)
class Row:
    """What a glance needs of an ``Entry``. Times in ms since 1970.

    Attributes:
        glance: What the record says, once it has been read; a store that keeps its
            rows has each of them read once.
        ends_ms: When the session ends if nobody uses it again.
    """

    owner: str
    record: bytes
    seen_ms: int
    glance: Glance | None = field(default=None, init=False, compare=False)
    ends_ms: int = field(default=0, init=False, compare=False)


class NoGlanceError(Exception):
    """More is to be done than a glance: ask the manager."""


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
        timeouts: Timeouts,
    ) -> None:
        """Keep the parts.

        Args:
            store: The one that the manager has.
            backlog: Of the manager's revoker: what has been promised.
            clock: The manager's.
            timeouts: The manager's.
        """
        self._store = store
        self._peek = store.peek
        self._backlog = backlog
        self._clock = clock
        self._touch_ms = timeouts.touch_interval // timedelta(milliseconds=1)
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
            NoGlanceError: Something is to be waited for, ended, recorded or looked at
                more closely.
        """
        digest = digest_presented(presented)
        if digest is None:
            return None
        row = self._peek(digest) if self._is_in_turn else self._peek_first(digest)
        if row is None:
            return None
        now_ms = self._clock.now_ms()
        return judge(row, domain=domain, now_ms=now_ms, touch_ms=self._touch_ms)

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


def judge(row: Row, *, domain: str, now_ms: int, touch_ms: int) -> Glance | None:
    """Return what *row* tells about the session, ``None`` if it does not count.

    Args:
        row: As the store has it.
        domain: The cookie domain that the request is for.
        now_ms: The time, in ms since 1970.
        touch_ms: How long a use goes unrecorded.

    Raises:
        NoGlanceError: Something is to be ended, recorded or looked at more closely.
    """
    glance = row.glance or read_record(row)
    if now_ms >= row.ends_ms or now_ms - row.seen_ms >= touch_ms:
        raise NoGlanceError
    return glance if glance.domain == domain else None


def read_record(row: Row) -> Glance:
    """Return what the record of *row* says, and keep it there.

    Raises:
        NoGlanceError: It is not plainly as we write one.
    """
    content = parse_record(row.owner, row.record)
    row.ends_ms = end_of(content.absolute_ms, content.idle_ms, seen_ms=row.seen_ms)
    row.glance = content.glance
    return content.glance


def end_of(absolute_ms: int, idle_ms: int | None, *, seen_ms: int) -> int:
    """Return when a session ends that was last used at *seen_ms*; all in ms."""
    return absolute_ms if idle_ms is None else min(absolute_ms, seen_ms + idle_ms)


def parse_record(owner: str, record: bytes) -> Content:
    """Return what the *record* of a session of *owner* says.

    Raises:
        NoGlanceError: It is not plainly as we write one.
    """
    match = None if record.translate(None, _PLAIN) else _RECORD.fullmatch(record)
    if match is None:
        raise NoGlanceError
    name, credential, level, created, absolute, idle = match.groups()
    if not (is_time(int(created)) and is_time(int(absolute))):
        raise NoGlanceError
    glance = Glance(owner, credential, int(level), name.decode("ascii"))
    return Content(glance, int(absolute), None if idle == b"null" else int(idle))
