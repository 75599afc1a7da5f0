"""Guessing is slowed down, the owner is not locked out: in the memory of a process."""

import logging

import pytest

from forwardauth.attempts.limits import Rules
from forwardauth.attempts.memory import MemoryAttempts
from forwardauth.attempts.store import Attempt, AttemptStore, Result
from forwardauth.errors import StoreUnavailableError
from forwardauth.users.throttle import LoginThrottle
from tests.support.clock import FakeClock
from tests.unit.users.throttle_contract import AWAY, KEY, ThrottleContract


class TestThrottleInMemory(ThrottleContract):
    """The contract, kept by one process."""

    DAYS = 3

    @pytest.fixture
    def attempts(self) -> AttemptStore:
        """Nobody has tried yet."""
        return MemoryAttempts()


class DownAttempts:
    """An ``AttemptStore`` that does not answer, but for what it is told to let in."""

    def __init__(self, *, lets_in: bool) -> None:
        self._lets_in = lets_in

    async def admit_attempt(self, attempt: Attempt, rules: Rules, now_ms: int) -> int:
        """Let it in, or be down."""
        del attempt, rules, now_ms
        if not self._lets_in:
            raise StoreUnavailableError("down")
        return 0

    async def settle_attempt(
        self, attempt: Attempt, result: Result, rules: Rules, now_ms: int
    ) -> None:
        """Be down."""
        del attempt, result, rules, now_ms
        raise StoreUnavailableError("down")


async def test_nobody_is_let_in_whom_nobody_can_count() -> None:
    """An outage gives no guesses away."""
    throttle = LoginThrottle(DownAttempts(lets_in=False), key=KEY, clock=FakeClock())

    with pytest.raises(StoreUnavailableError):
        await throttle.check("alice", AWAY)


async def test_outage_after_the_check_is_no_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What the password was worth is told all the same; the attempt stays counted."""
    throttle = LoginThrottle(DownAttempts(lets_in=True), key=KEY, clock=FakeClock())
    await throttle.check("alice", AWAY)
    with caplog.at_level(logging.WARNING):
        await throttle.record_failure("alice", AWAY)
        await throttle.record_success("alice", AWAY)
        await throttle.record_repeated_success("alice", AWAY)
        await throttle.release("alice", AWAY)

    assert len(caplog.records) == 4
    assert "alice" not in caplog.text
