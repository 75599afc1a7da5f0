"""Counts of failures, their waits, and what is forgotten when memory runs out."""

from datetime import timedelta

import pytest

from forwardauth.users.buckets import Buckets, Limit
from tests.support.clock import FakeClock

LIMIT = Limit(
    free=2,
    forget_every=timedelta(minutes=10),
    first_wait=timedelta(seconds=1),
    longest_wait=timedelta(seconds=30),
)
SECOND = timedelta(seconds=1)
NOTHING = timedelta(0)


@pytest.fixture
def buckets() -> Buckets[str]:
    """Buckets that remember three keys."""
    return Buckets(LIMIT, capacity=3)


def count(buckets: Buckets[str], clock: FakeClock, key: str, times: int) -> None:
    """Count *times* failures of *key* at one moment."""
    for _ in range(times):
        buckets.count(key, clock.now())


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (2, 0), (3, 1), (4, 2), (5, 4), (7, 16), (8, 30), (9, 30), (10**6, 30)],
)
def test_wait_doubles_up_to_the_longest(failures: int, seconds: int) -> None:
    """The first failures are free, and no wait is longer than the longest."""
    assert LIMIT.wait_after(failures) == seconds * SECOND


def test_count_ends_where_the_wait_no_longer_grows(buckets: Buckets[str]) -> None:
    """A million failures take no longer to forget than the first few."""
    clock = FakeClock()
    count(buckets, clock, "a", 1000)
    assert LIMIT.wait_after(LIMIT.most) == LIMIT.longest_wait

    clock.advance(LIMIT.forget_every * LIMIT.most)

    assert buckets.wait("a", clock.now()) == NOTHING
    assert len(buckets) == 0


def test_wait_runs_down(buckets: Buckets[str]) -> None:
    """It is told how long is left, not how long it was."""
    clock = FakeClock()
    count(buckets, clock, "a", 5)

    waits = []
    for _ in range(6):
        waits.append(buckets.wait("a", clock.now()) / SECOND)
        clock.advance(SECOND)

    assert waits == [4, 3, 2, 1, 0, 0]


def test_keys_do_not_wait_for_each_other(buckets: Buckets[str]) -> None:
    """Each key has its own count."""
    clock = FakeClock()
    count(buckets, clock, "a", 5)

    assert buckets.wait("b", clock.now()) == NOTHING


def test_one_failure_is_forgotten_in_each_interval(buckets: Buckets[str]) -> None:
    """Slow failures never add up, and forgetting does not wait for a pause."""
    clock = FakeClock()
    for _ in range(50):
        buckets.count("a", clock.now())
        clock.advance(LIMIT.forget_every)
    assert len(buckets) == 1

    assert buckets.wait("a", clock.now()) == NOTHING
    assert len(buckets) == 0


def test_failures_that_are_left_count_on(buckets: Buckets[str]) -> None:
    """Five failures less three forgotten ones are two, and two are free."""
    clock = FakeClock()
    count(buckets, clock, "a", 5)
    clock.advance(LIMIT.forget_every * 3.5)
    buckets.count("a", clock.now())
    assert buckets.wait("a", clock.now()) == SECOND

    clock.advance(LIMIT.forget_every / 2)
    buckets.count("a", clock.now())

    assert buckets.wait("a", clock.now()) == SECOND


def test_wait_can_begin_again(buckets: Buckets[str]) -> None:
    """It counts from the answer, not from the question."""
    clock = FakeClock()
    count(buckets, clock, "a", 3)
    clock.advance(SECOND)

    buckets.restart("a", clock.now())
    buckets.restart("b", clock.now())

    assert buckets.wait("a", clock.now()) == SECOND
    assert len(buckets) == 1


def test_failure_can_be_taken_back_with_its_wait(buckets: Buckets[str]) -> None:
    """What did not happen leaves no trace."""
    clock = FakeClock()
    count(buckets, clock, "a", 3)

    buckets.take_back("a", clock.now())
    assert buckets.wait("a", clock.now()) == NOTHING
    buckets.count("a", clock.now())
    assert buckets.wait("a", clock.now()) == SECOND

    for _ in range(5):
        buckets.take_back("a", clock.now())
    assert len(buckets) == 0


def test_clock_that_was_set_back_stretches_no_wait(buckets: Buckets[str]) -> None:
    """After a correction of the clock nobody waits for a day."""
    clock = FakeClock()
    count(buckets, clock, "a", 5)
    clock.advance(-timedelta(days=1))

    assert buckets.wait("a", clock.now()) <= LIMIT.longest_wait
    clock.advance(LIMIT.forget_every * 5)
    assert buckets.wait("a", clock.now()) == NOTHING


def test_weakest_key_goes_first_when_the_table_is_full(buckets: Buckets[str]) -> None:
    """A flood of names with one failure each pushes out each other, not a block."""
    clock = FakeClock()
    count(buckets, clock, "victim", 5)

    for number in range(1000):
        buckets.count(f"flood{number}", clock.now())

    assert len(buckets) == 3
    assert buckets.wait("victim", clock.now()) == 4 * SECOND


def test_block_goes_only_for_as_many_stronger_ones(buckets: Buckets[str]) -> None:
    """To push a block out, the rest of the table has to fail more often than it."""
    clock = FakeClock()
    count(buckets, clock, "victim", 5)
    for number in range(100):
        count(buckets, clock, f"flood{number}", 4)
    count(buckets, clock, "strong", 6)
    count(buckets, clock, "flood", 4)
    assert buckets.wait("victim", clock.now()) == 4 * SECOND

    count(buckets, clock, "stronger", 7)
    buckets.count("one more", clock.now())

    assert buckets.wait("victim", clock.now()) == NOTHING
    assert buckets.wait("strong", clock.now()) == 8 * SECOND


def test_what_is_empty_makes_room_before_anything_else(buckets: Buckets[str]) -> None:
    """A block that has run out does not push out one that has not."""
    clock = FakeClock()
    count(buckets, clock, "old", 8)
    clock.advance(LIMIT.forget_every * 8)
    count(buckets, clock, "a", 3)
    count(buckets, clock, "b", 3)

    buckets.count("c", clock.now())

    assert len(buckets) == 3
    assert buckets.wait("a", clock.now()) == SECOND
    assert buckets.wait("b", clock.now()) == SECOND
