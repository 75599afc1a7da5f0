"""Where the last events of each user are kept, beside the sessions: a second seam.

A store that keeps sessions can keep these as well. They open nothing and decide
nothing, so they may be lost, and nobody waits for them to be on the disk.

Laws every such store keeps, proven by ``tests/unit/sessions/event_contract.py``:

1. A topic holds at most as many events as the last call asked for: whoever makes events
   happen only pushes out older ones of the same topic.
2. A topic to which nothing is added is forgotten after the lifetime of its last event,
   at the latest when any other event is added; nobody has to ask for it.
3. A store that did not answer raises ``StoreUnavailableError``, never "no events".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a store keeps of one event.

    Attributes:
        topic: What it belongs to: any non-empty text without NUL.
        at: When it happened, aware UTC, kept to the millisecond.
        record: Opaque bytes, at most 1 KiB.
    """

    topic: str
    at: datetime
    record: bytes


@runtime_checkable
class EventStore(Protocol):
    """Keeps the last events of each topic."""

    async def append_event(
        self, event: Event, *, keep: int, lifetime: timedelta
    ) -> None:
        """Add *event*, and forget what its topic has beyond the last *keep*.

        Args:
            event: Not earlier than those of its topic.
            keep: At least one.
            lifetime: From its own time on; see law 2.

        Raises:
            StoreUnavailableError: It may or may not have been added.
        """
        ...

    async def list_events(self, topic: str, *, since: datetime) -> tuple[Event, ...]:
        """Return the events of *topic* that are not before *since*, the last first.

        Raises:
            StoreUnavailableError: The store did not answer.
        """
        ...
