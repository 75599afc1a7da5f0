"""Sessions in Redis or Valkey, for the processes of many machines.

An entry, its owner's index and its login's index lie in three places, in a cluster even
on three servers, and no transaction spans them. So laws 1 to 3 need a protocol. Every
attempt to create has a *ticket* of its own, in the session and in both rows, so that
nothing that is meant for one attempt can hit another.

create, with one answer to wait for in each step (``redis_creation`` takes them):

    1. prepare the session where ``load`` does not look; make both rows (``KEEP``)
    2. look at both rows: if one is gone or doomed, give up
    3. ``ACTIVATE``: rename what was prepared to the session, unless it is gone

delete_owner, delete_login:

    1. ``DOOM`` the rows; take the list of them
    2. ``END`` each session by its ticket, what is prepared for it as well
    3. take those rows out of the index; begin again, until there is no row to doom

Law 2. Say that a DOOM and an activation concern the same index.
- The row exists when the DOOM runs. Then END follows for this ticket. If END comes
  after the activation, it ends the session. If it comes before, nothing prepared is
  left, and the activation fails; a row that is not doomed does not help it.
- The row is made after the DOOM. Then the next DOOM of the same call finds it; if the
  call was over, the create came after it.
- The row was there and is gone, or is doomed. Then END may have come before the session
  was even prepared, which is why step 2 looks: the row was made before it looked, so it
  sees the mark or the gap, and gives up.
An index has a row for every live session: it is made before the session lives, and only
taken out when END has run for its ticket. A row lives longer than its session, because
``touch`` prolongs the rows first.

Failures. Doomed rows stay until their sessions are gone, so a ``delete_owner`` that was
cut short is completed by calling it again. A ``create`` that was cut short leaves what
was prepared, which no ``load`` finds and which expires within a minute; if only the
last answer was lost the session is whole, and ends as any other.

Law 1. ``touch`` runs, for each session of the login, a script that changes nothing but
a session with the ticket it read.

What the server must grant: ``maxmemory-policy noeviction``, since an index that was
evicted finds nothing to end; ``appendonly yes``, since after a restart a snapshot
brings back what was ended meanwhile. A failover forgets what the replica had not heard
of yet, as ever with Redis: ``redis_replicas`` waits for replicas where the address asks
for it, and ``sessions.recent_ends`` ends again what came back all the same.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, TypeVar

from forwardauth.attempts.limits import Rules
from forwardauth.attempts.store import Attempt, Result
from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import Question
from forwardauth.sessions.bulk import Creation
from forwardauth.sessions.events import Event
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms, to_ms
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores import redis_scripts as scripts
from forwardauth.sessions.stores.redis_attempts import RedisAttempts
from forwardauth.sessions.stores.redis_batch import RedisBatches
from forwardauth.sessions.stores.redis_client import RedisClient
from forwardauth.sessions.stores.redis_creation import ROW_GRACE_MS, RedisCreation
from forwardauth.sessions.stores.redis_keys import (
    FIELDS,
    TAGS,
    Kept,
    RedisKeys,
    Row,
    create_ticket,
    parse_fields,
    split_row,
)
from forwardauth.sessions.stores.redis_replicas import wait_for_replicas
from forwardauth.sessions.stores.redis_url import RedisUrl
from forwardauth.sessions.waiting import gather_all

_GRACE_MS: Final = 5 * 60_000
"""A session is kept so long after it expired, for whoever asks why it ended."""

_TAGS_AT_ONCE: Final = 32
_ENDS_AT_ONCE: Final = 32
_PAGE: Final = 500
_MAX_PASSES: Final = 16

_T = TypeVar("_T")


class RedisStore:
    """A ``SessionStore`` in one Redis, behind sentinels, or in a cluster."""

    def __init__(self, url: RedisUrl, clock: Clock) -> None:
        """Keep where to go; the first call connects.

        Args:
            url: Servers, credentials, prefix and limits.
            clock: The one that entries get their times from; see ``_ttl_ms``.
        """
        self._client = RedisClient(url)
        self._keys = RedisKeys(url.prefix)
        self._batches = RedisBatches(self._client, self._keys)
        self._clock = clock
        self._creation = RedisCreation(self._client, self._keys, self._ttl_ms)
        self._attempts = RedisAttempts(self._client, url.prefix)

    async def create(self, entry: Entry) -> bool:
        """Add *entry* in the three steps that the module describes."""
        (creation,) = await self._creation.create_all([entry])
        if creation is Creation.IN_USE:
            raise ValueError("the digest is in use")
        return creation is Creation.MADE

    async def create_all(self, entries: Sequence[Entry]) -> tuple[Creation, ...]:
        """Add *entries*, each step for all of them; see ``BulkStore``."""
        return await self._creation.create_all(entries)

    async def load(self, digest: Digest) -> Entry | None:
        """Return the entry, or ``None``, with one command."""
        kept = await self._read(digest)
        return None if kept is None else kept.entry

    def ask(self, questions: Sequence[Question]) -> None:
        """Look up what *questions* are about; see ``AwaitedStore``."""
        self._batches.ask(questions)

    async def load_all(self, digests: Sequence[Digest]) -> tuple[Entry, ...]:
        """Return the entries of *digests* that are there; see ``ReplicatedStore``."""
        return tuple(kept.entry for kept in await self._read_all(digests))

    async def confirm(self) -> None:
        """Return when as many replicas as the address wants have all; likewise."""
        await wait_for_replicas(self._client, self._keys)

    def tell_faults(self, told: Callable[[], None]) -> None:
        """Call *told*, and nobody else, when a command has failed; likewise."""
        self._client.on_fault = told

    async def touch(self, digest: Digest, *, seen: datetime, expires: datetime) -> bool:
        """Move the times of an entry's login forward, each with its own ticket.

        The touched one comes last: while an outage leaves it unmoved, its next use
        moves the login again.
        """
        kept = await self._read(digest)
        if kept is None:
            return False
        index = self._keys.login(kept.entry.login)
        members = await self._client.run("ZRANGE", index, 0, -1)
        rows = {split_row(member) for member in members}
        others = [each for each, _ in rows if each != digest]
        linked = await self._read_all(others)
        linked = [each for each in linked if (each.entry.digest, each.ticket) in rows]
        moved = await gather_all(
            *(self._touch(each, seen=seen, expires=expires) for each in linked)
        )
        return await self._touch(kept, seen=seen, expires=expires) or any(moved)

    async def _touch(self, kept: Kept, *, seen: datetime, expires: datetime) -> bool:
        """Move the times of one session, and its rows' before."""
        digest = kept.entry.digest
        if not to_ms(kept.entry.seen) < to_ms(seen) < to_ms(kept.entry.expires):
            return False
        ttl_ms = self._ttl_ms(expires)
        rows = self._keys.rows(kept)
        if not all(await gather_all(*(self._keep(row, ttl_ms) for row in rows))):
            # Ended meanwhile; or the index was lost, and then the session must not
            # outlive its time, because nobody could end it by its owner.
            return False
        changed = await self._client.call(
            scripts.TOUCH,
            self._places(digest),
            [kept.ticket, digest, to_ms(seen), to_ms(expires), ttl_ms],
            is_repeatable=False,
        )
        return bool(changed)

    async def delete(self, digest: Digest) -> Entry | None:
        """End one entry; it is gone before its rows are taken out."""
        kept = await self._end(digest)
        if kept is None:
            return None
        with suppress(StoreUnavailableError):
            # The session has ended, and that is the answer; a row that is left leads
            # nowhere and goes with its time.
            await self._take_out(self._keys.rows(kept))
        return kept.entry

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        """End every entry of one login."""
        return await self._end_all(self._keys.login(login))

    async def delete_owner(
        self, owner: str, *, keep_login: str | None = None
    ) -> tuple[Entry, ...]:
        """End every entry of *owner* but those of *keep_login*.

        The rows of an owner name the login, so DOOM spares those to keep by itself.
        """
        keep = () if keep_login is None else (keep_login,)
        return await self._end_all(self._keys.owner(owner), keep)

    async def list_owner(self, owner: str) -> tuple[Entry, ...]:
        """Return the entries of *owner*, the last used first."""
        members = await self._client.run("ZRANGE", self._keys.owner(owner), 0, -1)
        rows = {split_row(member) for member in members}
        kept = await self._read_all([digest for digest, _ in rows])
        entries = [
            each.entry for each in kept if (each.entry.digest, each.ticket) in rows
        ]
        return tuple(sorted(entries, key=attrgetter("seen"), reverse=True))

    async def list_all(self) -> AsyncIterator[Entry]:
        """Yield every entry, tag by tag.

        The expiries name every digest; SCAN would walk through the keys of all other
        programs in the same database.
        """
        for tag in TAGS:
            key, cursor, is_more = self._keys.expiries_of_tag(tag), 0, True
            while is_more:
                cursor, scored = await self._client.run(
                    "ZSCAN", key, cursor, "COUNT", _PAGE
                )
                for kept in await self._read_all([Digest(row) for row, _ in scored]):
                    yield kept.entry
                is_more = cursor != 0

    async def list_expired(self, now: datetime, *, limit: int) -> tuple[Entry, ...]:
        """Return up to *limit* expired entries, and forget those long gone."""
        found: list[Entry] = []
        for tags in _pages(TAGS, _TAGS_AT_ONCE):
            wanted = limit - len(found)
            some = (*("-inf", to_ms(now)), *("LIMIT", 0, wanted))
            answers = await self._client.run_all(
                [
                    ("ZRANGEBYSCORE", self._keys.expiries_of_tag(tag), *some)
                    for tag in tags
                ]
            )
            digests = [Digest(row) for rows in answers for row in rows][:wanted]
            kept = [each.entry for each in await self._read_all(digests)]
            for digest in set(digests) - {entry.digest for entry in kept}:
                await self._client.call(scripts.FORGET, self._places(digest), [digest])
            found += kept
        return tuple(found)

    async def append_event(
        self, event: Event, *, keep: int, lifetime: timedelta
    ) -> None:
        """Add an event to its list, with one script on one key."""
        # With its time in front, so that a repeated call is known by its record.
        row = to_ms(event.at).to_bytes(8) + event.record
        ttl_ms = lifetime // timedelta(milliseconds=1)
        key = self._keys.events(event.topic)
        await self._client.call(scripts.APPEND, [key], [row, keep, ttl_ms])

    async def list_events(self, topic: str, *, since: datetime) -> tuple[Event, ...]:
        """Return the events of *topic*, the last first."""
        rows = await self._client.run("LRANGE", self._keys.events(topic), 0, -1)
        found = (
            Event(topic=topic, at=from_ms(int.from_bytes(row[:8])), record=row[8:])
            for row in rows
        )
        return tuple(event for event in found if event.at >= since)

    async def admit_attempt(self, attempt: Attempt, rules: Rules, now_ms: int) -> int:
        """Let *attempt* in, or say how long it has to wait."""
        return await self._attempts.admit_attempt(attempt, rules, now_ms)

    async def settle_attempt(
        self, attempt: Attempt, result: Result, rules: Rules, now_ms: int
    ) -> None:
        """Say what became of *attempt*."""
        await self._attempts.settle_attempt(attempt, result, rules, now_ms)

    async def count(self) -> int:
        """Return how many entries are kept, of those not yet dropped by their time."""
        dropped = to_ms(self._clock.now()) - _GRACE_MS
        commands = [
            ("ZCOUNT", self._keys.expiries_of_tag(tag), dropped, "+inf") for tag in TAGS
        ]
        return sum(await self._client.run_all(commands))

    async def ping(self) -> None:
        """Write and read one key on every primary that holds sessions."""
        keys = await self._client.spread([self._keys.ping_of_tag(tag) for tag in TAGS])
        await gather_all(*(self._client.call(scripts.PING, [key], []) for key in keys))

    async def close(self) -> None:
        """Close every connection."""
        await self._batches.close()
        await self._client.close()

    async def _end_all(self, index: str, keep: Sequence[str] = ()) -> tuple[Entry, ...]:
        """End the sessions of an index, again for those that were made meanwhile."""
        ended: list[Entry] = []
        for _ in range(_MAX_PASSES):
            members = await self._client.call(scripts.DOOM, [index], keep)
            if not members:
                break
            for some in _pages(members, _ENDS_AT_ONCE):
                found = await gather_all(*(self._end(*split_row(row)) for row in some))
                await self._client.run("ZREM", index, *some)
                kept = [each for each in found if each is not None]
                ended += [each.entry for each in kept]
                with suppress(StoreUnavailableError):
                    # The rows in the other index lead nowhere any more.
                    rows = (self._keys.rows(each) for each in kept)
                    await self._take_out([row for pair in rows for row in pair])
        return tuple(ended)

    async def _end(self, digest: Digest, ticket: bytes = b"") -> Kept | None:
        """End one session, or only what the attempt with *ticket* made of it."""
        claimed = self._keys.claimed(digest, create_ticket())
        prepared = self._keys.prepared(digest, ticket)
        values = await self._client.call(
            scripts.END, [*self._places(digest), claimed, prepared], [digest, ticket]
        )
        # Before anybody is told of the end: an answer that was on the way then may say
        # that the session lives.
        self._batches.refuse(digest)
        return None if values is None else parse_fields(digest, values)

    async def _keep(self, row: Row, ttl_ms: int) -> Any:
        return await self._client.call(
            scripts.KEEP, [row.key], [row.member, ttl_ms + ROW_GRACE_MS]
        )

    async def _take_out(self, rows: Iterable[Row]) -> None:
        await gather_all(
            *(self._client.run("ZREM", row.key, row.member) for row in rows)
        )

    async def _read(self, digest: Digest) -> Kept | None:
        return parse_fields(digest, await self._client.run(*self._reading(digest)))

    async def _read_all(self, digests: Sequence[Digest]) -> list[Kept]:
        """Return those of *digests* that lead to a session."""
        found: list[Kept | None] = []
        for page in _pages(digests, _PAGE):
            answers = await self._client.run_all([self._reading(each) for each in page])
            found += map(parse_fields, page, answers)
        return [each for each in found if each is not None]

    def _reading(self, digest: Digest) -> tuple[str, ...]:
        return ("HMGET", self._keys.session(digest), *FIELDS)

    def _places(self, digest: Digest) -> tuple[str, str]:
        return self._keys.session(digest), self._keys.expiries(digest)

    def _ttl_ms(self, expires: datetime) -> int:
        """Return how long from now the session's key is kept.

        The difference of two times of our own clock, because the server's may differ.
        """
        return max(to_ms(expires) - to_ms(self._clock.now()), 0) + _GRACE_MS


def _pages(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
