"""The seam between sessions and where they are kept.

A store knows a digest, two index names, a record it cannot read, and two times. It
knows no cookies, no requests and no policy: whether a session still counts is decided
by ``sessions.manager`` with its own clock.

Laws every store keeps, proven by ``tests/unit/sessions/contract.py``:

1. An entry that was deleted is never loaded again, by any instance. ``touch`` changes
   entries that exist and cannot create one, so a touch in flight revives nothing.
2. After ``delete_owner`` or ``delete_login`` has returned, no entry of that index is
   loaded whose ``create`` had returned true before the call or during it.
3. A store that did not answer raises ``StoreUnavailableError``. It never answers
   "absent" instead, and never leaves a half-made entry that ``load`` would return.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from forwardauth.sessions.ids import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a store keeps for one session.

    Attributes:
        digest: SHA-256 of the session id, 32 bytes; the key.
        owner: Index name of the user: any non-empty text without NUL.
        login: Index name that the linked sessions of one login share.
        record: Opaque bytes, written once and never changed, at most 16 KiB.
        seen: Last use, aware UTC, kept to the millisecond.
        expires: When the session ends unless it is touched; aware UTC, to the
            millisecond. A store may drop an entry five minutes after this time.
    """

    digest: Digest
    owner: str
    login: str
    record: bytes
    seen: datetime
    expires: datetime


class SessionStore(Protocol):
    """Where sessions are kept. Constructors do no I/O; the first call connects.

    Every method raises ``StoreUnavailableError`` when the store cannot be reached, does
    not answer within its timeout, or answers with a fault. Every method is safe to call
    from many tasks of one loop at once, and from many processes where the store is
    shared (all but memory).
    """

    async def create(self, entry: Entry) -> bool:
        """Add *entry* and both its index rows as one step.

        Returns:
            True when the entry is kept. False when a ``delete_owner`` or
            ``delete_login`` that covers it overtook the call: nothing is left of it,
            and the caller may try again.

        Raises:
            ValueError: The digest is in use already. A digest is never replaced.
        """
        ...

    async def load(self, digest: Digest) -> Entry | None:
        """Return the entry, or ``None``: absent, deleted and never known are one.

        An entry whose ``expires`` has passed may still be returned.
        """
        ...

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        """Move the times of an entry, and of all others of its login, forward.

        Use of one session is use of its login, so that linked sessions live and expire
        together. Nothing changes when no entry has *digest*. An entry stays as it is
        when its ``seen`` is not earlier than *seen*, or its ``expires`` not later: what
        was over at that use is not prolonged. An outage may leave some unmoved.

        Costs O(entries of that login). Returns whether anything changed.
        """
        ...

    async def delete(self, digest: Digest) -> Entry | None:
        """End one entry; return what was removed, ``None`` when nothing was there.

        Deleting twice is no error. Of two concurrent calls exactly one gets the entry.
        """
        ...

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        """End every entry of one login, all or (on an outage) some and an error.

        Returns:
            What was removed; empty when nothing was there.
        """
        ...

    async def delete_owner(
        self, owner: str, *, keep_login: str | None = None
    ) -> tuple[Entry, ...]:
        """End every entry of *owner* but those of *keep_login*; see law 2."""
        ...

    async def list_owner(self, owner: str) -> tuple[Entry, ...]:
        """Return the entries of *owner*, the last used first.

        Costs O(entries of that owner), whatever else the store holds.
        """
        ...

    def list_all(self) -> AsyncIterator[Entry]:
        """Yield every entry in no order, at least once if it lives throughout."""
        ...

    async def list_expired(self, now: datetime, *, limit: int) -> tuple[Entry, ...]:
        """Return up to *limit* entries whose ``expires`` is not after *now*."""
        ...

    async def count(self) -> int:
        """Return how many entries are kept; expired ones that still stand count."""
        ...

    async def ping(self) -> None:
        """Return when the store can read and write; else raise."""
        ...

    async def close(self) -> None:
        """Release connections and files. Calling it twice is no error."""
        ...
