"""A trouble that lasts, told in the log without one line for everybody who meets it.

    begins ─► still there, now and then ─► over

Law: the first line and the last are always written; in between one in half a minute,
with how often it was met.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

REMIND_SECONDS: Final = 30.0


class Trouble:
    """One trouble of one process, which comes and goes."""

    def __init__(
        self,
        log: logging.Logger,
        *,
        what: str,
        over: str,
        remedy: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the words, all of them beginnings of sentences without an end.

        Args:
            log: Where it is told.
            what: It is there.
            over: It is no more.
            remedy: What an operator can do about it, where no cause has its own.
            now: A clock that nobody sets, in seconds.
        """
        self._log = log
        self._what, self._over, self._remedy = what, over, remedy
        self._now = now
        self._since: float | None = None
        self._told_at = 0.0
        self._met = 0

    def meet(self, cause: object, *, remedy: str | None = None) -> None:
        """Note that it is there, and why; tell it when that is due."""
        now = self._now()
        remedy = remedy or self._remedy
        why = f"{cause}; {remedy}" if remedy else f"{cause}"
        self._met += 1
        if self._since is None:
            self._since = self._told_at = now
            self._log.error("%s: %s", self._what, why)
        elif now - self._told_at >= REMIND_SECONDS:
            self._told_at = now
            self._log.error(
                "%s, for %.0f s and %d times by now: %s",
                *(self._what, now - self._since, self._met, why),
            )

    def end(self) -> None:
        """Note that it is over; tell it if it was there."""
        if self._since is None:
            return
        lasted = self._now() - self._since
        self._log.warning("%s, after %.0f s", self._over, lasted)
        self._since, self._met = None, 0
