"""One connection to a Redis on which commands follow each other without waiting.

    write, write, write ─► server ─► answers, in the order of the commands

redis-py makes the connection: address, TLS, user, database. It would then spend many
times the work of a look-up on each exchange, so from there on the bytes are ours: read
by hiredis, as redis-py's are.

Laws: who asks is told once: the answer; or that there is none in time, which is an
outage; or that the connection has ended without one, and then it may be asked again
elsewhere, because nothing that is sent here changes anything. After an answer that did
not come in time nothing new is asked on the lane. What was refused while its answer was
on the way is told to ask again.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias, cast

import hiredis
from redis.asyncio.connection import AbstractConnection

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import Found, Question, Told
from forwardauth.sessions.glances import NoGlanceError
from forwardauth.sessions.ids import Digest

Parse: TypeAlias = Callable[[Any, Digest], Found]

_CHUNK_BYTES: Final = 65_536
_NOTHING: Final = object()
_ENDS: Final = (hiredis.HiredisError, OSError, EOFError)
"""What ends a connection: bytes that are not in the protocol, too."""


class _Asked:
    """A question on its way, and when its answer is too late."""

    __slots__ = ("deadline", "digest", "told")

    def __init__(self, digest: Digest, told: Told, deadline: float) -> None:
        self.digest: Digest | None = digest
        self.told: Told | None = told
        self.deadline = deadline

    def tell(self, found: Found, number: int) -> None:
        """Tell *found*, unless something has been told before."""
        told, self.told = self.told, None
        if told is not None:
            told(found, number)


class Lane:
    """A connection that is open when it is made, until it ends."""

    def __init__(
        self,
        connection: AbstractConnection,
        *,
        parse: Parse,
        rounds: Iterator[int],
        timeout_seconds: float,
    ) -> None:
        """Take *connection* over.

        Args:
            connection: Connected, with nothing on its way; redis-py's.
            parse: Reads the answer to a question about a digest; ``NoGlanceError``
                where it is not as expected.
            rounds: Never yields the same number twice, to any lane of one store.
            timeout_seconds: For each answer.
        """
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        # redis-py has no public name for the streams of a connection.
        reader = cast("asyncio.StreamReader", connection._reader)  # noqa: SLF001
        self._writer = cast("asyncio.StreamWriter", connection._writer)  # noqa: SLF001
        self._parse = parse
        self._timeout_seconds = timeout_seconds
        self._replies = hiredis.Reader(notEnoughData=_NOTHING)
        self._asked: deque[_Asked] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._rounds = rounds
        self._is_open = True
        self._reading = asyncio.create_task(self._read(reader))

    @property
    def is_open(self) -> bool:
        """Whether more can be asked here."""
        return self._is_open and not self._writer.is_closing()

    def ask(self, questions: Sequence[Question], message: bytes) -> None:
        """Send *message* on a lane that is open.

        Args:
            questions: What it asks.
            message: One command for each of them, which changes nothing.
        """
        deadline = self._loop.time() + self._timeout_seconds
        # Before anything can fail: from here on each of them is told.
        self._asked.extend(
            [_Asked(digest, told, deadline) for digest, told in questions]
        )
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._give_up)
        self._writer.write(message)

    def refuse(self, digest: Digest) -> None:
        """Let who asks about *digest* ask again: it has been ended meanwhile."""
        for each in self._asked:
            if each.digest == digest:
                each.digest = None

    def close(self) -> None:
        """Ask nothing more, and end when what is on its way has been answered."""
        self._is_open = False
        if not self._asked:
            self._reading.cancel()

    async def aclose(self) -> None:
        """End now."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        # A task that is cancelled before its first step has ended nothing.
        self._end()
        with contextlib.suppress(OSError):
            await self._connection.disconnect(nowait=True)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Tell the answers as they come, until the connection ends."""
        try:
            while data := await reader.read(_CHUNK_BYTES):
                self._replies.feed(data)
                self._tell_answers()
                if not (self._is_open or self._asked):
                    break
        except _ENDS:
            pass
        finally:
            self._end()
            with contextlib.suppress(OSError):
                await self._connection.disconnect(nowait=True)

    def _tell_answers(self) -> None:
        """Tell every answer that is complete."""
        number = next(self._rounds)
        while (reply := self._replies.gets()) is not _NOTHING:
            if not self._asked:
                raise EOFError("an answer that nobody asked for")
            asked = self._asked.popleft()
            digest = asked.digest
            found = NoGlanceError() if digest is None else self._parse(reply, digest)
            asked.tell(found, number)

    def _give_up(self) -> None:
        """Tell those whose time is over; the rest has until its own."""
        self._timer = None
        now = self._loop.time()
        number = next(self._rounds)
        for each in self._asked:
            if each.deadline > now:
                self._timer = self._loop.call_at(each.deadline, self._give_up)
                return
            self._is_open = False
            message = f"redis store: no answer within {self._timeout_seconds:g} s"
            each.tell(StoreUnavailableError(message), number)
        if not self._is_open:
            self._reading.cancel()

    def _end(self) -> None:
        self._is_open = False
        number = next(self._rounds)
        if self._timer is not None:
            self._timer.cancel()
        while self._asked:
            self._asked.popleft().tell(NoGlanceError(), number)
