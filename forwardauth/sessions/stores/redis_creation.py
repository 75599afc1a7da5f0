"""How sessions are made in Redis, one or many at once; ``redis`` has the protocol.

Each of its three steps goes out as one message, for as many sessions as there are: a
step begins when the one before it has been answered for all of them, which is what the
protocol asks for each of them. Between sessions nothing is promised.

Law: a session that is not made takes none along. Whose rows are gone or doomed gives up
alone, and so does one whose digest is in use.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.bulk import Creation
from forwardauth.sessions.model import to_ms
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores import redis_scripts as scripts
from forwardauth.sessions.stores.redis_client import Call, RedisClient
from forwardauth.sessions.stores.redis_keys import (
    Kept,
    RedisKeys,
    Row,
    create_ticket,
    dump_fields,
)

AT_ONCE: Final = 64
"""Sessions in one message: a mebibyte at most, and some milliseconds of the server."""

ROW_GRACE_MS: Final = 60 * 60_000
"""A row is kept longer than its session, however long a touch may take."""

_STATES: Final = {1: Creation.MADE, 0: Creation.OVERTAKEN, -1: Creation.IN_USE}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One session that is about to be made."""

    kept: Kept
    prepared: str
    rows: tuple[Row, Row]
    ttl_ms: int


class RedisCreation:
    """Makes sessions in the servers of one client."""

    def __init__(
        self, client: RedisClient, keys: RedisKeys, ttl_ms: Callable[[datetime], int]
    ) -> None:
        """Keep the way there.

        Args:
            client: Sends.
            keys: Names everything.
            ttl_ms: How long from now a session that ends then is kept.
        """
        self._client = client
        self._keys = keys
        self._ttl_ms = ttl_ms

    async def create_all(self, entries: Sequence[Entry]) -> tuple[Creation, ...]:
        """Make *entries*, and return what became of each; see ``BulkStore``."""
        made: list[Creation] = []
        for start in range(0, len(entries), AT_ONCE):
            made += await self._create(entries[start : start + AT_ONCE])
        return tuple(made)

    async def _create(self, entries: Sequence[Entry]) -> list[Creation]:
        attempts = [self._begin(entry) for entry in entries]
        await self._client.call_all([c for a in attempts for c in self._first(a)])
        standing = await self._list_standing(attempts)
        answers = await self._client.call_all([self._last(each) for each in standing])
        states = dict(zip(map(id, standing), answers, strict=True))
        found = [_STATES[states.get(id(each), 0)] for each in attempts]
        lost = [a for a, f in zip(attempts, found, strict=True) if f != Creation.MADE]
        if lost:
            with suppress(StoreUnavailableError):
                # Nobody finds what is left, and it expires; this is but sooner.
                await self._client.run_all(
                    [command for each in lost for command in _clear(each)]
                )
        return found

    def _begin(self, entry: Entry) -> _Attempt:
        kept = Kept(entry=entry, ticket=create_ticket())
        return _Attempt(
            kept=kept,
            prepared=self._keys.prepared(entry.digest, kept.ticket),
            rows=self._keys.rows(kept),
            ttl_ms=self._ttl_ms(entry.expires),
        )

    def _first(self, attempt: _Attempt) -> Iterator[Call]:
        """Yield what prepares the session and makes its rows."""
        yield scripts.PREPARE, [attempt.prepared], dump_fields(attempt.kept)
        for row in attempt.rows:
            ttl_ms = attempt.ttl_ms + ROW_GRACE_MS
            yield scripts.KEEP, [row.key], [row.member, ttl_ms, "add"]

    async def _list_standing(self, attempts: Sequence[_Attempt]) -> list[_Attempt]:
        """Return those of which both rows are there, and none is doomed."""
        rows = [row for each in attempts for row in each.rows]
        commands = [("ZSCORE", row.key, row.member) for row in rows]
        scores = iter(await self._client.run_all(commands))
        found: list[_Attempt] = []
        for each in attempts:
            both = [next(scores) for _ in each.rows]
            if all(score is not None and float(score) > 0 for score in both):
                found.append(each)
        return found

    def _last(self, attempt: _Attempt) -> Call:
        """Return what lets the session live."""
        entry = attempt.kept.entry
        places = [self._keys.session(entry.digest), self._keys.expiries(entry.digest)]
        return (
            scripts.ACTIVATE,
            [attempt.prepared, *places],
            [
                *(attempt.kept.ticket, entry.digest),
                *(to_ms(entry.expires), attempt.ttl_ms),
            ],
        )


def _clear(attempt: _Attempt) -> Iterator[tuple[str | bytes, ...]]:
    yield "DEL", attempt.prepared
    for row in attempt.rows:
        yield "ZREM", row.key, row.member
