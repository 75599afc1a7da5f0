"""Where attempts are counted, by all workers of an instance or all instances.

Laws every such store keeps, proven by ``tests/unit/users/throttle_contract.py``:

1. To ask whether an attempt is let in and to count it is one step, whoever else asks:
   however many ask at once are let in no more than one after the other.
2. It is bounded. Each table has its capacity, and forgets first what would be forgotten
   first anyway: whoever wants a block forgotten has to fill the table with keys that
   have failed as often, and each of these takes as many attempts.
3. What is forgotten by time leaves the store, at the latest with attempts that come
   after it.
4. A store that did not answer raises ``StoreUnavailableError``; nobody is let in by it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from forwardauth.attempts.limits import Limit, Rules

KEY_BYTES: Final = 16
"""Of each key: a digest under a key that the store does not have."""


class Table(StrEnum):
    """What a bucket is of."""

    ACCOUNT = "account"
    ADDRESS = "address"
    OWN = "own"

    def limit(self, rules: Rules) -> Limit:
        """Return the limit of this table."""
        match self:
            case Table.ACCOUNT:
                return rules.account
            case Table.ADDRESS:
                return rules.address
            case Table.OWN:
                return rules.own


class Result(StrEnum):
    """What became of an attempt that was let in."""

    FAILURE = "failure"
    """The password was wrong: the wait begins now."""

    SUCCESS = "success"
    """It was right: the failures of the account are forgotten, the address's are not,
    and the address is known to the account from now on."""

    REPEATED_SUCCESS = "repeated_success"
    """It was right, as always of a program: the attempt is taken back, and the address
    is known."""

    RELEASED = "released"
    """Nobody judged it: it is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who tries, as keys of ``KEY_BYTES`` that nobody can read.

    Attributes:
        account: Whose password it is meant to be.
        address: Where it comes from; ``None`` when nobody knows.
        own: The two together; ``None`` as well.
    """

    account: bytes = field(repr=False)
    address: bytes | None = field(repr=False)
    own: bytes | None = field(repr=False)


@runtime_checkable
class AttemptStore(Protocol):
    """Counts attempts."""

    async def admit_attempt(self, attempt: Attempt, rules: Rules, now_ms: int) -> int:
        """Let *attempt* in and count it as failed, or say how long it has to wait.

        Args:
            attempt: From now on it counts, until it is settled otherwise.
            rules: The same for all who use the store.
            now_ms: Milliseconds since 1970 by the caller's clock. A store of several
                machines goes by its own.

        Returns:
            Zero when it is let in; else the wait in milliseconds, and nothing was
            counted.

        Raises:
            StoreUnavailableError: It may or may not have been counted.
        """
        ...

    async def settle_attempt(
        self, attempt: Attempt, result: Result, rules: Rules, now_ms: int
    ) -> None:
        """Say what became of an attempt that was let in.

        Raises:
            StoreUnavailableError: It may still count as failed.
        """
        ...
