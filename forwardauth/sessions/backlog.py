"""What has been promised and the store has still to do: the journal, carried out.

Laws: a promise leaves the journal only when it is kept or outdated; one that cannot be
kept keeps none of the others waiting. What the disk did not take is no promise, as the
other workers do not know of it and a restart forgets it; the journal holds it in memory
all the same, and it is carried out like one. A fault of the disk stops nothing else.

Nobody waits for promises about others. Of a session that was loaded, the sessions of
its user tell whether any of the promises is about it, so a look-up asks for those and
no more, however many promises there are, and decides by itself. What it cannot be told
by a store that is partly down is an outage to it: fail closed. The promises themselves
are kept by the housekeeper, and by look-ups in the background, some at a time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError, UnreadableJournalError
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.pending import Attempt, PendingRevocation, look_up
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.trouble import Trouble

_BATCH: Final = 64
_CROSSED_OFF_AT_ONCE: Final = 1_024
_CATCH_UP: Final = 1_024
_PAUSE: Final = timedelta(seconds=1)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)

_log = logging.getLogger(__name__)


CarryOut: TypeAlias = Callable[[PendingRevocation], Awaitable[Attempt]]


class Backlog:
    """The promises of this instance, as one worker knows and keeps them."""

    def __init__(
        self,
        *,
        journal: RevocationJournal,
        clock: Clock,
        store: SessionStore,
        carry_out: CarryOut,
        confirm: Callable[[], Awaitable[None]],
    ) -> None:
        """Keep the parts; *carry_out* does not raise when the store is down.

        *confirm* raises where what it said may be lost, that a session is not there.
        """
        self._journal = journal
        self._clock = clock
        self._store = store
        self._carry_out = carry_out
        self._confirm = confirm
        self._turn = asyncio.Lock()
        self._caught_up = _LONG_AGO
        self._disk = Trouble(
            _log,
            what="cannot write the revocation journal",
            over="the revocation journal is written again",
            remedy="until then logouts that the store does not take are not promised:"
            " let the service write there, and make room on the disk",
        )
        self._crowd = Trouble(
            _log,
            what="the revocation journal is full; a logout was not promised",
            over="the revocation journal has room again",
            remedy="it has once the store answers",
        )

    def holds(self, digest: Digest) -> bool:
        """Whether the session of *digest* is refused, whatever the store says."""
        return self._journal.holds(digest)

    def is_empty(self) -> bool:
        """Whether nothing is promised, as far as is known; then the store decides."""
        try:
            return self._journal.is_empty()
        except UnreadableJournalError:
            return False

    def count(self) -> int:
        """Return how many promises the store has still to keep."""
        return len(self._journal.list_pending())

    def covers(self, entry: Entry) -> bool:
        """Whether *entry* is refused: for itself, for its login or for its user."""
        return self._journal.covers(entry)

    def is_vague(self) -> bool:
        """Whether ``covers`` alone cannot tell; then ``list_refused`` can."""
        return self._journal.is_vague()

    def list_refused(self, listed: Sequence[Entry]) -> frozenset[Digest]:
        """Return which of *listed*, all entries of one user, are refused.

        A promise is not yet known to cover more than its own session, but the entry of
        that session, which ends last, is there to tell. Whoever asks loads once more
        afterwards: it may have been carried out in between.
        """
        named = {each.digest: self._journal.lookup(each.digest) for each in listed}
        pending = [each for each in listed if named[each.digest] is not None]
        is_for_user = any(
            each is not None and each.is_for_user for each in named.values()
        )
        logins = {each.login for each in pending}
        return frozenset(
            each.digest
            for each in listed
            if is_for_user or each.login in logins or self._journal.covers(each)
        )

    def add(self, revocations: Sequence[PendingRevocation]) -> None:
        """Promise *revocations*; they are refused when this returns.

        Raises:
            StoreUnavailableError: The journal holds as much as it may, or cannot be
                written. Nothing was promised, and nobody may be told so.
        """
        if not self._journal.has_room_for(revocations):
            self._crowd.meet(f"{len(revocations)} more do not fit")
            raise StoreUnavailableError("the revocation journal is full")
        self._crowd.end()
        try:
            self._journal.add_all(revocations)
        except OSError as exc:
            self._disk.meet(exc)
            raise StoreUnavailableError(
                f"the revocation journal cannot be written: {exc}"
            ) from exc

    def _write(self, revocations: Sequence[PendingRevocation]) -> None:
        with self._disk_faults_told():
            self._journal.add_all(revocations)

    def is_due(self) -> bool:
        """Whether ``catch_up`` has something to do; then nobody else is told so.

        At most once a second: a store that still does not take them all is not asked by
        every look-up, and a store that came and went is soon asked again.
        """
        now = self._clock.now()
        if self._journal.is_empty() or timedelta() <= now - self._caught_up < _PAUSE:
            return False
        self._caught_up = now
        return True

    async def catch_up(self) -> None:
        """Keep some promises now, because the store has just answered somebody."""
        await self._keep_all(self._journal.list_pending(_CATCH_UP))

    def may_cover_user(self, username: str) -> bool:
        """Whether ``make_way`` has something to do before *username* signs in."""
        return self._journal.may_cover_user(username)

    async def make_way(self, username: str, listed: Sequence[Entry]) -> None:
        """Keep what would also end a session of *username* that begins now.

        Args:
            username: Who signs in.
            listed: All entries of that user.
        """
        mine = {each.digest for each in listed}
        concerned = [
            each
            for each in self._journal.list_pending()
            if each.owner == username or (each.is_for_user and each.digest in mine)
        ]
        await self._keep_all(concerned)

    async def retry(self) -> bool:
        """Try to keep every promise once; return whether the store or the disk lags."""
        await self._keep_all(self._journal.list_pending())
        with self._disk_faults_told():
            # Last, so that a clock that is ahead breaks no promise that can be kept.
            self._journal.forget_outdated(self._clock.now())
        if self._journal.is_written():
            self._disk.end()
        return not (self._journal.is_empty() and self._journal.is_written())

    async def _keep_all(self, pending: Sequence[PendingRevocation]) -> None:
        """Keep *pending* batch by batch, and cross off many with one flush."""
        done: list[Digest] = []
        try:
            for start in range(0, len(pending), _BATCH):
                kept, left = await self._keep(pending[start : start + _BATCH])
                done += kept
                if len(done) >= _CROSSED_OFF_AT_ONCE:
                    self._cross_off(done)
                    done = []
                if left and not kept:
                    break  # The store is down. If a part of it is, others may answer.
        finally:
            self._cross_off(done)

    def _cross_off(self, digests: Sequence[Digest]) -> None:
        with self._disk_faults_told():
            self._journal.remove(*digests)

    async def _keep(
        self, batch: Sequence[PendingRevocation]
    ) -> tuple[list[Digest], list[Digest]]:
        """Try to keep *batch*; return what is kept, and what is left.

        What they cover is on the disk before the first of them ends. So whoever no
        longer finds the session that a promise is about finds the promise to say it.
        """
        async with self._turn:
            batch = [each for each in batch if self._journal.holds(each.digest)]
            found = await asyncio.gather(*map(self._find, batch))
            pairs = zip(batch, found, strict=True)
            self._write([each for old, each in pairs if each and each != old])
            known = [each for each in found if each is not None and each.login]
            attempts = await asyncio.gather(*map(self._carry_out, known))
        unknown = {each.digest for each in found if each is not None and not each.login}
        left = unknown | {each.left.digest for each in attempts if each.left}
        kept = [each.digest for each in batch if each.digest not in left]
        return kept, list(left)

    async def _find(self, revocation: PendingRevocation) -> PendingRevocation | None:
        """Return *revocation* with what it covers, as far as the store answers."""
        try:
            found = await look_up(revocation, self._store)
            if found is None:
                await self._confirm()
        except StoreUnavailableError:
            return revocation
        return found

    @contextmanager
    def _disk_faults_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            self._disk.meet(exc)
