"""The demonstration as a whole: who starts, in which order, and how it ends.

    ports checked ─► files written ─► applications, service, Traefik ─► ready ─► told
    ended by a signal, or because a child ended ─► all ended, in reverse ─► files gone

Law: however it ends, it leaves no process behind, and no file unless it was killed.
"""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp

from forwardauth.demo.addresses import (
    LOOPBACK,
    Addresses,
    DemoError,
    check_port,
    free_port,
)
from forwardauth.demo.children import Child, child_process
from forwardauth.demo.sample_app import sample_app
from forwardauth.demo.service import write_service
from forwardauth.demo.traefik import find_traefik, write_traefik

Command = list[str | Path]

ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_READY_SECONDS: Final = 40.0
_POLL_SECONDS: Final = 0.1


async def run_demo(addresses: Addresses, *, when_ready: Callable[[], None]) -> None:
    """Run everything until one of ``ENDING_SIGNALS`` comes.

    Args:
        addresses: Where it is found.
        when_ready: Called once, when every address answers.

    Raises:
        DemoError: It cannot start, or one of its processes ended by itself.
    """
    program = find_traefik()
    check_port(addresses.port)
    task = asyncio.create_task(_perform(addresses, program, when_ready))
    with _ended_by_signals(task), contextlib.suppress(asyncio.CancelledError):
        await task


async def _perform(
    addresses: Addresses, program: Path, when_ready: Callable[[], None]
) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="forwardauth-demo-"))
        )
        applications, port = free_port(), free_port()
        config = write_service(folder, addresses=addresses, port=port)
        static = write_traefik(
            folder, port=addresses.port, service=port, applications=applications
        )
        serve: Command = [
            sys.executable,
            "-m",
            "forwardauth",
            "serve",
            "--config",
            config,
        ]
        proxy: Command = [program, f"--configFile={static}"]
        await stack.enter_async_context(sample_app(addresses, port=applications))
        children = [
            await stack.enter_async_context(child_process(name, call, folder=folder))
            for name, call in (("forwardauth", serve), ("Traefik", proxy))
        ]
        await _attend(addresses, children, when_ready)


async def _attend(
    addresses: Addresses, children: list[Child], when_ready: Callable[[], None]
) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for child in children:
                group.create_task(child.watch())
            await _wait_until_ready(addresses)
            when_ready()
    except* DemoError as errors:
        # One sentence is enough: the first to end pulled the others down.
        raise errors.exceptions[0] from None


async def _wait_until_ready(addresses: Addresses) -> None:
    url = f"http://{LOOPBACK}:{addresses.port}/api/health"
    headers = {"Host": addresses.authority("auth")}
    try:
        async with asyncio.timeout(_READY_SECONDS), aiohttp.ClientSession() as session:
            while not await _is_healthy(session, url, headers):  # noqa: ASYNC110 - another process gets ready
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise DemoError(
            f"The service did not answer within {_READY_SECONDS:.0f} seconds. Is the "
            "machine very busy? Try again."
        ) from None


async def _is_healthy(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str]
) -> bool:
    try:
        async with session.get(url, headers=headers) as response:
            return response.status == HTTPStatus.OK
    except aiohttp.ClientError:
        return False


@contextlib.contextmanager
def _ended_by_signals(task: asyncio.Task[None]) -> Iterator[None]:
    """Let the first ending signal cancel *task*; later ones change nothing."""
    loop = asyncio.get_running_loop()
    is_ending = False

    def end() -> None:
        nonlocal is_ending
        if not is_ending:
            is_ending = True
            task.cancel()

    for each in ENDING_SIGNALS:
        loop.add_signal_handler(each, end)
    try:
        yield
    finally:
        for each in ENDING_SIGNALS:
            loop.remove_signal_handler(each)
