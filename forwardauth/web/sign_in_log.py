"""The last sign-ins of each user, right and wrong, for their account page.

Laws: nobody waits for a line of it, and none is worth an outage. Only who is in the
users file has any, and an attempt that the throttle turned away is none: strangers can
neither fill the store nor find out who exists. Failures push out failures alone: who
guesses a lot cannot hide a success.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.events import Event, EventStore
from forwardauth.sessions.model import MAX_USER_AGENT_CHARACTERS

KEPT: Final = 10
"""Events of each result that a user has."""

KEPT_FOR: Final = timedelta(days=30)

_MAX_WAITING: Final = 100
"""Lines under way at once; further ones are dropped."""

_log = logging.getLogger(__name__)


class SignInResult(StrEnum):
    """How an attempt to sign in ended."""

    SUCCESS = "success"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a result, not a password


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One attempt.

    Attributes:
        at: When, aware.
        result: How it ended.
        address: The client's; empty when it is not known.
        user_agent: The client's, as sent, cut.
    """

    at: datetime
    result: SignInResult
    address: str
    user_agent: str


class SignInLog:
    """Notes and lists sign-ins; one for each worker."""

    def __init__(self, store: EventStore | None, clock: Clock) -> None:
        """Keep where to; with ``None`` nothing is kept."""
        self._store = store
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def note(
        self, username: str, result: SignInResult, *, address: str, user_agent: str
    ) -> None:
        """Write an attempt down, a little later.

        Args:
            username: As the users file spells it.
            result: How it ended.
            address: The client's; empty when it is not known.
            user_agent: The client's, as sent.
        """
        if self._store is None or len(self._tasks) >= _MAX_WAITING:
            return
        content = [1, address, user_agent[:MAX_USER_AGENT_CHARACTERS]]
        event = Event(
            topic=_topic_of(username, result),
            at=self._clock.now(),
            record=json.dumps(content).encode(),
        )
        task = asyncio.create_task(
            _ignore_outage(
                self._store.append_event(event, keep=KEPT, lifetime=KEPT_FOR)
            )
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def list_recent(self, username: str) -> tuple[SignIn, ...]:
        """Return the last attempts on *username*, the last one first.

        Raises:
            StoreUnavailableError: The store did not answer.
        """
        if self._store is None:
            return ()
        since = self._clock.now() - KEPT_FOR
        found: list[SignIn] = []
        for result in SignInResult:
            topic = _topic_of(username, result)
            events = await self._store.list_events(topic, since=since)
            parsed = (_parse(event, result) for event in events)
            found += [each for each in parsed if each is not None]
        return tuple(sorted(found, key=lambda each: each.at, reverse=True))

    async def close(self) -> None:
        """Wait for the lines that are under way."""
        await asyncio.gather(*self._tasks)


def topics_of(username: str) -> tuple[str, ...]:
    """Return the topics that hold the attempts on *username*."""
    return tuple(_topic_of(username, result) for result in SignInResult)


def _topic_of(username: str, result: SignInResult) -> str:
    return f"{result}:{username}"


def _parse(event: Event, result: SignInResult) -> SignIn | None:
    """Return the attempt in *event*, ``None`` when a newer release wrote it."""
    try:
        _, address, user_agent, *_ = json.loads(event.record)
    except (ValueError, TypeError):
        return None
    return SignIn(
        at=event.at, result=result, address=str(address), user_agent=str(user_agent)
    )


async def _ignore_outage(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except StoreUnavailableError as exc:
        _log.debug("a sign-in is not on record: %s", exc)
    except Exception:  # noqa: BLE001 - nobody waits for it but the stop, and it logs
        _log.exception("a sign-in could not be put on record")
