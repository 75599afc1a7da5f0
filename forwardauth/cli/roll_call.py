"""How the supervising process learns that its workers serve, and go on serving.

Each worker says its number over a pipe: once it serves, and from then on as often as
the watchdog of the service manager wants to hear, from the event loop that answers
requests. So a worker that hangs is noticed like one that is not there.

Law: ``READY=1`` is told when every worker has answered, and the watchdog is fed only
while all of them do. One that has died is not missed before its successor answers: it
is replaced already, and who waits to be started hangs nobody.
"""

import asyncio
import contextlib
import os
import select
import signal
import struct
import threading
import time
from datetime import timedelta
from typing import Final

from forwardauth.cli.service_manager import ServiceManager

_NUMBER: Final = struct.Struct("!I")
"""Fewer bytes than a pipe takes at once, so that two workers never mix."""

_MANY: Final = 1024


class RollCall:
    """The pipe between *count* workers and the process that speaks to *manager*."""

    def __init__(self, count: int, manager: ServiceManager) -> None:
        """Open the pipe; fork after this."""
        self._count = count
        self._manager = manager
        self._answers, self._own_answer = os.pipe()
        for end in (self._answers, self._own_answer):
            os.set_blocking(end, False)
        self._heard: dict[int, float] = {}
        self._lock = threading.Lock()

    async def answer(self, number: int) -> None:
        """Say that worker *number* serves, again and again until cancelled."""
        watchdog = self._manager.watchdog
        while True:
            # A pipe that is full has been heard of; there is a next time.
            with contextlib.suppress(BlockingIOError):
                os.write(self._own_answer, _NUMBER.pack(number))
            if watchdog is None:
                return
            await asyncio.sleep(watchdog.total_seconds() / 4)

    def excuse(self, number: int) -> None:
        """Do not miss worker *number*, which has ended, until it answers anew."""
        with self._lock:
            # What it has said before it ended is on its way perhaps.
            self._take_answers()
            self._heard.pop(number, None)

    def attend(self) -> None:
        """Listen to the workers, and tell the manager, until this process ends."""
        # Signals are for the thread that waits for the workers.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        threading.Thread(target=self._attend, name="roll call", daemon=True).start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _attend(self) -> None:
        is_ready, fed = False, 0.0
        watchdog = self._manager.watchdog
        patience = None if watchdog is None else watchdog.total_seconds() / 4
        poll = select.poll()  # Unlike select, for any number of open files.
        poll.register(self._answers, select.POLLIN)
        while True:
            poll.poll(None if patience is None else patience * 1000)
            with self._lock:
                self._take_answers()
                heard = list(self._heard.values())
            if not is_ready and len(heard) == self._count:
                is_ready = True
                self._manager.ready(f"{self._count} workers serve")
            # Once in a quarter of its time, however many workers there are.
            is_due = patience is not None and time.monotonic() - fed >= patience
            if is_ready and is_due and watchdog and _are_recent(heard, watchdog):
                fed = time.monotonic()
                self._manager.alive()

    def _take_answers(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._answers, _MANY * _NUMBER.size)
            numbers = (number for (number,) in _NUMBER.iter_unpack(data))
            self._heard.update(dict.fromkeys(numbers, time.monotonic()))


def _are_recent(heard: list[float], watchdog: timedelta) -> bool:
    now = time.monotonic()
    patience = watchdog.total_seconds() / 2
    return bool(heard) and all(now - last < patience for last in heard)
