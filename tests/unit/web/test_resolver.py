"""Looking up hosts in threads of our own."""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from forwardauth.web.resolver import ThreadedResolver


async def test_an_address_resolves_to_itself() -> None:
    """Without asking anybody."""
    resolver = ThreadedResolver(1)

    (four,) = await resolver.resolve("127.0.0.1", 8080)
    (six,) = await resolver.resolve("::1", 8080, socket.AF_INET6)
    await resolver.close()

    assert (four["host"], four["port"], four["family"]) == (
        "127.0.0.1",
        8080,
        socket.AF_INET,
    )
    assert (six["host"], six["family"]) == ("::1", socket.AF_INET6)


async def test_a_name_without_an_address_is_an_error() -> None:
    """What the client turns into an application that cannot be reached."""
    resolver = ThreadedResolver(1)

    with pytest.raises(socket.gaierror):
        await resolver.resolve("::1", 80, socket.AF_INET)
    await resolver.close()


async def test_look_ups_take_no_thread_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that does not answer delays nothing else that runs in a thread."""
    asked, answered = threading.Event(), threading.Event()

    def hang(*_args: object, **_options: object) -> list[object]:
        asked.set()
        answered.wait(timeout=5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    resolver = ThreadedResolver(1)
    lookup = asyncio.create_task(resolver.resolve("app.example.com"))

    await asyncio.to_thread(asked.wait, 5)
    is_answered: Callable[[], bool] = answered.is_set
    assert not await asyncio.to_thread(is_answered)
    answered.set()

    assert await lookup == []
    await resolver.close()
