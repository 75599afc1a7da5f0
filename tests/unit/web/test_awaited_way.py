"""The short way on a store that answers later: as the normal way, or nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import pytest

from forwardauth.web import keys
from forwardauth.web.awaited_way import AwaitedWay
from tests.support.deferred_store import DeferredStore
from tests.support.portal import APP, COOKIE, Portal
from tests.support.ways import NAVIGATION, Ways, both_ways, converse, question, tell
from tests.unit.web.ways_contract import WaysContract


class TestDeferred(WaysContract):
    """On a store that answers in a later turn of the event loop."""

    questions: ClassVar[int] = 40
    conversations: ClassVar[int] = 20

    @pytest.fixture
    async def ways(self, tmp_path: Path) -> AsyncIterator[Ways]:
        """Both, on the same installation."""
        async with both_ways(tmp_path, DeferredStore()) as ways:
            assert isinstance(ways.short.app[keys.SHORT_WAY], AwaitedWay)
            yield ways


@pytest.mark.parametrize(
    "cookie", ["", "a=b", f"{COOKIE}=junk", f"{COOKIE}={'A' * 42}B"]
)
async def test_nobody_costs_no_question(tmp_path: Path, cookie: str) -> None:
    """Without a value that could be a session the store is not asked (V-1)."""
    store = DeferredStore()
    asked = question("nginx", APP, "/", "GET", *NAVIGATION, cookie=cookie)
    async with Portal(tmp_path, store=store) as portal:
        told = tell(await converse(portal, asked))

    assert told[0] == b"HTTP/1.1 401 Unauthorized\r"
    assert store.asked == 0
