"""How ``forwardauth doctor`` shows that it may be told what this service sees.

Laws: whoever holds the signing key can make a proof, and nobody else. It opens the one
answer of ``handlers.doctor``, which holds no secret: what stands in the log of a proxy
is worth nothing to whoever reads it there, and little for these minutes.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final

from forwardauth.clock import Clock
from forwardauth.web.signing import derive_key

PROOF_HEADER: Final = "Forwardauth-Doctor"
"""Carries the proof; no proxy has a use for a header of this name."""

_LIFETIME: Final = timedelta(minutes=10)
"""In both directions: that two clocks differ is one of the things to be found out."""

_MAX_CHARACTERS: Final = 200


class DoctorProofs:
    """Makes and judges proofs, with one key for all instances."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        """Keep *key*, from which one for this purpose is derived."""
        self._key = derive_key(key, "doctor proof")
        self._clock = clock

    def create(self) -> str:
        """Return a proof for the next minutes, as the value of a header."""
        now = int(self._clock.now().timestamp())
        content = f"{now}.{secrets.token_hex(8)}"
        return f"{content}.{self._mac(content)}"

    def is_valid(self, text: str) -> bool:
        """Whether *text*, as received, was made with our key a short time ago."""
        content, _, mac = text.rpartition(".")
        if len(text) > _MAX_CHARACTERS or not text.isascii():
            return False
        if not hmac.compare_digest(mac, self._mac(content)):
            return False
        # Signed, so it is as ``create`` writes it.
        issued = int(content.partition(".")[0])
        age = timedelta(seconds=int(self._clock.now().timestamp()) - issued)
        return abs(age) <= _LIFETIME

    def _mac(self, content: str) -> str:
        return hmac.digest(self._key, content.encode(), hashlib.sha256).hex()
