"""The end of sessions, whatever the cause.

Laws: every end runs through ``_finish``, so that each one is told of. What was answered
as ended is gone from the store; what the store did not take is in the journal, refused
here at once and carried out later, and whoever asked is told that it is pending.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Final

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.backlog import Backlog
from forwardauth.sessions.handover import parse_handover
from forwardauth.sessions.ids import MAX_PRESENTED, Digest, digests_of
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.model import EndCause, Session, parse_entry
from forwardauth.sessions.observer import SessionObserver
from forwardauth.sessions.pending import Attempt, PendingRevocation, look_up
from forwardauth.sessions.recent_ends import RecentEnds, ReplicatedStore
from forwardauth.sessions.store import Entry, SessionStore

_SWEEP_BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a revocation has achieved.

    Attributes:
        sessions: The sessions that the store has ended in this call.
        is_pending: Whether the store did not answer, so that something is still to be
            ended there. Whoever answers a person must say so.
    """

    sessions: tuple[Session, ...] = ()
    is_pending: bool = False


class SessionRevoker:
    """Ends sessions; one for each worker, beside its ``SessionManager``."""

    def __init__(
        self,
        *,
        store: SessionStore,
        clock: Clock,
        timeouts: Timeouts,
        journal: RevocationJournal,
        observer: SessionObserver,
        replicated: ReplicatedStore | None = None,
    ) -> None:
        """Keep the parts; nothing is opened before the first call.

        *replicated* is the store when it may lose what it has acknowledged.
        """
        self._store = store
        self._clock = clock
        self._observer = observer
        self.longest = timeouts.longest
        """The longest that any session can live: for so long a promise is kept."""

        self._recent = RecentEnds(replicated, clock, self._promise_again)
        self.backlog = Backlog(
            journal=journal,
            clock=clock,
            store=store,
            carry_out=self._attempt,
            confirm=self._recent.confirm,
        )
        """What is pending, and refused."""

    async def revoke(
        self,
        presented: Sequence[str],
        *,
        cause: EndCause,
        is_for_user: bool = False,
    ) -> Ended:
        """End every session *presented*, and those linked to it.

        Unknown and malformed values are nothing to end. In an outage the digests go
        into the journal, are refused from now on, and ended when the store is back.

        Args:
            presented: Every value of our cookie in the request.
            cause: Why.
            is_for_user: Whether all of the user's end.

        Raises:
            StoreUnavailableError: Too many for a browser, or for the journal, are left;
                nothing was promised.
        """
        # All at once: planted cookies make an outage last no longer for anybody.
        return await self._revoke(
            self._prepare(digest, cause, is_for_user=is_for_user)
            for digest in digests_of(presented)
        )

    async def revoke_digest(
        self, digest: Digest, *, cause: EndCause, is_for_user: bool = False
    ) -> Ended:
        """End one session by its key, and those linked to it; see ``revoke``."""
        revocation = self._prepare(digest, cause, is_for_user=is_for_user)
        return await self._revoke([revocation])

    async def revoke_session(
        self,
        session: Session,
        digest: Digest,
        *,
        cause: EndCause,
        is_for_user: bool = False,
    ) -> Ended:
        """End a session that was looked up, and those linked to it; see ``revoke``.

        With *is_for_user* all of the user's end, even if this one just has.
        """
        revocation = replace(
            self._prepare(digest, cause, is_for_user=is_for_user),
            login=session.login,
            owner=session.username if is_for_user else None,
        )
        return await self._revoke([revocation])

    def _prepare(
        self, digest: Digest, cause: EndCause, *, is_for_user: bool
    ) -> PendingRevocation:
        return PendingRevocation(
            digest=digest,
            login=None,
            owner=None,
            cause=cause.value,
            until=self._until(),
            is_for_user=is_for_user,
        )

    async def _revoke(self, revocations: Iterable[PendingRevocation]) -> Ended:
        waiting, attempts = list(revocations), list[Attempt]()
        left: list[PendingRevocation] = []
        while waiting and len(left) <= MAX_PRESENTED:
            some, waiting = waiting[:MAX_PRESENTED], waiting[MAX_PRESENTED:]
            attempts += await asyncio.gather(*map(self._attempt, some))
            left = [each.left for each in attempts if each.left is not None]
        if len(left) > MAX_PRESENTED:
            raise StoreUnavailableError("more sessions to promise than a browser has")
        if left:
            self.backlog.add(left)
        for revocation in left:
            self._observer.end_pending(revocation.digest, _cause_of(revocation))
        return Ended(
            sessions=tuple(chain.from_iterable(each.ended for each in attempts)),
            is_pending=bool(left),
        )

    async def _attempt(self, revocation: PendingRevocation) -> Attempt:
        """End in the store what *revocation* names, or return what is left of it.

        The session presented ends last: as long as it is there, whoever is interrupted
        finds its login and its user again. Where a store evicts keys, the index of a
        login may be lost; the session presented ends without it.
        """
        cause = _cause_of(revocation)
        ended: tuple[Session, ...] = ()
        try:
            login = revocation.login
            if login is None:
                found = await look_up(revocation, self._store)
                if found is None or found.login is None:
                    # Ended before, here or elsewhere; did a replica know of it then?
                    await self._recent.confirm()
                    return Attempt()
                revocation, login = found, found.login
            if revocation.owner is not None:
                ended = await self._end_user(revocation.owner, cause)
            ended += await self._end_login(login, revocation.digest, cause)
            await self._recent.confirm()
        except StoreUnavailableError:
            return Attempt(ended=ended, left=revocation)
        return Attempt(ended=ended)

    async def _end_login(
        self, login: str, presented: Digest, cause: EndCause
    ) -> tuple[Session, ...]:
        removed: list[Entry | None] = []
        try:
            removed += await self._store.delete_login(login)
            removed.append(await self._store.delete(presented))
        finally:  # The end of a login is told as one, and an outage hides none of it.
            self._recent.remember(removed, cause, until=self._until())
            ended = self._finish(removed, cause)
        return ended

    async def _end_user(
        self, username: str, cause: EndCause, keep_login: str | None = None
    ) -> tuple[Session, ...]:
        removed = await self._store.delete_owner(username, keep_login=keep_login)
        self._recent.remember(removed, cause, until=self._until())
        return self._finish(removed, cause)

    async def revoke_user(
        self, username: str, *, cause: EndCause, keep_login: str | None = None
    ) -> tuple[Session, ...]:
        """End every session of *username* but those of *keep_login*, as one step.

        Raises:
            StoreUnavailableError: Some may be left; the caller tries again or says so.
        """
        ended = await self._end_user(username, cause, keep_login)
        await self._recent.confirm()
        return ended

    async def expire(self, entry: Entry, cause: EndCause) -> None:
        """End a session whose time is over, and its login: they expire as one.

        None may outlive another, or a logout by its cookie would be told as done.

        Raises:
            StoreUnavailableError: It stays expired for every reader; ``sweep`` ends it.
        """
        await self._end_login(entry.login, entry.digest, cause)

    async def discard(self, digest: Digest, cause: EndCause) -> None:
        """End one entry and no other of its login; in an outage it may be left."""
        self._finish([await self._store.delete(digest)], cause)

    async def sweep(self) -> int:
        """End sessions that expired without being looked up; return how many.

        Raises:
            StoreUnavailableError: The store did not answer; try again later.
        """
        now = self._clock.now()
        expired = await self._store.list_expired(now, limit=_SWEEP_BATCH)
        for entry in expired:
            session = parse_entry(entry)
            if session is None:  # A code that nobody used, or what nobody can read.
                await self.discard(entry.digest, EndCause.IDLE)
            else:
                await self.expire(entry, session.expiry(now) or EndCause.IDLE)
        return len(expired)

    async def retry_pending(self) -> bool:
        """Carry out what the journal holds; return whether any is left.

        What the store has lost of our ends is promised again before.
        """
        await self._recent.look()
        return await self.backlog.retry()

    def _promise_again(self, revocations: Sequence[PendingRevocation]) -> None:
        # A journal that is full, or cannot be read, has said so. The next look tells
        # what is back in the store.
        with suppress(StoreUnavailableError, OSError):
            new = [each for each in revocations if not self.backlog.holds(each.digest)]
            if new:
                self.backlog.add(new)

    def _until(self) -> datetime:
        """Return when no session can be alive any more that is alive now."""
        return self._clock.now() + self.longest

    def _finish(
        self, removed: Sequence[Entry | None], cause: EndCause
    ) -> tuple[Session, ...]:
        """Tell of every entry that the store has removed; all ends come by here."""
        ended: list[Session] = []
        for entry in removed:
            if entry is None or parse_handover(entry) is not None:
                continue  # Nothing, or a code that nobody has used.
            session = parse_entry(entry)
            self._observer.session_ended(session, entry.digest, cause)
            if session is not None:
                ended.append(session)
        return tuple(ended)


def _cause_of(revocation: PendingRevocation) -> EndCause:
    """Return why it ends; a cause of a newer release must not free the session."""
    try:
        return EndCause(revocation.cause)
    except ValueError:
        return EndCause.REVOKED
