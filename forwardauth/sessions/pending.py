"""Pending revocations in memory: what is refused, and for whom.

Law: a question and a change cost the same however many are pending. Anybody can make
them many while the store is down, with cookies that nobody issued.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import Session
from forwardauth.sessions.store import Entry, SessionStore


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRevocation:
    """One session that has to be ended in the store.

    Attributes:
        digest: The key of the session; never the session id.
        login: Its login, when it was known: the linked sessions end too.
        owner: Its user, when that was known and every session of the user is to end.
        cause: Why it ends, a value of ``EndCause``.
        until: When no session of that digest can be alive any more.
        is_for_user: Whether every session of the user is to end, known or not.
    """

    digest: Digest
    login: str | None
    owner: str | None
    cause: str
    until: datetime
    is_for_user: bool = False

    def joined(self, before: "PendingRevocation | None") -> "PendingRevocation":
        """Return this promise with all that one about the same session said *before*.

        Somebody who signs out once more takes nothing back.
        """
        if before is None:
            return self
        return replace(
            self,
            login=self.login or before.login,
            owner=self.owner or before.owner,
            until=max(self.until, before.until),
            is_for_user=self.is_for_user or before.is_for_user,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one revocation.

    Attributes:
        ended: The sessions that the store has ended.
        left: What is still to be done, with what the store told; ``None`` if nothing.
    """

    ended: tuple[Session, ...] = ()
    left: PendingRevocation | None = None


async def look_up(
    revocation: PendingRevocation, store: SessionStore
) -> PendingRevocation | None:
    """Return *revocation* with what it covers, ``None`` for a session not there.

    Raises:
        StoreUnavailableError: The store did not tell.
    """
    if revocation.login is not None:
        return revocation
    entry = await store.load(revocation.digest)
    if entry is None:
        return None
    owner = entry.owner if revocation.is_for_user else None
    return replace(revocation, login=entry.login, owner=owner)


class PendingRevocations:
    """Revocations by digest, in the order of arrival, with what they cover."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: dict[Digest, PendingRevocation] = {}
        self._logins: Counter[str] = Counter()
        self._owners: Counter[str] = Counter()
        self._vague: set[Digest] = set()
        self._of_unknown_users: set[Digest] = set()

    def __len__(self) -> int:
        """Return how many are pending."""
        return len(self._entries)

    def lookup(self, digest: Digest) -> PendingRevocation | None:
        """Return what is pending about *digest*, ``None`` when nothing is."""
        return self._entries.get(digest)

    def covers(self, entry: Entry) -> bool:
        """Whether *entry* will be ended: by itself, with its login or its user."""
        return (
            entry.digest in self._entries
            or entry.login in self._logins
            or entry.owner in self._owners
        )

    def is_vague(self) -> bool:
        """Whether of any only the store knows which login or user it covers."""
        return bool(self._vague)

    def may_cover_user(self, username: str) -> bool:
        """Whether all sessions of *username* will be ended, as far as is known."""
        return username in self._owners or bool(self._of_unknown_users)

    def list_all(self, limit: int | None) -> tuple[PendingRevocation, ...]:
        """Return them in the order of arrival, up to *limit*."""
        return tuple(islice(self._entries.values(), limit))

    def put(self, digest: Digest, entry: PendingRevocation | None) -> None:
        """Let *entry* be what is pending about *digest*; ``None`` for nothing."""
        before = self._entries.get(digest)
        if before is not None:
            _take_out(self._logins, before.login)
            _take_out(self._owners, before.owner)
            self._vague.discard(digest)
            self._of_unknown_users.discard(digest)
        if entry is None:
            self._entries.pop(digest, None)
            return
        self._entries[digest] = entry
        if entry.login is not None:
            self._logins[entry.login] += 1
        if entry.owner is not None:
            self._owners[entry.owner] += 1
        elif entry.is_for_user:
            self._of_unknown_users.add(digest)
        if entry.login is None or digest in self._of_unknown_users:
            self._vague.add(digest)


def _take_out(names: Counter[str], name: str | None) -> None:
    """Count *name* once less, and forget it with the last."""
    if name is not None:
        names[name] -= 1
        if not names[name]:
            del names[name]
