"""Passwords that were proven a moment ago, so that programs need not wait each time.

A program sends its password with every request, and a hash that is worth anything costs
a tenth of a second. What was proven counts again for some seconds, without the hash.

Laws: no password is kept, only a digest of it under a key that dies with the process.
The digest is of the user's present hash too: with a new password, or without the user,
what was proven before is not found. A proof counts where it was made, and ends there
with the first password that is another one: it is no way to guess. Few are kept, and
none for long.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from forwardauth.clock import Clock
from forwardauth.users.model import User

PROVEN_FOR: Final = timedelta(seconds=30)
"""How long a proof counts again."""

_CAPACITY: Final = 1000
_KEY_BYTES: Final = 32
_DIGEST_BYTES: Final = 32
_LENGTH_BYTES: Final = 4


class RecentProofs:
    """Remembers proofs; one for each worker, not safe between threads."""

    def __init__(self, clock: Clock, *, capacity: int = _CAPACITY) -> None:
        """Start with nothing, under a new key.

        Args:
            clock: The only source of time.
            capacity: Proofs that are remembered; the oldest goes first.
        """
        self._clock = clock
        self._capacity = capacity
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._proven: OrderedDict[tuple[str, str], _Proof] = OrderedDict()

    def __len__(self) -> int:
        """Return how many proofs are remembered."""
        return len(self._proven)

    def digest(self, username: str, password_hash: str, password: str) -> bytes:
        """Return what stands for the three; of no use without the key.

        Args:
            username: As the users file spells it; as typed where it has none.
            password_hash: The user's present one, empty for an unknown user.
            password: As received.
        """
        digest = hashlib.blake2b(key=self._key, digest_size=_DIGEST_BYTES)
        for part in (username, password_hash, password):
            text = part.encode("utf-8", "surrogatepass")
            # With its length, so that no text can end where another one begins.
            digest.update(len(text).to_bytes(_LENGTH_BYTES))
            digest.update(text)
        return digest.digest()

    def add(self, user: User, password: str, place: str) -> None:
        """Remember that *password* was proven to be that of *user* at *place*."""
        digest = self.digest(user.username, user.password_hash, password)
        self._proven[user.username, place] = _Proof(digest, self._clock.now())
        self._proven.move_to_end((user.username, place))
        if len(self._proven) > self._capacity:
            self._proven.popitem(last=False)

    def holds(self, user: User, password: str, place: str) -> bool:
        """Whether *password* was proven there to be that of *user*, as the file is now.

        Whatever else was proven there is forgotten with a no, before anybody can ask
        again: so a proof answers one guess at most.
        """
        proof = self._proven.get((user.username, place))
        if proof is None:
            return False
        digest = self.digest(user.username, user.password_hash, password)
        # A clock that was set back must not stretch a proof.
        is_recent = timedelta() <= self._clock.now() - proof.since < PROVEN_FOR
        if is_recent and hmac.compare_digest(proof.digest, digest):
            return True
        del self._proven[user.username, place]
        return False


class _Proof(NamedTuple):
    digest: bytes
    since: datetime
