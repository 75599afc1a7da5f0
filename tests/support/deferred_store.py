"""A store that answers questions when a test says so, as one on a network may."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count

from forwardauth.sessions.awaited_glances import Found, Question, Told
from tests.support.stores import DownStore


class DeferredStore(DownStore):
    """Memory, an ``AwaitedStore`` too.

    Attributes:
        is_held: Whether answers wait for ``answer``; they come by themselves otherwise.
        fault: Told instead of what is there.
        asked: How many questions there were.
        batches: How many of them came together, each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_held = False
        self.fault: Callable[[], Found] | None = None
        self.asked = 0
        self.batches: list[int] = []
        self._waiting: list[tuple[Told, Found]] = []
        self._rounds = count()

    def ask(self, questions: Sequence[Question]) -> None:
        """Look now, and tell later: what is told may be old by then."""
        self.batches.append(len(questions))
        for digest, told in questions:
            self.asked += 1
            found = self.peek(digest) if self.fault is None else self.fault()
            self._waiting.append((told, found))
        if not self.is_held:
            asyncio.get_running_loop().call_soon(self.answer)

    def answer(self) -> None:
        """Tell everybody who waits, in one go."""
        waiting, self._waiting = self._waiting, []
        number = next(self._rounds)
        for told, found in waiting:
            told(found, number)
