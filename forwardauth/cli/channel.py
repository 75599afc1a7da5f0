"""What the supervising process and a worker tell each other, by a pair of sockets.

    parent ─► prepare (configuration)          ready | refused (why)  ◄─ worker
    parent ─► change over | drop               changed                ◄─ worker

Each message is a letter, a length and that many bytes. Only the parent sends anything
that is unpacked as more than text.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple, Self

_HEAD: Final = struct.Struct("!cQ")
_LOOK_SECONDS: Final = 0.2
"""Between two looks for a reason to wait no longer."""


class Kind(Enum):
    """What a message says."""

    SERVING = b"s"
    PREPARE = b"p"
    READY = b"r"
    REFUSED = b"x"
    CHANGE_OVER = b"c"
    CHANGED = b"d"
    DROP = b"o"


class Message(NamedTuple):
    """One message.

    Attributes:
        kind: What it says.
        body: The packed configuration, or text.
    """

    kind: Kind
    body: bytes = b""

    def pack(self) -> bytes:
        """Return the bytes that are sent."""
        return _HEAD.pack(self.kind.value, len(self.body)) + self.body


class ChannelError(Exception):
    """Nothing came in time, or nobody is there any more; says which."""


class ParentEnd:
    """The parent's end, which has no event loop."""

    def __init__(self, end: socket.socket) -> None:
        """Speak by *end*, which is blocking."""
        self._end = end
        self._received = b""
        self._is_cut = False

    @classmethod
    def create(cls) -> tuple[Self, socket.socket]:
        """Return both ends, that of the worker as a socket."""
        own, other = socket.socketpair()
        return cls(own), other

    def fileno(self) -> int:
        """Return what can be waited for."""
        return self._end.fileno()

    def close(self) -> None:
        """End it; the worker's end stays."""
        self._end.close()

    def send(self, message: Message, *, timeout_seconds: float) -> None:
        """Send *message*.

        Raises:
            ChannelError: The worker does not read, or is gone. It is told nothing more:
                it would take the next message for the rest of this one.
        """
        if self._is_cut:
            raise ChannelError("it did not listen and is told nothing more")
        try:
            self._end.settimeout(timeout_seconds)
            self._end.sendall(message.pack())
        except TimeoutError as exc:
            self._is_cut = True
            self._end.shutdown(socket.SHUT_WR)
            raise ChannelError("it does not listen") from exc
        except OSError as exc:
            raise ChannelError("it has ended") from exc

    def receive(self, deadline: float, is_given_up: Callable[[], bool]) -> Message:
        """Return the next message.

        Args:
            deadline: Of the monotonic clock.
            is_given_up: Whether nobody wants to know any more; asked now and then.

        Raises:
            ChannelError: Nothing in time, or never again.
        """
        kind, length = _HEAD.unpack(self._read(_HEAD.size, deadline, is_given_up))
        return Message(Kind(kind), self._read(length, deadline, is_given_up))

    def _read(
        self, size: int, deadline: float, is_given_up: Callable[[], bool]
    ) -> bytes:
        while len(self._received) < size:
            left = deadline - time.monotonic()
            try:
                self._end.settimeout(min(max(left, 0.0), _LOOK_SECONDS))
                data = self._end.recv(65_536)
            except (TimeoutError, BlockingIOError) as exc:
                if left <= 0 or is_given_up():
                    raise ChannelError("it did not answer in time") from exc
                continue
            except OSError as exc:
                raise ChannelError("it has ended") from exc
            if not data:
                raise ChannelError("it has ended")
            self._received += data
        found, self._received = self._received[:size], self._received[size:]
        return found


class WorkerEnd:
    """A worker's end, read by its event loop."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Speak by both."""
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, end: socket.socket) -> Self:
        """Return the end that the worker was given."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    async def receive(self) -> Message | None:
        """Return the next message, ``None`` when the parent is gone."""
        try:
            head = await self._reader.readexactly(_HEAD.size)
            kind, length = _HEAD.unpack(head)
            return Message(Kind(kind), await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, OSError):
            return None

    def send(self, message: Message) -> None:
        """Send *message*, which is short."""
        self._writer.write(message.pack())

    def close(self) -> None:
        """End it."""
        self._writer.close()
