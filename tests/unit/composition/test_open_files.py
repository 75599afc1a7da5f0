"""A process that can open no file says so, and says when it can again."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from forwardauth.composition.open_files import LOOK_SECONDS, OpenFiles


@contextmanager
def exhausted() -> Iterator[None]:
    """Let this process open nothing as long as the context lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_exhausted_process_tells_the_remedy_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line when it begins, one when it ends."""
    files = OpenFiles()
    files.look()
    with exhausted():
        files.look()
        files.look()
    files.look()

    first, last = (record.getMessage() for record in caplog.records)
    assert "Too many open files; raise the limit" in first
    assert last.startswith("files can be opened again")


async def test_looks_follow_each_other() -> None:
    """The watch goes on until it is cancelled."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    watch = asyncio.create_task(OpenFiles(sleep=sleep).run())
    for _ in range(5):
        await asyncio.sleep(0)
    watch.cancel()
    await asyncio.wait([watch])

    assert watch.cancelled()
    assert slept[:2] == [LOOK_SECONDS, LOOK_SECONDS]
