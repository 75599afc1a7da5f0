"""What has been promised and the store has still to do: the journal, carried out.

Laws: a promise leaves the journal only when it is kept or outdated; one that cannot be
kept keeps none of the others waiting. A fault of the disk stops nothing: the journal
holds in memory what it could not write.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

from forwardauth.clock import Clock
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal import PendingRevocation, RevocationJournal
from forwardauth.sessions.model import Session
from forwardauth.sessions.store import Entry

_BATCH: Final = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one revocation.

    Attributes:
        ended: The sessions that the store has ended.
        left: What is still to be done, with all that the store told about it; ``None``
            when nothing is.
    """

    ended: tuple[Session, ...] = ()
    left: PendingRevocation | None = None


CarryOut: TypeAlias = Callable[[PendingRevocation], Awaitable[Attempt]]


class Backlog:
    """The promises of this instance, as one worker knows and keeps them."""

    def __init__(
        self, *, journal: RevocationJournal, clock: Clock, carry_out: CarryOut
    ) -> None:
        """Keep the parts; *carry_out* does not raise when the store is down."""
        self._journal = journal
        self._clock = clock
        self._carry_out = carry_out
        self._retrying = asyncio.Lock()
        self._catching_up = asyncio.Lock()
        self._is_stuck = False

    def holds(self, digest: Digest) -> bool:
        """Whether the session of *digest* is refused, whatever the store says."""
        return self._journal.holds(digest)

    def covers(self, entry: Entry) -> bool:
        """Whether *entry* is refused: for itself, for its login or for its user."""
        return self._journal.covers(entry)

    def add(self, revocations: Sequence[PendingRevocation]) -> None:
        """Promise *revocations*; they are refused when this returns."""
        with _disk_faults_logged():
            self._journal.add_all(revocations)

    async def catch_up(self) -> bool:
        """Keep the promises now, because the store has just answered somebody.

        A lookup asks before it believes what it has loaded: only the store knows what
        is linked to a session that was revoked while it was away. What it still does
        not take is left to ``retry``, so that lookups wait for it but once.

        Returns:
            Whether anything may have ended since the caller asked the store.
        """
        if self._journal.is_empty():
            self._is_stuck = False
            return False
        if self._is_stuck:
            return False
        async with self._catching_up:
            if self._is_stuck:
                return True  # Somebody tried while we waited.
            await self.retry()
            self._is_stuck = not self._journal.is_empty()
        return True

    async def make_way(self, username: str) -> None:
        """Keep what would also end a session of *username* that begins now."""
        if self._journal.may_cover_user(username):
            await self.retry()

    async def retry(self) -> bool:
        """Try to keep every promise once; return whether the store or the disk lags."""
        async with self._retrying:
            pending = self._journal.list_pending()
            for start in range(0, len(pending), _BATCH):
                batch = pending[start : start + _BATCH]
                attempts = await asyncio.gather(*map(self._carry_out, batch))
                left = [each.left for each in attempts if each.left is not None]
                # What the store told before it failed is refused from now on, too.
                self.add([each for each in left if each not in batch])
                done = {each.digest for each in batch} - {each.digest for each in left}
                with _disk_faults_logged():
                    self._journal.remove(*done)
                if not done:
                    break  # The store is down. If a part of it is, others may answer.
        with _disk_faults_logged():
            # Last, so that a clock that is ahead breaks no promise that can be kept.
            self._journal.forget_outdated(self._clock.now())
        return not (self._journal.is_empty() and self._journal.is_written())


@contextmanager
def _disk_faults_logged() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        _log.error("cannot write the revocation journal; held in memory only: %s", exc)
