"""Connections to a service on which a test writes whatever it likes, byte by byte."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from yarl import URL

PATIENCE_SECONDS: Final = 30.0
"""Far above every limit that a test sets: who has not ended by then hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection, and what has come back on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def is_ended(self) -> bool:
        """Whether the service has ended it; only who writes gets to know."""
        return self.writer.transport.is_closing()

    async def write(self, data: bytes) -> None:
        """Send *data*; one that the service has ended already takes nothing."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            return

    async def answer(self) -> bytes:
        """Return one answer: its head, and the body of the length that it names."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            rest = head.lower().partition(b"content-length: ")[2]
            length = int(rest.partition(b"\r\n")[0] or b"0")
            return head + await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Return everything up to the end of the connection, however it ends."""
        found = bytearray()
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                while data := await self.reader.read(2**16):
                    found += data
            except ConnectionError:
                pass
        return bytes(found)


@asynccontextmanager
async def connected(
    url: str, *, receive_bytes: int | None = None
) -> AsyncIterator[Connection]:
    """Connect to the service at *url*.

    Args:
        url: Of the service; only host and port count.
        receive_bytes: What the system keeps of answers that nobody reads.
    """
    target = URL(url)
    client = socket.socket()
    if receive_bytes is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, (target.host, target.port))
    reader, writer = await asyncio.open_connection(sock=client)
    try:
        yield Connection(reader=reader, writer=writer)
    finally:
        writer.transport.abort()
