"""When failures make wait, and for how long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """When a bucket makes wait, and for how long.

    Attributes:
        free: Failures that cost no wait.
        forget_every: The interval in which one failure is forgotten.
        first_wait: After the first failure beyond *free*; doubles with each further.
        longest_wait: Where the doubling ends; at least *first_wait*.
    """

    free: int
    forget_every: timedelta
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=15)

    @property
    def most(self) -> int:
        """The number of failures from which the wait no longer grows."""
        doublings = (self.longest_wait // self.first_wait).bit_length()
        return self.free + doublings + 1

    @property
    def interval_ms(self) -> int:
        """How many milliseconds it takes to forget a failure."""
        return self.forget_every // _MS

    def wait_after_ms(self, failures: int) -> int:
        """Return how many milliseconds to wait after the last of *failures*."""
        beyond = failures - self.free
        if beyond <= 0:
            return 0
        doublings = min(beyond, self.most) - 1
        return min(self.first_wait * (1 << doublings), self.longest_wait) // _MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an attempt is judged by.

    Attributes:
        account: For one account from all addresses that are new to it.
        address: For one address on all accounts that are new to it.
        own: For one account from one address that has signed in to it before.
        capacity: Keys that each of the three remembers, and accounts whose addresses
            are known.
        known_for: How long an address is known that has signed in.
        addresses: How many of them an account has.
    """

    account: Limit
    address: Limit
    own: Limit
    capacity: int
    known_for: timedelta
    addresses: int

    @property
    def known_for_ms(self) -> int:
        """The same in milliseconds."""
        return self.known_for // _MS
