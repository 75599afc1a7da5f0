"""Waiting for several calls, and being told to wait no longer.

Law: nothing that was begun goes on unseen, and no cancellation is lost.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

_T = TypeVar("_T")


async def gather_all(*calls: Awaitable[_T]) -> list[_T]:
    """Return the answers to *calls*, made at once; all have ended before one raises."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return cast(list[_T], answers)


@contextmanager
def kept_cancellation() -> Iterator[None]:
    """Raise the cancellation that came inside of the context and was forgotten there.

    Before Python 3.12 ``wait_for``, which redis-py sends with, drops one that arrives
    together with the result; whoever cancelled would wait for the task for ever.
    """
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    before = task.cancelling()
    try:
        yield
    finally:
        if task.cancelling() > before:
            raise asyncio.CancelledError
