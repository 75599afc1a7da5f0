"""Ends that the store has acknowledged, and that it could still lose.

Servers that are replaced by their replicas forget what these had not heard of: a
session that was ended a moment before is there again. So who ended it remembers that,
looks once a second, and promises the end anew if need be; the journal does the rest.

Laws: an end is settled when the store, a minute later, still has no such session. When
it fails to answer, whatever was ended lately is promised at once, and so refused by
every worker of this machine before another server answers. What is remembered names one
login and no user, since the user may have signed in again.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import EndCause
from forwardauth.sessions.next_run import NextRun
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.store import Entry

SETTLED_AFTER: Final = timedelta(minutes=1)
"""Longer than a replica lags that anything would promote."""

MAX_RECENT: Final = 5_000
"""Ends that a worker remembers, the last ones: 83 logouts a second for a minute."""

_BY_TIME: Final = frozenset({EndCause.IDLE, EndCause.ABSOLUTE})
"""Whoever reads such a session again finds it expired again."""

_log = logging.getLogger(__name__)


@runtime_checkable
class ReplicatedStore(Protocol):
    """A store whose servers may be replaced by others that know less."""

    async def load_all(self, digests: Sequence[Digest]) -> tuple[Entry, ...]:
        """Return the entries of *digests* that are there.

        Raises:
            StoreUnavailableError: The store did not tell about all of them.
        """
        ...

    async def confirm(self) -> None:
        """Return when what was acknowledged so far is where it was wanted to be.

        Raises:
            StoreUnavailableError: It is not, or nobody can tell: it may be lost.
        """
        ...

    def tell_faults(self, told: Callable[[], None]) -> None:
        """Call *told* from now on when a call has failed, before its caller hears."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    entry: Entry
    cause: EndCause
    at: datetime
    until: datetime


class RecentEnds:
    """What one worker has ended lately."""

    def __init__(
        self,
        store: ReplicatedStore | None,
        clock: Clock,
        promise: Callable[[Sequence[PendingRevocation]], None],
    ) -> None:
        """Keep the parts.

        Args:
            store: What to look after; ``None`` for one that loses nothing.
            clock: Tells when an end is settled.
            promise: Called with what has to be refused and ended again.
        """
        self._store = store
        self._clock = clock
        self._promise = promise
        self._ends: dict[Digest, _End] = {}
        self._promised: set[Digest] = set()
        """Since the store last told about all: none is promised at every fault."""

        if store is not None:
            self._confirming = NextRun(store.confirm)
            store.tell_faults(self._promise_all)

    def remember(
        self, removed: Iterable[Entry | None], cause: EndCause, *, until: datetime
    ) -> None:
        """Look after these ends from now on, if they could come undone.

        Args:
            removed: What the store has ended, as it told.
            cause: Why.
            until: When no session can be alive any more that is alive now.
        """
        if self._store is None or cause in _BY_TIME:
            return
        now = self._clock.now()
        for entry in removed:
            if entry is not None:
                end = _End(entry=entry, cause=cause, at=now, until=until)
                self._ends[entry.digest] = end
        while len(self._ends) > MAX_RECENT:
            del self._ends[next(iter(self._ends))]

    async def confirm(self) -> None:
        """Return when the store says that what it has acknowledged will last.

        All who ask at once share one question, so a flood of logouts is none to it.

        Raises:
            StoreUnavailableError: It does not; what was ended has to be promised.
        """
        if self._store is not None:
            await self._confirming.wait()

    async def look(self) -> None:
        """Promise again what the store has lost, and forget what is settled."""
        if self._store is None or not self._ends:
            return
        try:
            found = await self._store.load_all(list(self._ends))
        except StoreUnavailableError:
            self._promise_all()
            return
        back = [self._ends[each.digest] for each in found if each.digest in self._ends]
        self._promised.clear()
        self._settle(keep={each.entry.digest for each in back})
        if back:
            _log.warning(
                "the store had %d sessions again that had ended: it has lost what it "
                "had acknowledged; they end once more",
                len(back),
            )
            self._promise([_promise(each) for each in back])

    def _promise_all(self) -> None:
        new = self._ends.keys() - self._promised
        if new:
            self._promised |= new
            self._promise([_promise(self._ends[digest]) for digest in new])

    def _settle(self, *, keep: set[Digest]) -> None:
        now = self._clock.now()
        self._ends = {
            digest: each
            for digest, each in self._ends.items()
            if digest in keep or timedelta() <= now - each.at < SETTLED_AFTER
        }


def _promise(end: _End) -> PendingRevocation:
    entry = end.entry
    return PendingRevocation(
        digest=entry.digest,
        login=entry.login,
        owner=None,
        cause=end.cause.value,
        until=end.until,
    )
