"""Counts of failures by key, in bounded memory, and the waits that follow from them.

A bucket drips: one failure is forgotten in each interval. When the table is full the
bucket with the fewest failures goes first, and of those the one that was counted
longest ago. Law: whoever wants a block forgotten must first fill the rest of the table
with keys that have as many failures, and each of those takes as many attempts.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

_NO_WAIT: Final = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """When a bucket makes wait, and for how long.

    Attributes:
        free: Failures that cost no wait.
        forget_every: The interval in which one failure is forgotten.
        first_wait: After the first failure beyond *free*; doubles with each further.
        longest_wait: Where the doubling ends; at least *first_wait*.
    """

    free: int
    forget_every: timedelta
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=15)

    @property
    def most(self) -> int:
        """The number of failures from which the wait no longer grows."""
        doublings = (self.longest_wait // self.first_wait).bit_length()
        return self.free + doublings + 1

    def wait_after(self, failures: int) -> timedelta:
        """Return how long to wait after the last of *failures*."""
        beyond = failures - self.free
        if beyond <= 0:
            return _NO_WAIT
        doublings = min(beyond, self.most) - 1
        return min(self.first_wait * (1 << doublings), self.longest_wait)


@dataclass(slots=True, kw_only=True)
class _Bucket:
    failures: int
    dripped: datetime
    until: datetime


class Buckets(Generic[Key]):
    """Failures by key; not shared between processes, not safe between threads."""

    def __init__(self, limit: Limit, *, capacity: int) -> None:
        """Keep the limit and the number of keys that are remembered."""
        self._limit = limit
        self._capacity = capacity
        self._buckets: dict[Key, _Bucket] = {}
        # By number of failures, each level in the order of the last count.
        self._levels: tuple[OrderedDict[Key, None], ...] = tuple(
            OrderedDict() for _ in range(limit.most + 1)
        )

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._buckets)

    def wait(self, key: Key, now: datetime) -> timedelta:
        """Return how long *key* has to wait from *now* on, zero when it need not."""
        bucket = self._drip(key, now)
        if bucket is None:
            return _NO_WAIT
        # A clock that was set back must not stretch a wait.
        return min(max(bucket.until - now, _NO_WAIT), self._limit.longest_wait)

    def count(self, key: Key, now: datetime) -> None:
        """Add one failure to *key*; its wait begins."""
        bucket = self._drip(key, now)
        if bucket is None:
            self._make_room(now)
            bucket = _Bucket(failures=0, dripped=now, until=now)
            self._buckets[key] = bucket
        self._move(key, bucket, min(bucket.failures + 1, self._limit.most))
        self.restart(key, now)

    def restart(self, key: Key, now: datetime) -> None:
        """Let the wait of *key* begin again at *now*."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            bucket.until = now + self._limit.wait_after(bucket.failures)

    def take_back(self, key: Key, now: datetime) -> None:
        """Take one failure from *key*, and the wait that it began."""
        bucket = self._drip(key, now)
        if bucket is None:
            return
        bucket.until = now
        if bucket.failures > 1:
            self._move(key, bucket, bucket.failures - 1)
        else:
            self.clear(key)

    def clear(self, key: Key) -> None:
        """Forget all failures of *key*."""
        bucket = self._buckets.pop(key, None)
        if bucket is not None:
            del self._levels[bucket.failures][key]

    def _move(self, key: Key, bucket: _Bucket, failures: int) -> None:
        self._levels[bucket.failures].pop(key, None)
        self._levels[failures][key] = None
        bucket.failures = failures

    def _drip(self, key: Key, now: datetime) -> _Bucket | None:
        """Return the bucket as it is at *now*, ``None`` when it is empty."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return None
        drops = max((now - bucket.dripped) // self._limit.forget_every, 0)
        if drops >= bucket.failures:
            self.clear(key)
            return None
        if drops:
            self._move(key, bucket, bucket.failures - drops)
        bucket.dripped = min(bucket.dripped + drops * self._limit.forget_every, now)
        return bucket

    def _make_room(self, now: datetime) -> None:
        """Drop what is empty by now, and the weakest when that is not enough."""
        for level in self._levels:
            oldest = next(iter(level), None)
            if oldest is not None:
                self._drip(oldest, now)
        if len(self._buckets) >= self._capacity:
            weakest = next(level for level in self._levels if level)
            self.clear(next(iter(weakest)))
