"""Two services that differ in nothing but the way that they answer verify by.

Both are on one store, one users file and one clock: one answers plain questions the
short way, the other sends all of them the normal way.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forwardauth.sessions.store import SessionStore
from forwardauth.web import keys
from forwardauth.web.metrics import VERIFICATIONS
from tests.support.portal import Portal

OFF: Final = "server: {short_way: off}\n"
HUNG: Final = 0.3
NAVIGATION: Final = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Two services that differ in nothing but the way."""

    short: Portal
    normal: Portal

    async def ask(self, data: bytes) -> tuple[list[bytes], list[bytes]]:
        """Return what tells of the answers to *data*, by each way.

        Before a difference is believed they have more time: a machine may be busy.
        """
        short, normal = await self._ask(data, HUNG)
        return (short, normal) if short == normal else await self._ask(data, 10 * HUNG)

    async def _ask(
        self, data: bytes, patience: float
    ) -> tuple[list[bytes], list[bytes]]:
        short, normal = await asyncio.gather(
            converse(self.short, data, patience),
            converse(self.normal, data, patience),
        )
        return tell(short), tell(normal)

    def count(self) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]:
        """Return what each has counted."""
        counted = (self.short.app[keys.METRICS], self.normal.app[keys.METRICS])
        first, second = (dict(each.samples(VERIFICATIONS)) for each in counted)
        return first, second


async def converse(portal: Portal, data: bytes, patience: float = 10 * HUNG) -> bytes:
    """Return all that comes back for *data*, and for a request that ends it after."""
    port = int(portal.url("/").rpartition(":")[2].rstrip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    last = b"GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = b""
    try:
        writer.write(data)
        with suppress(TimeoutError):
            received = await asyncio.wait_for(reader.read(65_536), patience)
        writer.write(last)
        # Hung is whoever waits for more of a body than comes.
        while piece := await asyncio.wait_for(reader.read(65_536), patience):
            received += piece
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return received


def tell(received: bytes) -> list[bytes]:
    """Return the lines that tell, without dates, tokens, references, names."""
    lines = re.findall(
        rb"^(?:HTTP/1\.1 .*|(?!Date: |Set-Cookie: )[A-Z][A-Za-z-]*: .*|\{.*)\r?$",
        received,
        re.MULTILINE,
    )
    return [
        re.sub(rb'"reference": "\w+"|(?<=^X-Request-ID: )\w+|state=[\w.~-]+', b"", line)
        for line in lines
    ]


def question(
    adapter: str, host: str, uri: str, method: str, *more: str, cookie: str = ""
) -> bytes:
    """Return what the proxy of *adapter* asks."""
    start, lines = f"GET /verify/{adapter} HTTP/1.1", ["Host: forwardauth"]
    if adapter == "envoy":
        start = f"{method} /verify/envoy{uri} HTTP/1.1"
        lines = [f"Host: {host}", "X-Forwarded-Proto: https"]
    elif adapter == "nginx":
        lines += [
            f"X-Original-URL: https://{host}{uri}",
            f"X-Original-Method: {method}",
        ]
    else:
        lines += [
            "X-Forwarded-Proto: https",
            f"X-Forwarded-Host: {host}",
            f"X-Forwarded-Uri: {uri}",
            f"X-Forwarded-Method: {method}",
        ]
    lines += [f"Cookie: {cookie}"] if cookie else []
    return ("\r\n".join([start, *lines, *more]) + "\r\n\r\n").encode()


@asynccontextmanager
async def both_ways(
    folder: Path, store: SessionStore | None = None
) -> AsyncIterator[Ways]:
    """Run both on the installation in *folder*; on memory when *store* is left out."""
    short = Portal(folder, store=store)
    normal = Portal(folder, extra=OFF, store=short.store, clock=short.clock)
    assert keys.SHORT_WAY in short.app
    assert keys.SHORT_WAY not in normal.app
    async with short, normal:
        yield Ways(short=short, normal=normal)
