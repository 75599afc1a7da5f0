"""How long the store takes, seen from who asks it: each call, and each batch.

    call ─► store ─► what came of it ─► operation, outcome, seconds

Laws: nothing is changed about a call, its result or its error. What verify looks up on
its short way is in memory or in a file of this machine and is not timed; or it is asked
for together, and timed once for all that go in one turn of the event loop.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from time import perf_counter
from types import TracebackType
from typing import Final, TypeAlias

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import AwaitedStore, Found, Question
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.store import Entry, SessionStore

BATCH: Final = "load_batch"
"""The operation of look-ups that are asked for together."""


class StoreOutcome(StrEnum):
    """What came of a call."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    FAULT = "fault"


Observe: TypeAlias = Callable[[str, StoreOutcome, float], None]
"""Takes operation, outcome and seconds."""


class MeteredStore:
    """A ``SessionStore`` that tells how long another one took."""

    def __init__(self, store: SessionStore, observe: Observe) -> None:
        """Ask *store*, and tell *observe*."""
        self._store = store
        self._observe = observe

    async def create(self, entry: Entry) -> bool:
        """See ``SessionStore``."""
        with _Measured("create", self._observe):
            return await self._store.create(entry)

    async def load(self, digest: Digest) -> Entry | None:
        """See ``SessionStore``."""
        with _Measured("load", self._observe):
            return await self._store.load(digest)

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        """See ``SessionStore``."""
        with _Measured("touch", self._observe):
            return await self._store.touch(digest, seen=seen, expires=expires)

    async def delete(self, digest: Digest) -> Entry | None:
        """See ``SessionStore``."""
        with _Measured("delete", self._observe):
            return await self._store.delete(digest)

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        """See ``SessionStore``."""
        with _Measured("delete_login", self._observe):
            return await self._store.delete_login(login)

    async def delete_owner(
        self, owner: str, *, keep_login: str | None = None
    ) -> tuple[Entry, ...]:
        """See ``SessionStore``."""
        with _Measured("delete_owner", self._observe):
            return await self._store.delete_owner(owner, keep_login=keep_login)

    async def list_owner(self, owner: str) -> tuple[Entry, ...]:
        """See ``SessionStore``."""
        with _Measured("list_owner", self._observe):
            return await self._store.list_owner(owner)

    def list_all(self) -> AsyncIterator[Entry]:
        """See ``SessionStore``; not timed, since it takes as long as who reads it."""
        return self._store.list_all()

    async def list_expired(self, now: datetime, *, limit: int) -> tuple[Entry, ...]:
        """See ``SessionStore``."""
        with _Measured("list_expired", self._observe):
            return await self._store.list_expired(now, limit=limit)

    async def count(self) -> int:
        """See ``SessionStore``."""
        with _Measured("count", self._observe):
            return await self._store.count()

    async def ping(self) -> None:
        """See ``SessionStore``."""
        with _Measured("ping", self._observe):
            await self._store.ping()

    async def close(self) -> None:
        """See ``SessionStore``."""
        await self._store.close()


class MeteredBatches:
    """An ``AwaitedStore`` that tells how long another one took for each batch."""

    def __init__(self, store: AwaitedStore, observe: Observe) -> None:
        """Ask *store*, and tell *observe*."""
        self._store = store
        self._observe = observe

    def ask(self, questions: Sequence[Question]) -> None:
        """Ask for all of *questions*; the first that is told stands for the rest."""
        first, *others = questions
        began = perf_counter()

        def told(found: Found, number: int) -> None:
            outcome = StoreOutcome.OK
            if isinstance(found, StoreUnavailableError):
                outcome = StoreOutcome.UNAVAILABLE
            elif isinstance(found, Exception):
                outcome = StoreOutcome.FAULT
            self._observe(BATCH, outcome, perf_counter() - began)
            first.told(found, number)

        self._store.ask([Question(first.digest, told), *others])


class _Measured:
    """Tells of the call within it; one that was given up is told of by nobody."""

    __slots__ = ("_began", "_observe", "_operation")

    def __init__(self, operation: str, observe: Observe) -> None:
        self._operation = operation
        self._observe = observe

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        match error:
            case None:
                outcome = StoreOutcome.OK
            case StoreUnavailableError():
                outcome = StoreOutcome.UNAVAILABLE
            case Exception():
                outcome = StoreOutcome.FAULT
            case _:
                return
        self._observe(self._operation, outcome, perf_counter() - self._began)
