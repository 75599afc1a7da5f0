"""One connection to a Redis on which commands follow each other without waiting.

    write, write, write ─► server ─► answers, in the order of the commands

redis-py makes the connection: address, TLS, user, database. It would then spend many
times the work of a look-up on each exchange, so from there on the bytes are ours: read
by hiredis, as redis-py's are.

Laws: who asks is told once: the answer; or that there is none in time, which is an
outage; or that the connection has ended without one, and then it may be asked again
elsewhere, because nothing that is sent here changes anything. After an answer that did
not come in time nothing new is asked on the lane. What was refused while its answer was
on the way is told to ask again. An answer that came before, byte for byte, need not be
read; it is looked for only where an answer begins.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias, cast

import hiredis
from redis.asyncio.connection import AbstractConnection

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import Found, Question
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.rows import NoGlanceError
from forwardauth.sessions.stores.redis_message import Message

_NOTHING: Final = object()
_ENDS: Final = (hiredis.HiredisError, EOFError)
"""What ends a connection: bytes that are not in the protocol, too."""

Spot: TypeAlias = Callable[[bytes, int, Digest], tuple[Found, int] | None]
Parse: TypeAlias = Callable[[Any, Digest], Found]


class Lane(asyncio.Protocol):
    """A connection that is open when it is made, until it ends."""

    def __init__(
        self,
        connection: AbstractConnection,
        *,
        spot: Spot,
        parse: Parse,
        rounds: Iterator[int],
        timeout_seconds: float,
    ) -> None:
        """Take *connection* over.

        Args:
            connection: Connected, with nothing on its way; redis-py's.
            spot: Returns the answer to a question about a digest, where that begins in
                what has come as it did before, and where it ends; else ``None``.
            parse: Reads the answer to a question about a digest; ``NoGlanceError``
                where it is not as expected.
            rounds: Never yields the same number twice, to any lane of one store.
            timeout_seconds: For each answer.
        """
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        # redis-py has no public name for the streams of a connection.
        reader = cast("asyncio.StreamReader", connection._reader)  # noqa: SLF001
        writer = cast("asyncio.StreamWriter", connection._writer)  # noqa: SLF001
        self._transport = writer.transport
        self._spot = spot
        self._parse = parse
        self._timeout_seconds = timeout_seconds
        self._replies = hiredis.Reader(notEnoughData=_NOTHING)
        self._sent: deque[Message] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._rounds = rounds
        self._is_open = True
        self._disconnecting: asyncio.Task[None] | None = None
        # The streams would wake a task for each message.
        self._transport.set_protocol(self)
        # What they have heard already nobody tells again.
        has_heard = bool(reader._buffer) or reader.at_eof()  # type: ignore[attr-defined]  # noqa: SLF001 - see above
        if has_heard or self._transport.is_closing():
            self._fail()

    @property
    def has_asked(self) -> bool:
        """Whether an answer is on its way."""
        return bool(self._sent)

    @property
    def is_open(self) -> bool:
        """Whether more can be asked here."""
        return self._is_open and not self._transport.is_closing()

    def ask(self, questions: Sequence[Question], message: bytes) -> None:
        """Send *message* on a lane that is open.

        Args:
            questions: What it asks.
            message: One command for each of them, which changes nothing.
        """
        deadline = self._loop.time() + self._timeout_seconds
        # Before anything can fail: from here on each of them is told.
        self._sent.append(Message(questions, deadline))
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._give_up)
        self._transport.write(message)

    def refuse(self, digest: Digest) -> None:
        """Let who asks about *digest* ask again: it has been ended meanwhile."""
        for each in self._sent:
            each.refused.add(digest)

    def close(self) -> None:
        """Ask nothing more, and end when what is on its way has been answered."""
        self._is_open = False
        if not self._sent:
            self._transport.close()

    async def aclose(self) -> None:
        """End now."""
        self._end()
        await self._disconnect()

    def data_received(self, data: bytes) -> None:
        """Tell every answer that is complete."""
        number = next(self._rounds)
        try:
            self._read(data, number)
        except _ENDS:
            self._fail()
            return
        if not (self._is_open or self._sent):
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """End, whoever has ended it."""
        self._fail()

    def eof_received(self) -> None:
        """End: nobody says anything any more, whatever is still to be sent."""
        self._fail()

    def _read(self, data: bytes, number: int) -> None:
        """Tell what is spotted at the beginning of *data*, and what the rest says.

        Raises:
            EOFError: It cannot be told any more what belongs to whom.
            hiredis.HiredisError: It is not in the protocol.
        """
        if not self._sent:
            raise EOFError("nobody has asked")
        # Within an answer hiredis may have no data either, behind a whole string or a
        # mark, but no answer begins there, so that nothing is spotted.
        begin = 0 if self._replies.has_data() else self._tell_spotted(data, number)
        if begin == len(data):
            return
        self._replies.feed(data[begin:])
        while (reply := self._replies.gets()) is not _NOTHING:
            if not self._sent:
                raise EOFError("an answer that nobody asked for")
            if not isinstance(reply, list | hiredis.ReplyError):
                raise EOFError("no answer to a look-up")  # noqa: TRY004 - of a server
            digest = self._sent[0].questions[0].digest
            self._tell_next(self._parse(reply, digest), number)
        if not self._sent and self._replies.has_data():
            raise EOFError("a part of an answer that nobody asked for")

    def _tell_spotted(self, data: bytes, number: int) -> int:
        """Tell the answers that need no reading; return where the others begin."""
        begin = 0
        while self._sent:
            spotted = self._spot(data, begin, self._sent[0].questions[0].digest)
            if spotted is None:
                break
            found, begin = spotted
            self._tell_next(found, number)
        return begin

    def _tell_next(self, found: Found, number: int) -> None:
        message = self._sent[0]
        question = message.questions.popleft()
        if not message.questions:
            self._sent.popleft()
        message.tell(question, found, number)

    def _give_up(self) -> None:
        """Tell those whose time is over; the rest has until its own."""
        self._timer = None
        now = self._loop.time()
        late = [each for each in self._sent if each.deadline <= now]
        if len(late) < len(self._sent):
            deadline = self._sent[len(late)].deadline
            self._timer = self._loop.call_at(deadline, self._give_up)
        if not late:
            return
        self._is_open = False
        number = next(self._rounds)
        for each in late:
            text = f"redis store: no answer within {self._timeout_seconds:g} s"
            each.tell_late(StoreUnavailableError(text), number)
        if self._timer is None:
            self._fail()

    async def _disconnect(self) -> None:
        with contextlib.suppress(OSError):
            await self._connection.disconnect(nowait=True)

    def _fail(self) -> None:
        """End at once, whatever is on its way; more than once does no harm."""
        self._end()
        self._transport.abort()
        # A connection that was lost before it was taken over tells nobody any more.
        if self._connection.is_connected and self._disconnecting is None:
            self._disconnecting = self._loop.create_task(self._disconnect())

    def _end(self) -> None:
        """Tell who waits that no answer comes."""
        self._is_open = False
        number = next(self._rounds)
        if self._timer is not None:
            self._timer.cancel()
        while self._sent:
            self._tell_next(NoGlanceError(), number)
