"""The one source of time.

Law: no other module asks the system what time it is, so that a test can hold the
clock still and every expiry is compared with the same reading.
"""

import time
from datetime import UTC, datetime
from typing import Final, Protocol

_NS_IN_A_MS: Final = 1_000_000


class Clock(Protocol):
    """Tells the time as an aware UTC ``datetime``."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        ...

    def now_ms(self) -> int:
        """Return the same as milliseconds since 1970, rounded down."""
        ...


class SystemClock:
    """The machine's wall clock, which every instance must keep in step."""

    def now(self) -> datetime:
        """Return the machine's time in UTC, with microseconds."""
        return datetime.now(UTC)

    def now_ms(self) -> int:
        """Return it without the objects of a date, which verify has no time for."""
        return time.time_ns() // _NS_IN_A_MS
