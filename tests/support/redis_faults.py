"""What a real Redis does not do when it is asked to: refuse, and lose an answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from tests.support.redis_server import RedisServer

_CHUNK_BYTES: Final = 65_536


@asynccontextmanager
async def answering(answer: bytes, *, after: int = 0) -> AsyncIterator[str]:
    """Run a server that gives *answer* to every command; yield its URL.

    Args:
        answer: As it goes over the line; nothing closes the connection instead.
        after: How many commands of a connection are told that all is well first.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for _ in range(after):
                await _read_command(reader)
                writer.write(b"+OK\r\n")
            while await _read_command(reader) and answer:
                writer.write(answer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"


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
    """

    def __init__(self, server: RedisServer) -> None:
        """Pass everything on until it is told otherwise."""
        self.url = ""
        self.lost = 0
        self.asked: list[bytes] = []
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
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        async with server:
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        to_server = await asyncio.open_connection("127.0.0.1", self._server.port)
        with contextlib.suppress(ConnectionError):
            # A client waits for its answer, so one reading is one command.
            while asked := await reader.read(_CHUNK_BYTES):
                for marker, action in self._actions.items():
                    if marker in asked:
                        action()
                self.asked.append(asked)
                to_server[1].write(asked)
                answer = await to_server[0].read(_CHUNK_BYTES)
                if self._held and self._held in asked:
                    self._held = b""
                    self._arrived.set()
                    await self._released.wait()
                if self._marker and self._marker in asked:
                    self._marker = b""
                    self.lost += 1
                    break
                writer.write(answer)
                await writer.drain()
        to_server[1].close()
        writer.close()
