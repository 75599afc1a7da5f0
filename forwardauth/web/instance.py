"""Which configuration each worker of this instance serves, in memory that they share.

Whoever asks one worker is told about all of them: a probe comes to whichever has the
management listener.

Law: each word has one writer at a time, so no lock is needed: those of the instance are
the supervising process's, or the only one's, and each worker has a word of its own.
"""

import mmap
from datetime import UTC, datetime, timedelta
from typing import Final

_WORD_BYTES: Final = 8
_ACCEPTED, _ACCEPTED_MS, _REFUSED_MS, _REASON_BYTES, _IS_STOPPING, _FIRST = range(6)
_LONGEST_REASON_BYTES: Final = 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_NONE: Final = 0
FIRST_GENERATION: Final = 1
"""The number of the configuration that the service starts with."""


class Instance:
    """What this instance is at; made once, before its workers are forked."""

    def __init__(self, *, workers: int = 1) -> None:
        """Have no configuration yet."""
        size = (_FIRST + workers) * _WORD_BYTES
        memory = memoryview(mmap.mmap(-1, size + _LONGEST_REASON_BYTES))
        self._words = memory[:size].cast("q")
        self._reason = memory[size:]
        self._workers = workers

    def accept(self, generation: int, at: datetime) -> None:
        """Note that *generation* counts from *at* on."""
        self._words[_ACCEPTED] = generation
        self._words[_ACCEPTED_MS] = (at - _EPOCH) // _MS
        self._words[_REFUSED_MS] = _NONE

    def refuse(self, reason: str, at: datetime) -> None:
        """Note that another one was refused *at* a moment; the one before counts.

        Args:
            reason: A sentence for operators; the rest of a long one is left out.
            at: Now.
        """
        text = reason.encode()[:_LONGEST_REASON_BYTES]
        # Nobody reads a reason that is being written.
        self._words[_REFUSED_MS] = _NONE
        self._reason[: len(text)] = text
        self._words[_REASON_BYTES] = len(text)
        self._words[_REFUSED_MS] = (at - _EPOCH) // _MS

    def serve(self, worker: int, generation: int) -> None:
        """Note that *worker*, by its number from 0, serves *generation*."""
        self._words[_FIRST + worker] = generation

    def leave(self, worker: int) -> None:
        """Note that *worker* serves nothing."""
        self._words[_FIRST + worker] = _NONE

    def begin_stop(self) -> None:
        """Note that nothing new is accepted any more."""
        self._words[_IS_STOPPING] = True

    @property
    def generation(self) -> int:
        """The number of the configuration that counts."""
        return self._words[_ACCEPTED]

    @property
    def since(self) -> datetime:
        """When it was taken."""
        return _EPOCH + self._words[_ACCEPTED_MS] * _MS

    @property
    def refused(self) -> datetime | None:
        """When another one was last refused, ``None`` if none was since then."""
        refused_ms = self._words[_REFUSED_MS]
        return _EPOCH + refused_ms * _MS if refused_ms else None

    @property
    def reason(self) -> str:
        """Why; empty otherwise."""
        if self.refused is None:
            return ""
        text = bytes(self._reason[: self._words[_REASON_BYTES]])
        return text.decode("utf-8", "ignore")

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new is accepted any more."""
        return bool(self._words[_IS_STOPPING])

    @property
    def is_of_one_mind(self) -> bool:
        """Whether every worker that serves does so by the configuration that counts."""
        served = self._words[_FIRST : _FIRST + self._workers]
        return all(each in {_NONE, self.generation} for each in served)
