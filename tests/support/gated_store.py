"""A way to a store that a test can close, for one machine and not for the other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import AwaitedStore, Question
from forwardauth.sessions.glances import GlancingStore
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.store import Entry, SessionStore


class Gate:
    """Lets calls through until it is closed; the processes of one machine share it.

    Attributes:
        calls_left: How many calls it still lets through; ``None`` for any number.
    """

    def __init__(self) -> None:
        self.calls_left: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing keeps calls back, now or soon."""
        return self.calls_left is None

    def close(self, *, after: int = 0) -> None:
        """Let *after* more calls through, and then none."""
        self.calls_left = after

    def open(self) -> None:
        """Let everything through."""
        self.calls_left = None

    def pass_one(self) -> None:
        """Let a call through, or raise as a store that cannot be reached."""
        if self.calls_left == 0:
            raise StoreUnavailableError("the gate is closed")
        if self.calls_left is not None:
            self.calls_left -= 1


class GatedStore:
    """Any store, behind a gate.

    Attributes:
        held_up: Waited for once, by the next call of *held_call* that has its answer.
        held_call: The name of a method, ``load`` or ``list_owner``.
    """

    def __init__(self, store: SessionStore, gate: Gate) -> None:
        self._store = store
        self._gate = gate
        self.held_up: asyncio.Event | None = None
        self.held_call = "load"

    async def _linger(self, name: str) -> None:
        if self.held_up is not None and self.held_call == name:
            held_up, self.held_up = self.held_up, None
            await held_up.wait()

    async def create(self, entry: Entry) -> bool:
        self._gate.pass_one()
        return await self._store.create(entry)

    async def load(self, digest: Digest) -> Entry | None:
        self._gate.pass_one()
        entry = await self._store.load(digest)
        await self._linger("load")
        return entry

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        self._gate.pass_one()
        return await self._store.touch(digest, seen=seen, expires=expires)

    async def delete(self, digest: Digest) -> Entry | None:
        self._gate.pass_one()
        return await self._store.delete(digest)

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        self._gate.pass_one()
        return await self._store.delete_login(login)

    async def delete_owner(
        self, owner: str, *, keep_login: str | None = None
    ) -> tuple[Entry, ...]:
        self._gate.pass_one()
        return await self._store.delete_owner(owner, keep_login=keep_login)

    async def list_owner(self, owner: str) -> tuple[Entry, ...]:
        self._gate.pass_one()
        listed = await self._store.list_owner(owner)
        await self._linger("list_owner")
        return listed

    async def list_all(self) -> AsyncIterator[Entry]:
        self._gate.pass_one()
        async for entry in self._store.list_all():
            yield entry

    async def list_expired(self, now: datetime, *, limit: int) -> tuple[Entry, ...]:
        self._gate.pass_one()
        return await self._store.list_expired(now, limit=limit)

    async def count(self) -> int:
        self._gate.pass_one()
        return await self._store.count()

    async def ping(self) -> None:
        self._gate.pass_one()
        await self._store.ping()

    async def close(self) -> None:
        """Leave the store to whoever made it."""


class GlancingGatedStore(GatedStore):
    """A store that answers glances at once, behind a gate."""

    def __init__(self, store: SessionStore, gate: Gate) -> None:
        super().__init__(store, gate)
        assert isinstance(store, GlancingStore)
        self._glancing = store

    def begin_peeking(self) -> None:
        """Begin, as the store does."""
        self._glancing.begin_peeking()

    def peek(self, digest: Digest) -> Row | None:
        """Look, unless calls are counted: then ``load`` counts them."""
        if not self._gate.is_open:
            raise NoGlanceError
        return self._glancing.peek(digest)

    def end_peeking(self) -> None:
        """End, as the store does."""
        self._glancing.end_peeking()


class AwaitedGatedStore(GatedStore):
    """A store that is asked and tells later, behind a gate."""

    def __init__(self, store: SessionStore, gate: Gate) -> None:
        super().__init__(store, gate)
        assert isinstance(store, AwaitedStore)
        self._awaited = store

    def ask(self, questions: Sequence[Question]) -> None:
        """Ask, unless calls are counted: then ``load`` counts them."""
        if self._gate.is_open:
            self._awaited.ask(questions)
            return
        for each in questions:
            each.told(NoGlanceError(), -1)


def gated(store: SessionStore, gate: Gate) -> GatedStore:
    """Return *store* behind *gate*, with the glances that it has."""
    if isinstance(store, AwaitedStore):
        return AwaitedGatedStore(store, gate)
    if isinstance(store, GlancingStore):
        return GlancingGatedStore(store, gate)
    return GatedStore(store, gate)
