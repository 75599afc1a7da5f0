"""Waits for what tells nobody when it happens."""

import asyncio
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 30.0
"""Longer than anything takes on a busy machine, and not for ever."""


async def until(is_so: Callable[[], object]) -> None:
    """Return when *is_so* returns something true.

    Raises:
        TimeoutError: It never did.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - what others count has no event
            await asyncio.sleep(0.001)
