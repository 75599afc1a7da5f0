"""A server that puts one question to each request, for what needs a real connection."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from aiohttp import web

from forwardauth.web.forms import MAX_BODY_BYTES
from forwardauth.web.runner import ServiceRunner
from tests.support.client import Headers

T = TypeVar("T")

_WAIT_SECONDS: Final = 30


class Probe(Generic[T]):
    """Asks *question* of every request, and hands on what it returns or raises."""

    def __init__(
        self,
        question: Callable[[web.Request], Awaitable[T]],
        *,
        path: Path | None = None,
    ) -> None:
        """Listen on the unix socket *path*, or on loopback without one."""
        self._question = question
        self._path = path
        self._port = 0
        self._found: asyncio.Queue[T | Exception] = asyncio.Queue()
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self._runner = ServiceRunner(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            self._found.put_nowait(await self._question(request))
        except Exception as exc:  # noqa: BLE001 - the test raises it
            self._found.put_nowait(exc)
        return web.Response()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        if self._path is not None:
            await web.UnixSite(self._runner, self._path).start()
            return self
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def ask(
        self,
        *,
        method: str = "GET",
        target: str = "/",
        headers: Headers = (("Host", "app.example.com"),),
        body: bytes = b"",
        length: int | None = None,
    ) -> T:
        """Return what was found in a request of exactly *headers*.

        Args:
            method: Of the request line.
            target: Of the request line.
            headers: Every line, ``Host`` among them.
            body: Sent with its length.
            length: The length to announce instead; the connection ends after *body*.
        """
        lines = [f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers)]
        if body or length is not None:
            lines.append(f"Content-Length: {len(body) if length is None else length}")
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        if self._path is not None:
            _, writer = await asyncio.open_unix_connection(self._path)
        else:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(head + body)
            await writer.drain()
            if length is not None:
                writer.close()
            found = await asyncio.wait_for(self._found.get(), _WAIT_SECONDS)
        finally:
            writer.close()
            await writer.wait_closed()
        if isinstance(found, Exception):
            raise found
        return found
