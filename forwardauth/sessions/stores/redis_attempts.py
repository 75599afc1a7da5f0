"""Attempts to sign in, counted by all machines on one Redis or Valkey.

    PREFIX:{throttle}:TABLE      hash: key -> failures, dripped, until
    PREFIX:{throttle}:TABLE:x    sorted set: keys by when nothing is left of them
    PREFIX:{throttle}:known      hash: account -> its addresses, packed
    PREFIX:{throttle}:known:x    sorted set: accounts by their last sign-in

All lie in one slot, so that one script can judge account and address together; few
attempts get past the hash of a password, and each takes a few steps here.

Laws: the time is that of the server. No two clocks are compared, and an instance whose
clock runs ahead makes nobody forget a failure. Sent twice because its connection was
dead, an attempt may count twice; nothing is ever taken back twice.
"""

from collections.abc import Sequence
from typing import Final

from forwardauth.attempts.limits import Rules
from forwardauth.attempts.store import Attempt, Result, Table
from forwardauth.clock import Clock
from forwardauth.sessions.model import to_ms
from forwardauth.sessions.stores.redis_attempt_scripts import ADMIT, SETTLE
from forwardauth.sessions.stores.redis_client import RedisClient

_TABLES: Final = (Table.ACCOUNT, Table.ADDRESS, Table.OWN)


class RedisAttempts:
    """The ``AttemptStore`` of a Redis store."""

    def __init__(
        self, client: RedisClient, prefix: str, clock: Clock | None = None
    ) -> None:
        """Keep the parts.

        Args:
            client: Shared with the sessions.
            prefix: Of all keys.
            clock: In place of the server's, for a test that has to go through days.
        """
        self._client = client
        self._clock = clock
        self._keys = [
            f"{prefix}:{{throttle}}:{name}{end}"
            for name in (*_TABLES, "known")
            for end in ("", ":x")
        ]

    async def admit_attempt(self, attempt: Attempt, rules: Rules, now_ms: int) -> int:
        """Let *attempt* in, or say how long it has to wait."""
        del now_ms
        wait: int = await self._client.call(
            ADMIT, self._keys, self._arguments(attempt, rules)
        )
        return wait

    async def settle_attempt(
        self, attempt: Attempt, result: Result, rules: Rules, now_ms: int
    ) -> None:
        """Say what became of *attempt*."""
        del now_ms
        await self._client.call(
            SETTLE,
            self._keys,
            [*self._arguments(attempt, rules), result.value],
            is_repeatable=False,
        )

    def _arguments(self, attempt: Attempt, rules: Rules) -> Sequence[bytes | str | int]:
        limits = (table.limit(rules) for table in _TABLES)
        return [
            "" if self._clock is None else to_ms(self._clock.now()),
            rules.capacity,
            rules.known_for_ms,
            rules.addresses,
            attempt.account,
            attempt.address or b"",
            attempt.own or b"",
            *(
                number
                for limit in limits
                for number in (
                    limit.free,
                    limit.interval_ms,
                    limit.wait_after_ms(limit.free + 1),
                    limit.wait_after_ms(limit.most),
                    limit.most,
                )
            ),
        ]
