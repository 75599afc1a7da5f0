"""Events from one store to another, as they were.

Law: a repeated copy adds nothing twice. Where the other store has later ones already,
those before them are left out, since a topic keeps the order in which events happened.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from forwardauth.sessions.events import EventStore

_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def copy_events(
    source: EventStore,
    target: EventStore,
    topics: Iterable[str],
    *,
    keep: int,
    lifetime: timedelta,
    now: datetime,
    is_dry: bool = False,
) -> int:
    """Copy the events of *topics* and return how many there were to copy.

    Args:
        source: Where they are.
        target: Where they go.
        topics: Whose.
        keep: As ``append_event`` takes it.
        lifetime: The same; what is older is left behind.
        now: Tells what is older.
        is_dry: Whether they are counted alone.

    Raises:
        StoreUnavailableError: One of the two did not answer; some may be copied.
    """
    count = 0
    for topic in topics:
        there = await target.list_events(topic, since=_EVER)
        last = max((event.at for event in there), default=_EVER)
        events = await source.list_events(topic, since=now - lifetime)
        for event in reversed(events):
            if event in there or event.at < last:
                continue
            count += 1
            if not is_dry:
                await target.append_event(event, keep=keep, lifetime=lifetime)
    return count
