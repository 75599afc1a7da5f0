"""The short way on a store that does not answer at once.

    lines ─► question ─► wanted ┄┄► found ─► decision ─► bytes

Laws: those of ``short_way``. What the store has told is judged when it has come: the
user, the rules and the journal are those of that moment. A store that did not answer in
time is told as the normal way tells it, and nobody is asked a second time for it.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from forwardauth.adapters.base import Unavailable
from forwardauth.errors import StoreUnavailableError, UnfitIdentityError
from forwardauth.sessions.awaited_glances import AwaitedGlances, Seen
from forwardauth.sessions.rows import NoGlanceError
from forwardauth.web.answer_bytes import AnswerBytes
from forwardauth.web.metrics import VERIFICATIONS
from forwardauth.web.reading import Reading
from forwardauth.web.short_way import Parts, ShortWay
from forwardauth.web.verify_log import log_verdict

NOT_YET: Final = b""
"""What is sent while the store is asked."""

Take: TypeAlias = Callable[["AwaitedWay", Reading, bytes, Seen], None]
"""Takes what the store says about a request, with which ``find`` has the answer."""


class AwaitedWay(ShortWay):
    """Answers as ``ShortWay`` does, later where the store is asked."""

    def __init__(self, parts: Parts, glances: AwaitedGlances) -> None:
        """Keep *parts*."""
        super().__init__(parts, None)
        self._awaited = glances
        self._unavailable = {
            each: AnswerBytes(each.answer(Unavailable())) for each in parts.adapters
        }

    def ask(self, data: bytes, peer: str, take: Take) -> bytes | None:
        """Return the answer to a request, or ``None`` for the normal way to answer.

        Args:
            data: What has come on a connection on which nothing was under way.
            peer: The address of who is connected: a trusted proxy.
            take: Called once, later, if ``NOT_YET`` is returned, and only then. It must
                not raise; ``find`` may.
        """
        read = self._readings.read(data, peer)
        if read is None:
            return None
        reading, cookie = read
        try:
            presented = self._find_session(cookie)
        except NoGlanceError:
            return None
        if presented is None or not self._awaited.lookup(
            presented, domain=reading.domain, done=partial(take, self, reading, data)
        ):
            return self._conclude(reading, self._nobody[reading.adapter], data)
        return NOT_YET

    def find(self, reading: Reading, data: bytes, seen: Seen) -> bytes | None:
        """Return the answer to *data*, or ``None`` for the normal way to answer.

        Args:
            reading: What *data* asks.
            data: Asked about before.
            seen: What the store has said.
        """
        if isinstance(seen, StoreUnavailableError):
            return self._refuse(reading, data)
        if isinstance(seen, NoGlanceError):
            return None
        try:
            person = self._recognize(seen, reading.adapter)
        except (NoGlanceError, UnfitIdentityError):
            return None
        return self._conclude(reading, person, data)

    def _refuse(self, reading: Reading, data: bytes) -> bytes:
        """Return the answer of a store that is out of reach: fail closed."""
        adapter = reading.adapter
        self._metrics.count(VERIFICATIONS, adapter.name, "refused")
        log_verdict(
            adapter.name,
            "refused",
            reading.question.original,
            reason="store_unavailable",
            request_id=partial(self._settings.request_ids.find, data),
        )
        return self._unavailable[adapter].now()
