"""What has to be done for sessions although nobody asks: sweeping, and old promises.

Law: an outage or a fault of one round never ends the loop.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.revoker import SessionRevoker

_ROUND_SECONDS: Final = 1.0
_LONGEST_WAIT_SECONDS: Final = 30.0
_ROUNDS_PER_SWEEP: Final = 60

_log = logging.getLogger(__name__)


class Housekeeper:
    """Retries pending revocations and ends expired sessions; one in each worker."""

    def __init__(
        self,
        revoker: SessionRevoker,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Work through *revoker*, and *sleep* in between; it takes seconds."""
        self._revoker = revoker
        self._sleep = sleep
        self._wait_seconds = _ROUND_SECONDS

    async def run(self) -> None:
        """Work until cancelled; the first round is at once, for what a crash left."""
        rounds = 0
        while True:
            await self.retry()
            if rounds % _ROUNDS_PER_SWEEP == 0:
                await self.sweep()
            rounds += 1
            await self._sleep(self._wait_seconds)

    async def retry(self) -> float:
        """Carry out what is pending; return the seconds until the next attempt.

        They double up to half a minute while the store does not answer.
        """
        is_left = True
        try:
            is_left = await self._revoker.retry_pending()
        except StoreUnavailableError as exc:
            _log.warning("cannot carry out pending revocations: %s", exc)
        except Exception:  # noqa: BLE001 - the loop has to go on, and it logs
            _log.exception("cannot carry out pending revocations")
        if is_left:
            self._wait_seconds = min(2 * self._wait_seconds, _LONGEST_WAIT_SECONDS)
        else:
            self._wait_seconds = _ROUND_SECONDS
        return self._wait_seconds

    async def sweep(self) -> None:
        """End what has expired, in batches, until none is left."""
        try:
            while await self._revoker.sweep():
                pass
        except StoreUnavailableError as exc:
            _log.warning("cannot sweep expired sessions: %s", exc)
        except Exception:  # noqa: BLE001 - the loop has to go on, and it logs
            _log.exception("cannot sweep expired sessions")
