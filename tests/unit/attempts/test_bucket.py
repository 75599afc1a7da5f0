"""One count of failures, as time goes by, and as it goes back."""

from datetime import timedelta

from forwardauth.attempts.bucket import Bucket
from forwardauth.attempts.limits import Limit

LIMIT = Limit(
    free=2,
    forget_every=timedelta(minutes=10),
    first_wait=timedelta(seconds=1),
    longest_wait=timedelta(seconds=30),
)
SECOND = 1000
INTERVAL = LIMIT.interval_ms
NOW = 1_700_000_000_000


def bucket_of(failures: int, *, now: int = NOW) -> Bucket:
    """Return the bucket of so many failures at one moment."""
    bucket = Bucket.first(LIMIT, now)
    for _ in range(failures - 1):
        bucket = bucket.count(LIMIT, now)
    return bucket


def wait_at(bucket: Bucket, now: int) -> int:
    """Return how long there is to wait at *now*."""
    left = bucket.drip(LIMIT, now)
    return 0 if left is None else left.wait(now)


def test_count_ends_where_the_wait_no_longer_grows() -> None:
    """A million failures take no longer to forget than the first few."""
    bucket = bucket_of(1000)

    assert bucket.failures == LIMIT.most
    assert bucket.empty_at(LIMIT) == NOW + LIMIT.most * INTERVAL
    assert bucket.drip(LIMIT, NOW + LIMIT.most * INTERVAL - 1) is not None
    assert bucket.drip(LIMIT, NOW + LIMIT.most * INTERVAL) is None


def test_wait_runs_down() -> None:
    """It is told how long is left, not how long it was."""
    bucket = bucket_of(5)

    waits = [wait_at(bucket, NOW + second * SECOND) / SECOND for second in range(6)]

    assert waits == [4, 3, 2, 1, 0, 0]


def test_one_failure_is_forgotten_in_each_interval() -> None:
    """Slow failures never add up, and forgetting does not wait for a pause."""
    now, bucket = NOW, Bucket.first(LIMIT, NOW)
    for _ in range(50):
        now += INTERVAL - 1
        left = bucket.drip(LIMIT, now)
        bucket = Bucket.first(LIMIT, now) if left is None else left.count(LIMIT, now)

    assert bucket.failures <= LIMIT.free
    assert bucket.wait(now) == 0


def test_failures_that_are_left_count_on() -> None:
    """Five failures less three forgotten ones are two, and two are free."""
    left = bucket_of(5).drip(LIMIT, NOW + INTERVAL * 7 // 2)
    assert left is not None
    again = left.count(LIMIT, NOW + INTERVAL * 7 // 2)

    # The half of an interval that had passed then counts as well.
    later = again.drip(LIMIT, NOW + INTERVAL * 4)

    assert left.failures == 2
    assert again.wait(NOW + INTERVAL * 7 // 2) == SECOND
    assert later is not None
    assert later.failures == 2


def test_wait_can_begin_again() -> None:
    """It counts from the answer, not from the question."""
    bucket = bucket_of(3).restart(LIMIT, NOW + SECOND)

    assert bucket.wait(NOW + SECOND) == SECOND


def test_failure_can_be_taken_back_with_its_wait() -> None:
    """What did not happen leaves no trace."""
    before, bucket = bucket_of(2), bucket_of(3)

    after = bucket.take_back(NOW)

    assert after == before
    assert bucket_of(1).take_back(NOW) is None


def test_clock_that_was_set_back_stretches_no_wait() -> None:
    """It is as long as it was, however far back, and then it is over."""
    early = NOW - 24 * 3600 * SECOND

    left = bucket_of(5).drip(LIMIT, early)

    assert left is not None
    assert left.wait(early) == 4 * SECOND
    assert wait_at(left, early + 4 * SECOND) == 0
    assert left.drip(LIMIT, early + 5 * INTERVAL) is None


def test_clock_that_was_set_back_forgets_nothing() -> None:
    """To turn it to and fro is no way to guess."""
    early = NOW - 24 * 3600 * SECOND

    left = bucket_of(5).drip(LIMIT, early)

    assert left is not None
    assert left.failures == 5
