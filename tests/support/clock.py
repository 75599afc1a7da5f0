"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from forwardauth.sessions.model import to_ms

START: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """Tells the time it was set to."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time as it was left."""
        return self._now

    def now_ms(self) -> int:
        """Return the same in milliseconds since 1970."""
        return to_ms(self._now)

    def advance(self, by: timedelta) -> None:
        """Move on, or back where *by* is negative."""
        self._now += by
