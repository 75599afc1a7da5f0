"""The addresses that have signed in to one account: the last few, for a while.

Only who knows a password adds to them, and only to the list of that account.
"""

from dataclasses import dataclass
from typing import Final, Self

from forwardauth.attempts.limits import Rules
from forwardauth.attempts.store import KEY_BYTES

_TIME_DIGITS: Final = 13
ENTRY_BYTES: Final = KEY_BYTES + _TIME_DIGITS


@dataclass(frozen=True, slots=True)
class KnownAddresses:
    """Addresses with the time of their last sign-in, the latest last.

    Attributes:
        packed: One after the other, each the key and the milliseconds in 13 digits.
            What cannot be read is nobody's.
    """

    packed: bytes = b""

    def holds(self, address: bytes, rules: Rules, now: int) -> bool:
        """Whether *address* has signed in lately."""
        since = dict(self._entries()).get(address)
        return since is not None and now - since < rules.known_for_ms

    def add(self, address: bytes, rules: Rules, now: int) -> Self:
        """Return these with *address* as the latest, without what is too many."""
        entries = [entry for entry in self._entries() if entry[0] != address]
        entries.append((address, now))
        last = entries[-rules.addresses :]
        packed = (key + b"%0*d" % (_TIME_DIGITS, since) for key, since in last)
        return type(self)(b"".join(packed))

    def _entries(self) -> list[tuple[bytes, int]]:
        packed = self.packed
        starts = range(0, len(packed), ENTRY_BYTES)
        entries = (packed[start : start + ENTRY_BYTES] for start in starts)
        return [
            (entry[:KEY_BYTES], int(entry[KEY_BYTES:]))
            for entry in entries
            if len(entry) == ENTRY_BYTES and entry[KEY_BYTES:].isdigit()
        ]
