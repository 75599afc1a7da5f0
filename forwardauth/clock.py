"""The one source of time.

Law: no other module asks the system what time it is, so that a test can hold the
clock still and every expiry is compared with the same reading.
"""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time as an aware UTC ``datetime``."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        ...  # pragma: no cover - a protocol has no body


class SystemClock:
    """The machine's wall clock, which every instance must keep in step."""

    def now(self) -> datetime:
        """Return the machine's time in UTC, with microseconds."""
        return datetime.now(UTC)
