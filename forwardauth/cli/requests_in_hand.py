"""The requests that are being answered, so that nobody is left half way through.

The runner waits for handlers, too, but from then on it drops what still arrives of a
body, and so would lose a logout that has begun.
"""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler


class RequestsInHand:
    """Counts the requests to some applications together."""

    def __init__(self, *applications: web.Application) -> None:
        """Count for *applications*, which have not started yet."""
        self._count = 0
        self._are_done = asyncio.Event()
        self._are_done.set()

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._count += 1
            self._are_done.clear()
            try:
                return await handler(request)
            finally:
                self._count -= 1
                if self._count == 0:
                    self._are_done.set()

        for application in applications:
            application.middlewares.insert(0, count)

    async def wait(self) -> None:
        """Return when all are answered."""
        await self._are_done.wait()
