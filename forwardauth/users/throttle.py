"""Slows down guessing, by account and by address, without locking the owner out.

An attempt counts as a failure from the moment it is let in until it proves otherwise.
Guesses sent all at once therefore cannot slip through between the check and the result,
and an attempt whose client went away needs no tidying up.

Unknown users are counted like known ones: nothing here knows which names exist.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol, TypeAlias

from forwardauth.clock import Clock
from forwardauth.errors import ThrottledError
from forwardauth.users.buckets import Buckets, Limit
from forwardauth.users.model import canonical_name

_Key: TypeAlias = tuple[str, ...]

ACCOUNT_LIMIT: Final = Limit(free=5, forget_every=timedelta(minutes=15))
"""For one account from all addresses that are new to it: at most a hundred guesses a
day in the long run. Source: NIST SP 800-63B-4 3.2.2."""

ADDRESS_LIMIT: Final = Limit(free=20, forget_every=timedelta(minutes=1))
"""For one address on all accounts that are new to it; an office shares an address."""

OWN_LIMIT: Final = Limit(free=10, forget_every=timedelta(minutes=15))
"""For one account from one address that has signed in to it before."""

_CAPACITY: Final = 20_000
_ADDRESSES_PER_ACCOUNT: Final = 16
_HOME_NETWORK_BITS: Final = 64
_KNOWN_FOR: Final = timedelta(days=30)


class Throttle(Protocol):
    """Decides whether a password may be tried. Each attempt is one ``check``.

    One of ``record_failure``, ``record_success``, ``record_repeated_success`` and
    ``release`` follows, with the same arguments. None of them may wait: one that
    instances share keeps a copy.
    """

    def check(self, username: str, address: str) -> None:
        """Let an attempt in, which counts as failed until it is recorded otherwise.

        Args:
            username: As typed.
            address: The client's IP address. Anything else is nobody's: when no trusted
                proxy has told whose request it is, the account alone decides.

        Raises:
            ThrottledError: It is not let in and not counted; nothing is to follow.
        """
        ...

    def record_failure(self, username: str, address: str) -> None:
        """Note that the password was wrong."""
        ...

    def record_success(self, username: str, address: str) -> None:
        """Note that the password was right: the address now belongs to the account."""
        ...

    def record_repeated_success(self, username: str, address: str) -> None:
        """Note the same of a program, which proves its password again and again."""
        ...

    def release(self, username: str, address: str) -> None:
        """Take back an attempt that nobody judged, because all threads were busy."""
        ...


class LoginThrottle:
    """A ``Throttle`` in this process; workers and replicas count for themselves.

    An address that has signed in to an account has a bucket of its own for it, so that
    strangers who guess at the account do not make its owner wait. Such addresses are
    learned anew after a restart.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        account: Limit = ACCOUNT_LIMIT,
        address: Limit = ADDRESS_LIMIT,
        own: Limit = OWN_LIMIT,
        capacity: int = _CAPACITY,
    ) -> None:
        """Keep the limits.

        Args:
            clock: The only source of time.
            account: See ``ACCOUNT_LIMIT``.
            address: See ``ADDRESS_LIMIT``.
            own: See ``OWN_LIMIT``.
            capacity: Keys that each table remembers.
        """
        self._clock = clock
        self._accounts = Buckets[_Key](account, capacity=capacity)
        self._addresses = Buckets[_Key](address, capacity=capacity)
        self._own = Buckets[_Key](own, capacity=capacity)
        self._known = _KnownAddresses(capacity=capacity)

    def check(self, username: str, address: str) -> None:
        """Let an attempt in; see ``Throttle``."""
        now = self._clock.now()
        judges = self._judges_of(username, address, now)
        wait = max(buckets.wait(key, now) for buckets, key in judges)
        if wait:
            raise ThrottledError(wait)
        for buckets, key in judges:
            buckets.count(key, now)

    def record_failure(self, username: str, address: str) -> None:
        """Let the wait begin now; the attempt was counted when it was let in."""
        now = self._clock.now()
        for buckets, key in self._judges_of(username, address, now):
            buckets.restart(key, now)

    def record_success(self, username: str, address: str) -> None:
        """Forget the failures of the account, but not those of the address.

        Else somebody with an account could sign in to it now and then, and guess at
        other accounts for ever.
        """
        now = self._clock.now()
        for buckets, key in self._judges_of(username, address, now):
            if buckets is self._addresses:
                buckets.take_back(key, now)
            else:
                buckets.clear(key)
        self._learn(username, address, now)

    def record_repeated_success(self, username: str, address: str) -> None:
        """Learn the address, and forgive nothing but the attempt itself.

        Else whoever shares an address with a program that calls every minute could
        guess on for ever, as its successes would clear the failures in between.
        """
        now = self._clock.now()
        for buckets, key in self._judges_of(username, address, now):
            buckets.take_back(key, now)
        self._learn(username, address, now)

    def release(self, username: str, address: str) -> None:
        """Take back one attempt; see ``Throttle``."""
        now = self._clock.now()
        for buckets, key in self._judges_of(username, address, now):
            buckets.take_back(key, now)

    def _learn(self, username: str, address: str, now: datetime) -> None:
        place = _place_of(address)
        if place is not None:
            self._known.add(_account_of(username), place, now)

    def _judges_of(
        self, username: str, address: str, now: datetime
    ) -> list[tuple[Buckets[_Key], _Key]]:
        """Return the buckets that an attempt counts in."""
        account, place = _account_of(username), _place_of(address)
        if place is None:
            return [(self._accounts, (account,))]
        if self._known.holds(account, place, now):
            return [(self._own, (account, place))]
        return [(self._accounts, (account,)), (self._addresses, (place,))]


class _KnownAddresses:
    """Addresses that have signed in, by account: the last few, for thirty days.

    Only who knows a password adds to it, and only to the list of that account.
    """

    def __init__(self, *, capacity: int) -> None:
        self._capacity = capacity
        self._accounts: OrderedDict[str, OrderedDict[str, datetime]] = OrderedDict()

    def holds(self, account: str, place: str, now: datetime) -> bool:
        places = self._accounts.get(account)
        since = None if places is None else places.get(place)
        return since is not None and now - since < _KNOWN_FOR

    def add(self, account: str, place: str, now: datetime) -> None:
        places = self._accounts.setdefault(account, OrderedDict())
        places[place] = now
        places.move_to_end(place)
        self._accounts.move_to_end(account)
        if len(places) > _ADDRESSES_PER_ACCOUNT:
            places.popitem(last=False)
        if len(self._accounts) > self._capacity:
            self._accounts.popitem(last=False)


def _account_of(username: str) -> str:
    """Return the key of an account, the same for every spelling of its name."""
    return canonical_name(username)


def _place_of(address: str) -> str | None:
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
