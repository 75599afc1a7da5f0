"""Stores that make many sessions with less trouble than one after the other.

A third seam, for who has many: to a server each session by itself is a wait of its own.
The laws are those of ``create``, proven by ``tests/integration/test_redis_store.py``.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from forwardauth.sessions.store import Entry


class Creation(StrEnum):
    """What became of one session, as ``create`` would have said.

    ``MADE`` is its true, ``OVERTAKEN`` its false, and ``IN_USE`` its ``ValueError``.
    """

    MADE = "made"
    OVERTAKEN = "overtaken"
    IN_USE = "in_use"


@runtime_checkable
class BulkStore(Protocol):
    """A ``SessionStore`` that makes many sessions at once."""

    async def create_all(self, entries: Sequence[Entry]) -> tuple[Creation, ...]:
        """Make *entries*, of different digests, and say of each what became of it.

        They are made one by one: a reader may find some of them and not others.

        Raises:
            StoreUnavailableError: Some may have been made. Each that has is whole.
        """
        ...
