"""A count of failures that drips, and the wait that follows from it.

One failure is forgotten in each interval. Times are milliseconds since 1970, of one
clock. Law: a clock that is set back stretches no wait and forgets no failure: what lies
further ahead than it can is moved to where it would be if it had begun now.
"""

from dataclasses import dataclass, replace
from typing import Self

from forwardauth.attempts.limits import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Failures of one key.

    Attributes:
        failures: At least one, at most ``Limit.most``.
        dripped: When the last one was forgotten, or the first one counted.
        until: Nothing is let in before this time.
    """

    failures: int
    dripped: int
    until: int

    @classmethod
    def first(cls, limit: Limit, now: int) -> Self:
        """Return the bucket of a first failure."""
        return cls(failures=1, dripped=now, until=now + limit.wait_after_ms(1))

    def drip(self, limit: Limit, now: int) -> Self | None:
        """Return the bucket as it is at *now*, ``None`` when it is empty."""
        until = min(self.until, now + limit.wait_after_ms(self.failures))
        drops = max((now - self.dripped) // limit.interval_ms, 0)
        if drops >= self.failures:
            return None
        return replace(
            self,
            failures=self.failures - drops,
            dripped=min(self.dripped + drops * limit.interval_ms, now),
            until=until,
        )

    def wait(self, now: int) -> int:
        """Return how many milliseconds are left to wait."""
        return max(self.until - now, 0)

    def count(self, limit: Limit, now: int) -> Self:
        """Return the bucket with one failure more, whose wait begins."""
        failures = min(self.failures + 1, limit.most)
        return replace(self, failures=failures).restart(limit, now)

    def restart(self, limit: Limit, now: int) -> Self:
        """Return the bucket whose wait begins again."""
        return replace(self, until=now + limit.wait_after_ms(self.failures))

    def take_back(self, now: int) -> Self | None:
        """Return the bucket without its last failure and the wait that it began."""
        if self.failures <= 1:
            return None
        return replace(self, failures=self.failures - 1, until=now)

    def empty_at(self, limit: Limit) -> int:
        """Return when nothing of it is left: what is forgotten first is worth least."""
        return self.dripped + self.failures * limit.interval_ms
