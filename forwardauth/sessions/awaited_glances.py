"""Glances at a store on a network: many at once, each told when the answer has come.

``glances`` has what a glance is. Here nobody waits in a task: whoever asks is called
back, and the store sends what is wanted in one turn of the event loop as one message.

    lookup, lookup ─► end of the turn ─► journal ─► store ┄┄► journal ─► told, told

Laws: what is told is what ``SessionManager.lookup`` would say, of an answer that was
asked for after the request had come. The journal of promises is read before the store
is asked, because a promise that is kept meanwhile is no longer there afterwards, and
again when it has answered, because one may have been given meanwhile. Each who asks is
told once. It changes nothing anywhere, but that a use which is due will be recorded.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeAlias, runtime_checkable

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.backlog import Backlog
from forwardauth.sessions.glances import judge, note_use
from forwardauth.sessions.ids import Digest, digest_presented
from forwardauth.sessions.rows import Glance, NoGlanceError, Row
from forwardauth.sessions.touches import Touches

Found: TypeAlias = Row | NoGlanceError | StoreUnavailableError | None
"""What a store tells: ``None`` when nothing is there. ``NoGlanceError`` is for the
manager to ask again; ``StoreUnavailableError`` is an outage that was waited for."""

Seen: TypeAlias = Glance | NoGlanceError | StoreUnavailableError | None
"""What is told about a session: ``None`` when none counts; else as ``Found``."""


Told: TypeAlias = Callable[[Found, int], None]

_NO_ROUND: Final = -1
"""The round of those who are not told by the store."""


class Question(NamedTuple):
    """What a store is asked.

    Attributes:
        digest: The key.
        told: Called once, later, with what ``load`` would return. It must not raise.
            Its second argument is the same for all that are told in one go, and never
            again: who looks at something else after the answer looks once for them.
    """

    digest: Digest
    told: Told


@runtime_checkable
class AwaitedStore(Protocol):
    """A store that takes questions without a task for each."""

    def ask(self, questions: Sequence[Question]) -> None:
        """Look up what *questions* are about, from now on, and tell."""
        ...


class AwaitedGlances:
    """Glances at one store; one for each worker, beside its ``SessionManager``."""

    def __init__(
        self,
        store: AwaitedStore,
        *,
        backlog: Backlog,
        clock: Clock,
        touches: Touches,
    ) -> None:
        """Keep the parts; see ``SessionGlances``."""
        self._store = store
        self._backlog = backlog
        self._clock = clock
        self._touches = touches
        self._touch_ms = touches.interval_ms
        self._wanted: list[Question] = []
        self._round = _NO_ROUND
        self._now_ms = 0
        self._is_quiet = False

    def lookup(
        self, presented: bytes, *, domain: str, done: Callable[[Seen], None]
    ) -> bool:
        """Look for the session of the one cookie value *presented*.

        Args:
            presented: The only value of our cookie in the request.
            domain: The cookie domain that the request is for.
            done: Called once, later, and never before this returns. It must not raise.

        Returns:
            Whether *done* will be called. It is not for a value that nobody was ever
            given: no session counts, and there is nothing to ask.
        """
        digest = digest_presented(presented)
        if digest is None:
            return False
        if not self._wanted:
            asyncio.get_running_loop().call_soon(self._ask)
        told = partial(self._tell, digest, domain, done)
        self._wanted.append(Question(digest, told))
        return True

    def _ask(self) -> None:
        """Ask for all that is wanted in this turn."""
        wanted, self._wanted = self._wanted, []
        if self._backlog.is_empty():
            self._store.ask(wanted)
            return
        for each in wanted:
            each.told(NoGlanceError(), _NO_ROUND)

    def _tell(
        self,
        digest: Digest,
        domain: str,
        done: Callable[[Seen], None],
        found: Found,
        number: int,
    ) -> None:
        if number != self._round:
            self._round = number
            self._look_around()
        done(self._judge(found, digest, domain))

    def _look_around(self) -> None:
        """Look at the journal and at the clock, once for all that are told together."""
        self._is_quiet = self._backlog.is_empty()
        self._now_ms = self._clock.now_ms()

    def _judge(self, found: Found, digest: Digest, domain: str) -> Seen:
        if isinstance(found, Exception):
            return found
        if not self._is_quiet:
            return NoGlanceError()
        if found is None:
            return None
        now_ms = self._now_ms
        try:
            glance = judge(found, domain=domain, now_ms=now_ms)
            if glance is not None and now_ms - found.seen_ms >= self._touch_ms:
                note_use(self._touches, digest, found, now_ms)
        except NoGlanceError as exc:
            return exc
        return glance
