"""A TCP relay on loopback that makes a line slow, and breaks it, on demand.

It knows nothing of what it carries, so it stands before any server.
"""

import asyncio
import socket
import struct
import threading
from types import TracebackType
from typing import Final, Self, cast

_NO_LINGER: Final = struct.pack("ii", 1, 0)
"""``SO_LINGER`` with no time: a close is a reset."""

_STEP_SECONDS: Final = 1e-6


class TcpRelay:
    """A context manager; runs in a thread of its own, so that a test may block.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, port: int) -> None:
        """Carry everything to *port* of loopback and back."""
        self.port = 0
        self._to = port
        self._delay_seconds = 0.0
        self._ends: set[_End] = set()
        self._loop = asyncio.new_event_loop()
        self._is_ready = threading.Event()
        self._is_over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def slow_down(self, seconds: float) -> None:
        """Let each way take *seconds* from now on."""
        self._delay_seconds = seconds

    def reset_all(self) -> None:
        """Break every connection as a firewall does that has forgotten them."""
        self._loop.call_soon_threadsafe(self._reset)

    def _reset(self) -> None:
        for end in tuple(self._ends):
            end.reset()

    @property
    def delay_seconds(self) -> float:
        """What each way takes now."""
        return self._delay_seconds

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _End(self, self._ends, self._to), "127.0.0.1", 0
        )
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            self._is_ready.set()
            await self._is_over.wait()
            self._reset()

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._is_over.set)
        self._thread.join()


class _End(asyncio.Protocol):
    """One end of a connection, which sends on what comes to *other*."""

    def __init__(
        self, relay: TcpRelay, ends: "set[_End]", to: int, other: "_End | None" = None
    ) -> None:
        self._relay = relay
        self._ends = ends
        self._to = to
        self._other = other
        self._early: list[bytes] = []
        self._due = 0.0
        self._transport: asyncio.Transport | None = None
        self._dialling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ends.add(self)
        if self._other is None:
            self._dialling = asyncio.create_task(self._dial())

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, other = await loop.create_connection(
                lambda: _End(self._relay, self._ends, self._to, self),
                "127.0.0.1",
                self._to,
            )
        except OSError:
            self.reset()
            return
        self._other = other
        early, self._early = self._early, []
        for data in early:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        if self._other is None:
            self._early.append(data)
            return
        # Never before what came earlier, also when the line has become faster.
        loop = asyncio.get_running_loop()
        due = loop.time() + self._relay.delay_seconds
        self._due = max(due, self._due + _STEP_SECONDS)
        if self._due <= loop.time():
            self._other.send(data)
        else:
            loop.call_at(self._due, self._other.send, data)

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._ends.discard(self)
        if self._other is not None:
            self._other.reset()

    def reset(self) -> None:
        """Close with a reset; who is closed already is left alone."""
        if self._transport is None or self._transport.is_closing():
            return
        line: socket.socket = self._transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()
