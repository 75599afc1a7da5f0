"""What waits to be told to one application: bounded, and each login once.

Laws: adding never waits and never fails; what does not fit pushes out the oldest. Ends
of one login that wait together are one notice, which is sent after all of them.
"""

import asyncio
import contextlib
import heapq
import itertools
from collections import OrderedDict
from dataclasses import dataclass, replace

from forwardauth.web.logout_tokens import EndedLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One login that has ended, on its way to one application.

    Attributes:
        login: What there is to tell.
        failures: Attempts that have failed.
    """

    login: EndedLogin
    failures: int = 0


class NoticeQueue:
    """Hands out notices, the first that is due first."""

    def __init__(self, capacity: int) -> None:
        """Hold at most *capacity* notices, those that wait for a retry included."""
        self._capacity = capacity
        self._waiting: OrderedDict[str, Notice] = OrderedDict()
        self._schedule: list[tuple[float, int, Notice]] = []
        self._numbers = itertools.count()
        self._changed = asyncio.Event()
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many notices wait."""
        return len(self._waiting)

    def add(self, login: EndedLogin) -> Notice | None:
        """Add an end, which is due at once; return what was pushed out by it."""
        # The newer end of the same login covers the one before it.
        self._waiting.pop(login.login_id, None)
        notice = Notice(login=login)
        self._waiting[login.login_id] = notice
        self._put(notice, delay_seconds=0.0)
        if len(self._waiting) <= self._capacity:
            return None
        _, dropped = self._waiting.popitem(last=False)
        return dropped

    def put_back(self, notice: Notice, *, delay_seconds: float) -> Notice | None:
        """Keep *notice* for a retry; return it when there is no room for it.

        It was there before all others, so it is the first to go.
        """
        if notice.login.login_id in self._waiting:
            return None
        if len(self._waiting) >= self._capacity:
            return notice
        failed = replace(notice, failures=notice.failures + 1)
        self._waiting[notice.login.login_id] = failed
        self._waiting.move_to_end(notice.login.login_id, last=False)
        self._put(failed, delay_seconds=delay_seconds)
        return None

    async def take(self) -> Notice | None:
        """Wait until a notice is due and return it; ``None`` at the end.

        Once the queue is closed nothing is waited for, retries included.
        """
        now = asyncio.get_running_loop().time
        while True:
            while self._schedule and not self._is_current(self._schedule[0][2]):
                heapq.heappop(self._schedule)
            delay = self._schedule[0][0] - now() if self._schedule else None
            if delay is not None and (delay <= 0 or self._is_closed):
                _, _, notice = heapq.heappop(self._schedule)
                return self._waiting.pop(notice.login.login_id)
            if self._is_closed:
                return None
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._changed.wait()

    def close(self) -> None:
        """Let ``take`` hand out what is left, and then ``None``."""
        self._is_closed = True
        self._changed.set()

    def clear(self) -> list[Notice]:
        """Forget what waits, and return it."""
        left = list(self._waiting.values())
        self._waiting.clear()
        self._schedule.clear()
        return left

    def _is_current(self, notice: Notice) -> bool:
        """Whether *notice* still waits: not dropped, nor covered by a newer one."""
        return self._waiting.get(notice.login.login_id) is notice

    def _put(self, notice: Notice, *, delay_seconds: float) -> None:
        due = delay_seconds + asyncio.get_running_loop().time()
        heapq.heappush(self._schedule, (due, next(self._numbers), notice))
        if len(self._schedule) > 2 * self._capacity:
            self._schedule = [e for e in self._schedule if self._is_current(e[2])]
            heapq.heapify(self._schedule)
        self._changed.set()
