"""A running service for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.portal import Portal


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[Portal]:
    """The service with the configuration of ``tests.support.portal``."""
    async with Portal(tmp_path) as running:
        yield running
