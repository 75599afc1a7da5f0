"""What an operator does with the sessions in the store, beside a running service.

Laws: nothing is told as ended that the store has not confirmed. What it did not take is
written to the journal, which the service on this machine carries out; a journal that is
not there is not made, since it would belong to whoever runs the command.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Final

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.model import EndCause, LiveSession, Session, parse_entry
from forwardauth.sessions.observer import SessionObserver
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.recent_ends import ReplicatedStore
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.store import SessionStore

_PROGRESS_STEP: Final = 500
_MANY_USERS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is in the store.

    Attributes:
        sessions: Those that live, by user, the last used first.
        usernames: Of all entries, unreadable and expired ones too.
    """

    sessions: tuple[LiveSession, ...]
    usernames: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What has become of a revocation.

    Attributes:
        ended: The sessions that the store has ended and that lived until then.
        left: Those that it has not, because it stopped answering.
        is_complete: Whether everything has ended that was to end; if not, something may
            be left that is not in *left*.
        is_journaled: Whether all of *left* is on the disk, for the service to end.
    """

    ended: tuple[Session, ...]
    left: tuple[Session, ...] = ()
    is_complete: bool = True
    is_journaled: bool = False


class Administration:
    """Reads and ends sessions of all users."""

    def __init__(
        self,
        *,
        store: SessionStore,
        clock: Clock,
        timeouts: Timeouts,
        journal: Path,
        observer: SessionObserver,
        tell_progress: Callable[[str], None] = lambda _: None,
        tell_ended: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        """Keep the parts.

        Args:
            store: The service's own.
            clock: Tells what has expired.
            timeouts: How long a session may live at most.
            journal: Of the service.
            observer: Is told what has ended.
            tell_progress: Called every now and then while sessions are read.
            tell_ended: Called while many end: users that are done, and all.
        """
        self._store = store
        self._clock = clock
        self._timeouts = timeouts
        self._journal_path = journal
        kind = RevocationJournal if journal.exists() else _NoJournal
        self._journal = kind(journal)
        self._observer = observer
        self._tell_progress = tell_progress
        self._tell_ended = tell_ended
        self._revoker = SessionRevoker(
            store=store,
            clock=clock,
            timeouts=timeouts,
            journal=self._journal,
            observer=_EndsAlone(observer),
            replicated=store if isinstance(store, ReplicatedStore) else None,
        )

    async def survey(self, is_wanted: Callable[[str], bool] = lambda _: True) -> Survey:
        """Return the sessions of the users that *is_wanted* says yes to.

        Raises:
            StoreUnavailableError: The store did not answer to the end.
        """
        now = self._clock.now()
        found: dict[bytes, LiveSession] = {}
        usernames: set[str] = set()
        count = 0
        async for entry in self._store.list_all():
            count += 1
            if count % _PROGRESS_STEP == 0:
                self._tell_progress(f"{count} sessions read")
            if not is_wanted(entry.owner):
                continue
            usernames.add(entry.owner)
            session = parse_entry(entry)
            if session is None or session.expiry(now) is not None:
                continue
            if not self._journal.covers(entry):
                live = LiveSession(session=session, digest=entry.digest)
                found[entry.digest] = live
        in_order = sorted(found.values(), key=attrgetter("session.seen"), reverse=True)
        in_order.sort(key=attrgetter("session.username"))
        return Survey(sessions=tuple(in_order), usernames=frozenset(usernames))

    async def end_one(self, live: LiveSession) -> Result:
        """End a session and those that are linked to it."""
        now = self._clock.now()
        ended = await self._revoker.revoke_session(
            live.session, live.digest, cause=EndCause.ADMIN
        )
        alive = tuple(each for each in ended.sessions if each.expiry(now) is None)
        if not ended.is_pending:
            return Result(ended=alive)
        return self._incomplete(alive, [live])

    async def end_users(
        self, usernames: Collection[str], known: Sequence[LiveSession]
    ) -> Result:
        """End every session of *usernames*, for each of them as one step.

        Args:
            usernames: Exactly as sessions have them.
            known: What ``survey`` has found; an outage leaves nothing else to go by.
        """
        now = self._clock.now()
        ended: list[Session] = []
        in_order = sorted(usernames)
        for index, username in enumerate(in_order):
            if len(in_order) >= _MANY_USERS:
                self._tell_ended(index + 1, len(in_order))
            try:
                removed = await self._revoker.revoke_user(
                    username, cause=EndCause.ADMIN
                )
            except StoreUnavailableError:
                undone = frozenset(in_order[index:])
                left = [each for each in known if each.session.username in undone]
                self._postpone(left)
                return self._incomplete(tuple(ended), left)
            ended += (each for each in removed if each.expiry(now) is None)
        return Result(ended=tuple(ended))

    def _postpone(self, left: Sequence[LiveSession]) -> None:
        """Promise the end of *left*, and of all that their users have besides."""
        until = self._clock.now() + self._timeouts.longest
        revocations = [
            PendingRevocation(
                digest=live.digest,
                login=live.session.login,
                owner=live.session.username,
                cause=EndCause.ADMIN.value,
                until=until,
                is_for_user=True,
            )
            for live in left
        ]
        # A fault of the disk is no promise: ``_incomplete`` looks at what is there.
        with suppress(OSError):
            self._journal.add_all(revocations)

    def _incomplete(
        self, ended: tuple[Session, ...], left: Sequence[LiveSession]
    ) -> Result:
        is_journaled = self._is_journaled(left)
        for live in left if is_journaled else ():
            self._observer.end_pending(live.digest, EndCause.ADMIN)
        return Result(
            ended=ended,
            left=tuple(live.session for live in left),
            is_complete=False,
            is_journaled=is_journaled,
        )

    def _is_journaled(self, left: Sequence[LiveSession]) -> bool:
        """Whether the disk itself holds *left*, as another process reads it."""
        journal = RevocationJournal(self._journal_path)
        try:
            return bool(left) and all(journal.holds(live.digest) for live in left)
        except OSError:
            return False


class _EndsAlone:
    """Tells of what has ended; a promise is told when the disk is known to have it."""

    def __init__(self, observer: SessionObserver) -> None:
        self.session_created = observer.session_created
        self.session_ended = observer.session_ended

    def end_pending(self, digest: Digest, cause: EndCause) -> None:
        """Say nothing."""


class _NoJournal(RevocationJournal):
    """Stands where no service keeps a journal: there is nobody to carry one out."""

    def add_all(self, revocations: Sequence[PendingRevocation]) -> None:
        """Write nothing."""
