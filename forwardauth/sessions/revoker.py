"""The end of sessions, whatever the cause.

Laws: every end runs through ``_finish``, so that each one is told of. What was answered
as ended is gone from the store; what the store did not take is in the journal, refused
here at once and carried out later, and whoever asked is told that it is pending.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.handover import parse_handover
from forwardauth.sessions.ids import Digest, digests_of
from forwardauth.sessions.journal import PendingRevocation, RevocationJournal
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.model import EndCause, Session, parse_entry
from forwardauth.sessions.observer import SessionObserver
from forwardauth.sessions.store import Entry, SessionStore

_SWEEP_BATCH: Final = 500

_log = logging.getLogger(__name__)


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
    ) -> None:
        """Keep the parts; nothing is opened before the first call."""
        self._store = store
        self._clock = clock
        self._timeouts = timeouts
        self._journal = journal
        self._observer = observer

    def is_pending(self, digest: Digest) -> bool:
        """Whether *digest* is refused although the store may still hold it."""
        return self._journal.holds(digest)

    async def revoke(
        self,
        presented: Sequence[str],
        *,
        cause: EndCause,
        is_for_user: bool = False,
    ) -> Ended:
        """End every session *presented*, and those linked to it.

        Unknown, expired and malformed values are nothing to end. An outage does not
        raise: the digests go into the journal, are refused from now on, and are ended
        when the store is back.

        Args:
            presented: Every value of our cookie in the request.
            cause: Why.
            is_for_user: Whether all sessions of the user end (``scope: user``).
        """
        ended: list[Session] = []
        is_pending = False
        for digest in digests_of(presented):
            result = await self.revoke_digest(
                digest, cause=cause, is_for_user=is_for_user
            )
            ended.extend(result.sessions)
            is_pending = is_pending or result.is_pending
        return Ended(sessions=tuple(ended), is_pending=is_pending)

    async def revoke_digest(
        self, digest: Digest, *, cause: EndCause, is_for_user: bool = False
    ) -> Ended:
        """End one session by its key, and those linked to it; see ``revoke``."""
        revocation = self._prepare(digest, cause, is_for_user=is_for_user)
        try:
            entry = await self._store.load(digest)
            if entry is None:
                return Ended()
            revocation = _completed(revocation, entry)
            return Ended(sessions=await self._carry_out(revocation))
        except StoreUnavailableError:
            return self._postpone(revocation)

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
        try:
            return Ended(sessions=await self._carry_out(revocation))
        except StoreUnavailableError:
            return self._postpone(revocation)

    def _prepare(
        self, digest: Digest, cause: EndCause, *, is_for_user: bool
    ) -> PendingRevocation:
        return PendingRevocation(
            digest=digest,
            login=None,
            owner=None,
            cause=cause.value,
            until=self._clock.now() + self._timeouts.longest,
            is_for_user=is_for_user,
        )

    def _postpone(self, revocation: PendingRevocation) -> Ended:
        self._remember(revocation)
        cause = EndCause(revocation.cause)
        self._observer.end_pending(revocation.digest, cause)
        return Ended(is_pending=True)

    async def _carry_out(self, revocation: PendingRevocation) -> tuple[Session, ...]:
        """End in the store what *revocation* names; the presented one first.

        The index of a login may be lost where a store evicts keys; the session that
        was presented ends without it.
        """
        cause = EndCause(revocation.cause)
        entry = await self._store.delete(revocation.digest)
        login = entry.login if entry is not None else revocation.login
        removed = [entry]
        try:
            removed += await self._store.delete_login(login) if login else ()
        finally:  # The end of a login is told as one, and an outage hides none of it.
            ended = self._finish(removed, cause)
        if revocation.owner is not None:
            ended += await self.revoke_user(revocation.owner, cause=cause)
        return ended

    def _remember(self, revocation: PendingRevocation) -> None:
        try:
            self._journal.add(revocation)
        except OSError:
            _log.exception("cannot write the revocation journal; held in memory only")

    async def revoke_user(
        self, username: str, *, cause: EndCause, keep_login: str | None = None
    ) -> tuple[Session, ...]:
        """End every session of *username* but those of *keep_login*, as one step.

        Raises:
            StoreUnavailableError: Some may be left; the caller tries again or says so.
        """
        removed = await self._store.delete_owner(username, keep_login=keep_login)
        return self._finish(removed, cause)

    async def expire(self, digest: Digest, cause: EndCause) -> None:
        """End a session whose time is over, and no other of its login.

        Raises:
            StoreUnavailableError: It stays expired for every reader; ``sweep`` ends it.
        """
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
            cause = None if session is None else session.expiry(now)
            await self.expire(entry.digest, cause or EndCause.IDLE)
        return len(expired)

    async def retry_pending(self) -> bool:
        """Carry out the revocations in the journal; return whether any is left.

        Raises:
            OSError: The journal could not be written; nothing is lost by that.
        """
        self._journal.forget_outdated(self._clock.now())
        for revocation in self._journal.list_pending():
            try:
                await self._carry_out(await self._complete(revocation))
            except StoreUnavailableError:
                return True
            self._journal.remove(revocation.digest)
        return False

    async def _complete(self, revocation: PendingRevocation) -> PendingRevocation:
        """Return *revocation* with what the store can tell, written down first.

        Once the entry is deleted, nothing leads to the sessions that end with it.
        """
        if revocation.login is not None:
            return revocation
        entry = await self._store.load(revocation.digest)
        if entry is None:
            return revocation
        completed = _completed(revocation, entry)
        self._remember(completed)
        return completed

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


def _completed(revocation: PendingRevocation, entry: Entry) -> PendingRevocation:
    owner = entry.owner if revocation.is_for_user else None
    return replace(revocation, login=entry.login, owner=owner)
