"""Looking up the hosts of applications, apart from everything else that waits.

The event loop's own threads also watch the users file. A name server that does not
answer holds a thread until the system gives up, which can take half a minute, so these
look-ups have threads of their own.
"""

import asyncio
import functools
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult


class ThreadedResolver(AbstractResolver):
    """Resolves names as the system does, in its own threads."""

    def __init__(self, threads: int) -> None:
        """Use at most *threads*: one for each host lets none wait for another."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of *host*.

        Raises:
            OSError: It has none, or nobody could say.
        """
        ask = functools.partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Give up what is not answered; nobody waits for it."""
        self._threads.shutdown(wait=False, cancel_futures=True)
