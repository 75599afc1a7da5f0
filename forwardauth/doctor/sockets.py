"""The sockets of an exchange, and that they are closed when it is over.

aiohttp forgets a connection that it closes, and over TLS that takes a while: the other
side says goodbye as well. A loop that ends before leaves the socket to the collector of
garbage, which complains.
"""

import asyncio
import socket
from typing import Any, Final

_LOOK_SECONDS: Final = 0.01


class Sockets:
    """Opens sockets, and waits until whoever got them has closed them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._opened: list[socket.socket] = []

    def open(self, address: tuple[Any, ...]) -> socket.socket:
        """Return a socket for *address*, one of those of ``getaddrinfo``."""
        family, kind, protocol, *_ = address
        opened = socket.socket(family, kind, protocol)
        self._opened.append(opened)
        return opened

    async def wait_closed(self, seconds: float) -> bool:
        """Return whether all have been closed, as soon as they are.

        Args:
            seconds: The longest to wait for a side that says nothing any more.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        # What was aborted is closed in the next turn of the loop.
        await asyncio.sleep(0)
        while any(each.fileno() >= 0 for each in self._opened):
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True
