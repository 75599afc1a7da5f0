"""What a portal asks of the home portal, signed: the way out and back of a link.

Laws: a state that was not signed here, or is too old, is none. It says where to go back
to by the name of a cookie domain, never by a URL; the target in it is checked again
wherever it is used. Only the browser that it was made for can use it, since it carries
the nonce of that browser's pre-session.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from forwardauth.clock import Clock
from forwardauth.web.csrf import PRESESSION_LIFETIME
from forwardauth.web.signing import derive_key

MAX_STATE_CHARACTERS: Final = 6 * 1024
_SKEW: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """One sign-in that was asked for on another cookie domain.

    Attributes:
        domain: Name of the cookie domain whose portal asks.
        nonce: Of the browser's pre-session there.
        target: Where the browser wanted to go; empty when nowhere. Checked when it is
            used, not before.
        method: Of the request that was stopped; empty when it is not known.
    """

    domain: str
    nonce: str
    target: str
    method: str


class LinkStates:
    """Signs and reads states with one key, shared by all instances."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        """Keep *key*, from which one for this purpose is derived."""
        self._key = derive_key(key, "link state")
        self._clock = clock

    def sign(self, state: LinkState) -> str:
        """Return *state* as text for a URL: letters, digits, ``-_.``."""
        content = [
            int(self._clock.now().timestamp()),
            *(state.domain, state.nonce, state.target, state.method),
        ]
        text = json.dumps(content, separators=(",", ":")).encode()
        payload = base64.urlsafe_b64encode(text).decode().rstrip("=")
        return f"{payload}.{self._mac(payload)}"

    def lookup(self, text: str) -> LinkState | None:
        """Return the state in *text*, ``None`` unless it is ours and recent."""
        payload, _, mac = text.partition(".")
        if len(text) > MAX_STATE_CHARACTERS or not text.isascii():
            return None
        if not hmac.compare_digest(mac, self._mac(payload)):
            return None
        try:
            padding = "=" * (-len(payload) % 4)
            content = json.loads(base64.urlsafe_b64decode(payload + padding))
            issued, domain, nonce, target, method = content
            age = timedelta(seconds=int(self._clock.now().timestamp()) - issued)
        except (ValueError, TypeError, binascii.Error):
            return None
        if not -_SKEW <= age < PRESESSION_LIFETIME:
            return None
        return LinkState(domain=domain, nonce=nonce, target=target, method=method)

    def _mac(self, payload: str) -> str:
        return hmac.digest(self._key, payload.encode(), hashlib.sha256).hex()
