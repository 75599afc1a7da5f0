"""A name that a store keeps of itself, however one gets there.

Law: two addresses lead to the same store when they find the same name. A path may be
another file on another machine, and one server has many names in a network.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from forwardauth.clock import Clock
from forwardauth.sessions.events import Event, EventStore

_TOPIC: Final = "store:name"
_KEPT: Final = 1_000
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def lookup_name(store: EventStore) -> str | None:
    """Return the name of *store*, ``None`` while it has none.

    Of two that were given at once, the first counts.
    """
    events = await store.list_events(_TOPIC, since=_EVER)
    return events[-1].record.decode("ascii", "replace") if events else None


async def give_name(store: EventStore, clock: Clock, *, lifetime: timedelta) -> str:
    """Return the name of *store*, which has one from now on for *lifetime*."""
    name = await lookup_name(store) or secrets.token_hex(8)
    event = Event(topic=_TOPIC, at=clock.now(), record=name.encode())
    await store.append_event(event, keep=_KEPT, lifetime=lifetime)
    return await lookup_name(store) or name
