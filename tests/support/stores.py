"""A store that a test can take down, at once or in the middle of its work."""

from collections.abc import AsyncIterator
from datetime import datetime

from forwardauth.attempts.limits import Rules
from forwardauth.attempts.memory import MemoryAttempts
from forwardauth.attempts.store import Attempt, Result
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.memory import MemoryStore


class DownStore(MemoryStore):
    """Memory whose every call fails while it is down.

    Attributes:
        calls_left: How many calls are answered before it goes down by itself; ``None``
            for any number.
        faults_left: How many calls fail before it comes back by itself; ``None`` for
            any number.
    """

    def __init__(self) -> None:
        super().__init__()
        self._attempts = MemoryAttempts()
        self.calls_left: int | None = None
        self.faults_left: int | None = None

    def go_down(self, *, faults: int | None = None) -> None:
        """Answer nothing from now on, or fail *faults* times."""
        self.calls_left, self.faults_left = 0, faults

    def come_back(self) -> None:
        """Answer everything from now on."""
        self.calls_left = self.faults_left = None

    def _answer(self) -> None:
        if self.calls_left == 0:
            if self.faults_left is not None:
                self.faults_left -= 1
                if self.faults_left == 0:
                    self.come_back()
            raise StoreUnavailableError("the store is down")
        if self.calls_left is not None:
            self.calls_left -= 1

    async def create(self, entry: Entry) -> bool:
        self._answer()
        return await super().create(entry)

    async def load(self, digest: Digest) -> Entry | None:
        self._answer()
        return await super().load(digest)

    def peek(self, digest: Digest) -> Row | None:
        if self.calls_left is not None:
            raise NoGlanceError  # Calls are counted, and fail, in ``load``.
        return super().peek(digest)

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        self._answer()
        return await super().touch(digest, seen=seen, expires=expires)

    async def delete(self, digest: Digest) -> Entry | None:
        self._answer()
        return await super().delete(digest)

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        self._answer()
        return await super().delete_login(login)

    async def delete_owner(
        self, owner: str, *, keep_login: str | None = None
    ) -> tuple[Entry, ...]:
        self._answer()
        return await super().delete_owner(owner, keep_login=keep_login)

    async def list_owner(self, owner: str) -> tuple[Entry, ...]:
        self._answer()
        return await super().list_owner(owner)

    async def list_all(self) -> AsyncIterator[Entry]:
        self._answer()
        async for entry in super().list_all():
            yield entry

    async def list_expired(self, now: datetime, *, limit: int) -> tuple[Entry, ...]:
        self._answer()
        return await super().list_expired(now, limit=limit)

    async def admit_attempt(self, attempt: Attempt, rules: Rules, now_ms: int) -> int:
        self._answer()
        return await self._attempts.admit_attempt(attempt, rules, now_ms)

    async def settle_attempt(
        self, attempt: Attempt, result: Result, rules: Rules, now_ms: int
    ) -> None:
        self._answer()
        await self._attempts.settle_attempt(attempt, result, rules, now_ms)

    async def count(self) -> int:
        self._answer()
        return await super().count()

    async def ping(self) -> None:
        self._answer()
        await super().ping()
