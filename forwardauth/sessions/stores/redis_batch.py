"""Look-ups that are wanted together, sent to Redis together.

    questions ─► one message to each server ┄┄► told

A look-up that is sent by itself costs many times what it costs among others: a system
call, a wake-up, redis-py's layers. Under load many are wanted in each turn; when there
is one alone, it goes as soon.

Laws: a command is sent after who asks has asked, and at once. Where there is no lane to
the server that has the session, or it fails, who asks is told to ask as everybody does,
so trouble is met, told and mended in one place, ``redis_client``. Nothing is read from
a replica, nor from a primary that was replaced and known to be.
"""

import asyncio
from binascii import hexlify
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import Question
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.rows import NoGlanceError
from forwardauth.sessions.stores.known_replies import KnownReplies
from forwardauth.sessions.stores.redis_client import Place, RedisClient
from forwardauth.sessions.stores.redis_keys import (
    DIGEST_BYTES,
    ROW_FIELDS,
    RedisKeys,
)
from forwardauth.sessions.stores.redis_lane import Lane

PAUSE_SECONDS: Final = 1.0
"""From one attempt to make a lane that failed to the next one."""


class RedisBatches:
    """Sends look-ups, and has a lane to each server."""

    def __init__(self, client: RedisClient, keys: RedisKeys) -> None:
        """Open nothing; the first look-up does, and is answered another way."""
        self._client = client
        self._keys = keys
        self._known = KnownReplies()
        self._heads, self._tail = _frame(keys)
        self._lanes: dict[Place, Lane] = {}
        self._left: list[Lane] = []
        """Those on which nothing more is asked, but answers may be on their way."""
        self._opening: dict[Place | None, asyncio.Task[None]] = {}
        self._pauses: dict[Place | None, float] = {}
        self._rounds: Iterator[int] = count()

    def ask(self, questions: Sequence[Question]) -> None:
        """Send *questions*, to each server what it has; see ``AwaitedStore``."""
        for place, some in self._by_place(questions).items():
            lane = None if place is None else self._lanes.get(place)
            if lane is not None and lane.is_open:
                lane.ask(some, self._commands(some))
            else:
                self._open_later(place, self._keys.session(some[0].digest))
                asyncio.get_running_loop().call_soon(self._send_away, some)

    def _send_away(self, questions: Sequence[Question]) -> None:
        number = next(self._rounds)
        for each in questions:
            each.told(NoGlanceError(), number)

    def _by_place(
        self, questions: Sequence[Question]
    ) -> Mapping[Place | None, Sequence[Question]]:
        lookup = self._client.lookup_place
        if not self._client.is_spread:
            return {lookup(self._keys.session(questions[0].digest)): questions}
        found: dict[Place | None, list[Question]] = {}
        for each in questions:
            place = lookup(self._keys.session(each.digest))
            found.setdefault(place, []).append(each)
        return found

    def _commands(self, questions: Iterable[Question]) -> bytes:
        """Return the commands that look up what *questions* are about."""
        heads, tail = self._heads, self._tail
        return b"".join(
            [heads[digest[0]] + hexlify(digest) + tail for digest, _ in questions]
        )

    def refuse(self, digest: Digest) -> None:
        """Tell who waits for *digest* to ask again: it has been ended meanwhile.

        The answer may have been on its way before that.
        """
        for lane in (*self._lanes.values(), *self._left):
            lane.refuse(digest)

    async def close(self) -> None:
        """End every lane; who waits is told to ask as everybody does."""
        tasks = list(self._opening.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        lanes = [*self._lanes.values(), *self._left]
        self._lanes, self._left = {}, []
        for lane in lanes:
            await lane.aclose()

    def _open_later(self, place: Place | None, key: str) -> None:
        """Make a lane to the server that has *key*, while others are asked."""
        now = asyncio.get_running_loop().time()
        if place not in self._opening and now >= self._pauses.get(place, 0.0):
            task = asyncio.create_task(self._open(place, key))
            self._opening[place] = task
            task.add_done_callback(lambda _: self._opening.pop(place, None))

    async def _open(self, wanted: Place | None, key: str) -> None:
        try:
            place, connection = await self._client.open_connection(key)
        except StoreUnavailableError:
            now = asyncio.get_running_loop().time()
            self._pauses[wanted] = now + PAUSE_SECONDS
            return
        self._pauses.clear()
        self._left = [each for each in self._left if each.has_asked]
        for known in [*self._lanes]:
            if known == place or not self._stand_together(known, place):
                self._left.append(self._lanes.pop(known))
                self._left[-1].close()
        self._lanes[place] = Lane(
            connection,
            spot=self._known.spot,
            parse=self._known.read,
            rounds=self._rounds,
            timeout_seconds=self._client.timeout_seconds,
        )

    def _stand_together(self, one: Place, other: Place) -> bool:
        return self._client.is_spread and one.term == other.term


def _frame(keys: RedisKeys) -> tuple[tuple[bytes, ...], bytes]:
    """Return what stands around a digest in the command of a look-up.

    Source: RESP, arrays of bulk strings. All keys of sessions have the same length.

    Returns:
        Before it, by its first byte; and after it.
    """
    length = len(keys.session(Digest(bytes(DIGEST_BYTES))))
    start = f"*{2 + len(ROW_FIELDS)}\r\n$5\r\nHMGET\r\n${length}\r\n"
    fields = "".join(f"\r\n${len(name)}\r\n{name}" for name in ROW_FIELDS)
    heads = [f"{start}{head}".encode("ascii") for head in keys.session_heads()]
    return tuple(heads), f"{fields}\r\n".encode("ascii")
