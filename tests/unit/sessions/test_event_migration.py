"""Events from one store to another, each once and in their order."""

from datetime import timedelta

from forwardauth.sessions.event_migration import copy_events
from forwardauth.sessions.stores.memory import MemoryStore
from tests.support.clock import START
from tests.unit.sessions.event_contract import append, create_event

MONTH = timedelta(days=30)


async def copy(
    source: MemoryStore, target: MemoryStore, *, seconds: int = 60, is_dry: bool = False
) -> int:
    """Copy the events of alice and bob."""
    return await copy_events(
        source,
        target,
        ["alice", "bob"],
        keep=3,
        lifetime=MONTH,
        now=START + timedelta(seconds=seconds),
        is_dry=is_dry,
    )


async def test_events_keep_their_order_and_times() -> None:
    """As they were, the last one first."""
    source, target = MemoryStore(), MemoryStore()
    events = [create_event(number) for number in range(3)]
    for event in (*events, create_event(topic="bob"), create_event(topic="carol")):
        await append(source, event)

    count = await copy(source, target)

    assert count == 4
    assert await target.list_events("alice", since=START) == tuple(reversed(events))
    assert await target.list_events("carol", since=START) == ()


async def test_second_copy_adds_what_is_new_alone() -> None:
    """Nothing stands there twice."""
    source, target = MemoryStore(), MemoryStore()
    await append(source, create_event(1))
    await copy(source, target)
    await append(source, create_event(2))

    assert await copy(source, target) == 1
    assert await copy(source, target) == 0
    assert len(await target.list_events("alice", since=START)) == 2


async def test_later_events_of_the_target_stay_the_last() -> None:
    """A service that works there already has written its own."""
    source, target = MemoryStore(), MemoryStore()
    await append(source, create_event(1))
    await append(target, create_event(5))

    assert await copy(source, target) == 0


async def test_old_events_are_left_behind() -> None:
    """What nobody is shown any more is not copied."""
    source, target = MemoryStore(), MemoryStore()
    await append(source, create_event(1))

    assert await copy(source, target, seconds=31 * 86_400) == 0


async def test_dry_copy_counts_alone() -> None:
    """Nothing is written."""
    source, target = MemoryStore(), MemoryStore()
    await append(source, create_event(1))

    assert await copy(source, target, is_dry=True) == 1
    assert await target.list_events("alice", since=START) == ()
