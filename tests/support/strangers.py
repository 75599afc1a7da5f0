"""A server of somebody else's, which answers everything alike."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer


@asynccontextmanager
async def stranger(
    *,
    status: int = 200,
    body: bytes = b"",
    headers: Iterable[tuple[str, str]] = (),
) -> AsyncIterator[str]:
    """Run it, and yield its URL without a slash at its end."""

    async def answer(_: web.Request) -> web.Response:
        response = web.Response(status=status, body=body)
        for name, value in headers:
            response.headers.add(name, value)
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")
