"""The outages of the session store, as the log tells them: begin, cause and end.

Requests that are refused meanwhile have their own lines, at INFO. Whoever is woken up
by a line at ERROR gets one with the cause and the remedy, not one for each request.

Law: while there is an outage the store is asked whether it is back, and only then.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Final

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.trouble import Trouble

LOOK_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class StoreOutage:
    """What one worker knows about the outage that there is, if there is one."""

    def __init__(
        self,
        store: SessionStore,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Look after *store*, and *sleep* between two looks; it takes seconds."""
        self._store = store
        self._sleep = sleep
        self._looking: asyncio.Task[None] | None = None
        self._trouble = Trouble(
            _log,
            what="the session store is unavailable, and requests are refused",
            over="the session store answers again",
        )

    def note(self, error: StoreUnavailableError) -> None:
        """Take *error* as a sign of an outage; a request was refused for it."""
        self._trouble.meet(error, remedy=error.remedy)
        if self._looking is None:
            # Of no request: its lines in the log bear no request's name.
            self._looking = asyncio.create_task(self._look(), context=Context())

    async def _look(self) -> None:
        """Ask the store now and then, until it answers as it should."""
        while True:
            await self._sleep(LOOK_SECONDS)
            with contextlib.suppress(StoreUnavailableError):
                await self._store.ping()
                break
        self._trouble.end()
        self._looking = None

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
