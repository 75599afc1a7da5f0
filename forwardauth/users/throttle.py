"""Slows down guessing, by account and by address, without locking the owner out.

An attempt counts as a failure from the moment it is let in until it proves otherwise.
Guesses sent all at once therefore cannot slip through between the check and the result,
and an attempt whose client went away needs no tidying up.

Laws: unknown users are counted like known ones, since nothing here knows which names
exist. What is counted lies in a store, where all workers and all instances count
together, under keys that say nothing to whoever reads the store. While it does not
answer nobody is let in: a guess that nobody counts would be one too many, and who signs
in then would have no session anyway.
"""

import hashlib
import logging
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

from forwardauth.attempts.limits import Limit, Rules
from forwardauth.attempts.store import KEY_BYTES, Attempt, AttemptStore, Result
from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError, ThrottledError
from forwardauth.users.model import canonical_name

ACCOUNT_LIMIT: Final = Limit(free=5, forget_every=timedelta(minutes=15))
"""For one account from all addresses that are new to it: at most a hundred guesses a
day in the long run. Source: NIST SP 800-63B-4 3.2.2."""

ADDRESS_LIMIT: Final = Limit(free=20, forget_every=timedelta(minutes=1))
"""For one address on all accounts that are new to it; an office shares an address."""

OWN_LIMIT: Final = Limit(free=10, forget_every=timedelta(minutes=15))
"""For one account from one address that has signed in to it before."""

RULES: Final = Rules(
    account=ACCOUNT_LIMIT,
    address=ADDRESS_LIMIT,
    own=OWN_LIMIT,
    capacity=20_000,
    known_for=timedelta(days=30),
    addresses=16,
)

_HOME_NETWORK_BITS: Final = 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)

_log = logging.getLogger(__name__)


class Throttle(Protocol):
    """Decides whether a password may be tried. Each attempt is one ``check``.

    One of ``record_failure``, ``record_success``, ``record_repeated_success`` and
    ``release`` follows, with the same arguments; none of them raises.
    """

    async def check(self, username: str, address: str) -> None:
        """Let an attempt in, which counts as failed until it is recorded otherwise.

        Args:
            username: As typed.
            address: The client's IP address. Anything else is nobody's: when no trusted
                proxy has told whose request it is, the account alone decides.

        Raises:
            ThrottledError: It is not let in and not counted; nothing is to follow.
            StoreUnavailableError: It is not let in, because nobody can count it.
        """
        ...

    async def record_failure(self, username: str, address: str) -> None:
        """Note that the password was wrong."""
        ...

    async def record_success(self, username: str, address: str) -> None:
        """Note that the password was right: the address now belongs to the account."""
        ...

    async def record_repeated_success(self, username: str, address: str) -> None:
        """Note the same of a program, which proves its password again and again."""
        ...

    async def release(self, username: str, address: str) -> None:
        """Take back an attempt that nobody judged, because all threads were busy."""
        ...


class LoginThrottle:
    """A ``Throttle`` on a store.

    An address that has signed in to an account has a bucket of its own for it, so that
    strangers who guess at the account do not make its owner wait.
    """

    def __init__(
        self, store: AttemptStore, *, key: bytes, clock: Clock, rules: Rules = RULES
    ) -> None:
        """Keep the parts.

        Args:
            store: Where to count.
            key: At most 64 bytes, the same for all who count together, and unknown to
                whoever may read the store.
            clock: The only source of time.
            rules: See ``RULES``.
        """
        self._store = store
        self._key = key
        self._clock = clock
        self._rules = rules

    async def check(self, username: str, address: str) -> None:
        """Let an attempt in; see ``Throttle``."""
        wait_ms = await self._store.admit_attempt(
            self._attempt_of(username, address), self._rules, self._now_ms()
        )
        if wait_ms:
            raise ThrottledError(wait_ms * _MS)

    async def record_failure(self, username: str, address: str) -> None:
        """Let the wait begin now; the attempt was counted when it was let in."""
        await self._settle(username, address, Result.FAILURE)

    async def record_success(self, username: str, address: str) -> None:
        """Forget the failures of the account, but not those of the address.

        Else somebody with an account could sign in to it now and then, and guess at
        other accounts for ever.
        """
        await self._settle(username, address, Result.SUCCESS)

    async def record_repeated_success(self, username: str, address: str) -> None:
        """Learn the address, and forgive nothing but the attempt itself.

        Else whoever shares an address with a program that calls every minute could
        guess on for ever, as its successes would clear the failures in between.
        """
        await self._settle(username, address, Result.REPEATED_SUCCESS)

    async def release(self, username: str, address: str) -> None:
        """Take back one attempt; see ``Throttle``."""
        await self._settle(username, address, Result.RELEASED)

    async def _settle(self, username: str, address: str, result: Result) -> None:
        attempt = self._attempt_of(username, address)
        try:
            await self._store.settle_attempt(
                attempt, result, self._rules, self._now_ms()
            )
        except StoreUnavailableError as exc:
            # It was counted as failed when it was let in, and stays so: the answer to
            # who asked does not depend on it.
            _log.warning("an attempt stays counted as failed: %s", exc)

    def _attempt_of(self, username: str, address: str) -> Attempt:
        account, place = canonical_name(username), place_of(address)
        return Attempt(
            account=self._digest(account),
            address=None if place is None else self._digest("", place),
            own=None if place is None else self._digest(account, place),
        )

    def _digest(self, *parts: str) -> bytes:
        digest = hashlib.blake2b(key=self._key, digest_size=KEY_BYTES)
        for part in parts:
            text = part.encode("utf-8", "surrogatepass")
            # With its length, so that no text can end where another one begins.
            digest.update(len(text).to_bytes(4))
            digest.update(text)
        return digest.digest()

    def _now_ms(self) -> int:
        return (self._clock.now() - _EPOCH) // _MS


def place_of(address: str) -> str | None:
    """Return the key of an address: one household of IPv6 is one place.

    Source: RFC 6177 2; whoever has one IPv6 address has the 2**64 beside it.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return f"{int(parsed) >> _HOME_NETWORK_BITS:x}/64"
        parsed = parsed.ipv4_mapped
    return str(parsed)
