"""A running service for the doctor to look at."""

from collections.abc import AsyncIterator

import pytest

from tests.support.portal import Portal


@pytest.fixture
async def portal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Portal]:
    """Run a service whose files are not those of the case."""
    async with Portal(tmp_path_factory.mktemp("portal")) as running:
        yield running
