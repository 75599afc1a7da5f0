"""What is forgotten when the memory for attempts is full."""

from dataclasses import replace

from forwardauth.attempts.limits import Rules
from forwardauth.attempts.memory import MemoryAttempts
from forwardauth.attempts.store import Attempt
from forwardauth.users.throttle import ACCOUNT_LIMIT, RULES

FEW = replace(RULES, capacity=3)
NOW = 1_700_000_000_000


def attempt_of(name: str) -> Attempt:
    """Return an attempt at an account from an unknown address."""
    return Attempt(account=name.encode(), address=None, own=None)


async def count(
    attempts: MemoryAttempts, name: str, times: int, *, now: int = NOW
) -> None:
    """Fail so often; a millisecond lies between two names, and every wait is over."""
    for _ in range(times):
        while await attempts.admit_attempt(attempt_of(name), FEW, now):
            now += 1000


async def wait_of(
    attempts: MemoryAttempts, name: str, *, now: int = NOW, rules: Rules = FEW
) -> int:
    """Return how long the next attempt would have to wait; it may be counted."""
    return await attempts.admit_attempt(attempt_of(name), rules, now)


async def test_weakest_key_goes_first_when_the_table_is_full() -> None:
    """A flood of names with one failure each pushes out each other, not a block."""
    attempts = MemoryAttempts()
    await count(attempts, "victim", ACCOUNT_LIMIT.free + 1)

    for number in range(1000):
        await count(attempts, f"flood{number}", 1)

    assert await wait_of(attempts, "victim") == 1000


async def test_block_goes_only_for_as_many_stronger_ones() -> None:
    """To push a block out, the rest of the table has to fail more often than it."""
    attempts = MemoryAttempts()
    await count(attempts, "victim", ACCOUNT_LIMIT.free + 1)
    for number in range(100):
        await count(attempts, f"flood{number}", ACCOUNT_LIMIT.free)
    before = await wait_of(attempts, "victim")
    for name in ("strong", "stronger", "strongest"):
        await count(attempts, name, ACCOUNT_LIMIT.free + 3)

    after = await wait_of(attempts, "victim")

    assert before == 1000
    assert after == 0


async def test_what_is_empty_makes_room_before_anything_else() -> None:
    """A block that has run out does not push out one that has not."""
    attempts = MemoryAttempts()
    await count(attempts, "old", ACCOUNT_LIMIT.free)
    later = NOW + ACCOUNT_LIMIT.interval_ms * ACCOUNT_LIMIT.free
    for name in ("a", "b"):
        await count(attempts, name, ACCOUNT_LIMIT.free + 1, now=later)

    await count(attempts, "c", 1, now=later)

    waits = [await wait_of(attempts, name, now=later) for name in ("a", "b")]
    assert waits == [1000, 1000]
