"""What a real Redis does not do when it is asked to: refuse, and lose an answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from tests.support.redis_server import RedisServer

_CHUNK_BYTES: Final = 65_536
_PAUSE_SECONDS: Final = 0.001
"""Between the two parts of an answer, so that they are read one by one."""

_LEAVING_SECONDS: Final = 1.0


Serve: TypeAlias = Callable[
    [asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]
]
"""Serves one connection, which is closed when it returns."""


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Listen as long as the context lasts; yield the port.

    Whoever is still connected then is soon cut off: no connection outlives a test.
    """
    serving: set[asyncio.Future[None]] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        if serving:
            _, left = await asyncio.wait(serving, timeout=_LEAVING_SECONDS)
            for each in left:
                each.cancel()
            await asyncio.gather(*left, return_exceptions=True)


@asynccontextmanager
async def answering(answer: bytes, *, after: int = 0) -> AsyncIterator[str]:
    """Run a server that gives *answer* to every command; yield its URL.

    Args:
        answer: As it goes over the line; nothing closes the connection instead.
        after: How many commands of a connection are told that all is well first.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(after):
            await _read_command(reader)
            writer.write(b"+OK\r\n")
        while await _read_command(reader) and answer:
            writer.write(answer)
            await writer.drain()

    async with listening(serve) as port:
        yield f"redis://127.0.0.1:{port}/0"


async def _read_command(reader: asyncio.StreamReader) -> bool:
    """Read one command, an array of strings; whether there was one."""
    head = await reader.readuntil(b"\r\n")
    for _ in range(int(head[1:])):
        length = await reader.readuntil(b"\r\n")
        await reader.readexactly(int(length[1:]) + 2)
    return True


class Relay:
    """Stands between a store and its server: keeps answers, lets others be first.

    Attributes:
        asked: The messages that have come; one holds a command, or many.
        cut: Where answers are cut into two that come one after the other, if not at 0.
    """

    def __init__(self, server: RedisServer) -> None:
        """Pass everything on until it is told otherwise."""
        self.url = ""
        self.lost = 0
        self.asked: list[bytes] = []
        self.cut = 0
        self._held = b""
        self._arrived, self._released = asyncio.Event(), asyncio.Event()
        self._server = server
        self._marker = b""
        self._actions: dict[bytes, Callable[[], object]] = {}

    def lose_answer_to(self, marker: bytes) -> None:
        """Close the connection instead of the next answer to what holds *marker*."""
        self._marker = marker

    def before_each(self, marker: bytes, action: Callable[[], object]) -> None:
        """Do *action* whenever something that holds *marker* is about to be asked."""
        self._actions[marker] = action

    def hold_answer_to(self, marker: bytes) -> None:
        """Keep the next answer to what holds *marker* until ``release``."""
        self._held = marker

    async def wait_until_held(self) -> None:
        """Return when the server has given an answer that is kept."""
        await self._arrived.wait()

    def release(self) -> None:
        """Pass on what was kept."""
        self._released.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen as long as the context lasts; yield the URL of the store."""
        async with listening(self._pass_on) as port:
            yield f"redis://127.0.0.1:{port}/0"

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answers, commands = await asyncio.open_connection(
            "127.0.0.1", self._server.port
        )
        try:
            # A client waits for its answer, so one reading is one command.
            while asked := await reader.read(_CHUNK_BYTES):
                for marker, action in self._actions.items():
                    if marker in asked:
                        action()
                self.asked.append(asked)
                commands.write(asked)
                answer = await answers.read(_CHUNK_BYTES)
                if self._held and self._held in asked:
                    self._held = b""
                    self._arrived.set()
                    await self._released.wait()
                if self._marker and self._marker in asked:
                    self._marker = b""
                    self.lost += 1
                    break
                if self.cut:
                    writer.write(answer[: self.cut])
                    await asyncio.sleep(_PAUSE_SECONDS)
                writer.write(answer[self.cut :])
                await writer.drain()
        finally:
            commands.close()
            with contextlib.suppress(ConnectionError):
                await commands.wait_closed()
