"""The contract of ``sessions/events.py`` as tests; every backend subclasses them."""

import asyncio
from datetime import timedelta
from typing import Final

import pytest

from forwardauth.sessions.events import Event, EventStore
from tests.support.clock import START
from tests.unit.sessions.contract import NAMES, at

MONTH: Final = timedelta(days=30)


def create_event(
    number: int = 0, *, topic: str = "alice", record: bytes | None = None
) -> Event:
    """Return the event that happened *number* seconds after the start."""
    content = f"event {number}".encode() if record is None else record
    return Event(topic=topic, at=at(number), record=content)


async def append(
    store: EventStore, event: Event, *, keep: int = 3, lifetime: timedelta = MONTH
) -> None:
    """Add *event* with a small bound and a long time."""
    await store.append_event(event, keep=keep, lifetime=lifetime)


class EventStoreContract:
    """What each store of events promises; a subclass has the fixture ``events``."""

    async def test_unknown_topic_has_no_events(self, events: EventStore) -> None:
        """Nothing has to be made before one asks."""
        assert await events.list_events("nobody", since=START) == ()

    async def test_last_event_comes_first(self, events: EventStore) -> None:
        """Events are listed as they were, the last one first."""
        added = [create_event(number) for number in range(3)]
        for event in added:
            await append(events, event)

        listed = await events.list_events("alice", since=START)

        assert listed == tuple(reversed(added))

    async def test_events_of_one_moment_keep_their_order(
        self, events: EventStore
    ) -> None:
        """Two in the same millisecond are two."""
        first, second = (create_event(record=each) for each in (b"1", b"2"))
        await append(events, first)
        await append(events, second)

        assert await events.list_events("alice", since=START) == (second, first)

    async def test_topic_is_bounded(self, events: EventStore) -> None:
        """However many there are, the last few stay, and other topics all of theirs."""
        other = create_event(topic="bob")
        await append(events, other)
        for number in range(50):
            await append(events, create_event(number))

        listed = await events.list_events("alice", since=START)

        assert listed == tuple(create_event(number) for number in (49, 48, 47))
        assert await events.list_events("bob", since=START) == (other,)

    async def test_smaller_bound_counts_from_the_next_event(
        self, events: EventStore
    ) -> None:
        """A release that keeps fewer forgets the rest as it goes."""
        for number in range(3):
            await append(events, create_event(number))

        await append(events, create_event(3), keep=1)

        assert await events.list_events("alice", since=START) == (create_event(3),)

    async def test_events_before_the_asked_time_are_left_out(
        self, events: EventStore
    ) -> None:
        """Who asks says how far back."""
        for number in range(3):
            await append(events, create_event(number))

        listed = await events.list_events("alice", since=at(1))

        assert listed == (create_event(2), create_event(1))

    @pytest.mark.parametrize("topic", NAMES)
    async def test_any_name_is_a_topic(self, events: EventStore, topic: str) -> None:
        """Names are not read, and none is another's."""
        event = create_event(topic=topic)
        await append(events, event)

        assert await events.list_events(topic, since=START) == (event,)
        assert await events.list_events(topic + "x", since=START) == ()

    async def test_records_are_kept_byte_for_byte(self, events: EventStore) -> None:
        """Nothing is read into them."""
        event = create_event(record=bytes(range(256)) * 4)

        await append(events, event)

        assert await events.list_events("alice", since=START) == (event,)

    async def test_many_at_once_leave_as_many_as_are_kept(
        self, events: EventStore
    ) -> None:
        """A burst neither loses the bound nor any topic."""
        burst = [create_event(number) for number in range(20)]

        await asyncio.gather(*(append(events, event) for event in burst))

        listed = await events.list_events("alice", since=START)
        assert len(listed) == 3
        assert set(listed) <= set(burst)
