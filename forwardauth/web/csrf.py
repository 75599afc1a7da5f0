"""Form tokens, and the signed pre-session cookie that a login form is bound to.

A token is a MAC over what the browser already holds: its session, or before sign-in its
pre-session. So nothing is stored for it, and a token taken from one browser is worth
nothing in another.

Laws: the key never leaves the process; MACs are compared in constant time; a login
token is bound to a cookie that a sibling host cannot plant.
Source: OWASP Cross-Site Request Forgery Prevention, "signed double submit" and "login
CSRF".
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from forwardauth.clock import Clock
from forwardauth.sessions.ids import Digest
from forwardauth.web.signing import derive_key

PRESESSION_LIFETIME: Final = timedelta(hours=1)

_VALUE: Final = re.compile(
    r"(?P<nonce>[A-Za-z0-9_-]{22})\.(?P<issued>[0-9]{1,12})\.(?P<mac>[0-9a-f]{64})",
    re.ASCII,
)
_NONCE_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Presession:
    """The state of a browser that is about to sign in.

    Attributes:
        value: What its cookie holds.
        nonce: What its form tokens are bound to.
    """

    value: str
    nonce: str


class FormTokens:
    """Makes and checks form tokens with one key, shared by all instances."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        """Keep *key*, at least 32 bytes, from which a key for each use is derived."""
        self._presession_key = derive_key(key, "presession")
        self._token_key = derive_key(key, "form token")
        self._clock = clock

    def create_presession(self) -> Presession:
        """Return a new pre-session; nothing is kept of it here."""
        nonce = secrets.token_urlsafe(_NONCE_BYTES)
        issued = int(self._clock.now().timestamp())
        signed = f"{nonce}.{issued}"
        mac = _mac(self._presession_key, signed)
        return Presession(value=f"{signed}.{mac}", nonce=nonce)

    def lookup_presession(self, values: tuple[str, ...]) -> Presession | None:
        """Return the one valid pre-session among *values*, ``None`` otherwise."""
        valid = [found for value in values if (found := self._parse(value))]
        return valid[0] if len(valid) == 1 else None

    def _parse(self, value: str) -> Presession | None:
        match = _VALUE.fullmatch(value)
        if match is None:
            return None
        mac = _mac(self._presession_key, f"{match['nonce']}.{match['issued']}")
        if not hmac.compare_digest(mac, match["mac"]):
            return None
        age = self._clock.now() - datetime.fromtimestamp(
            int(match["issued"]), self._clock.now().tzinfo
        )
        if not -timedelta(minutes=1) <= age < PRESESSION_LIFETIME:
            return None
        return Presession(value=value, nonce=match["nonce"])

    def token_for_presession(self, presession: Presession) -> str:
        """Return the form token of a browser that is not signed in, 64 hex digits."""
        return _mac(self._token_key, f"presession {presession.nonce}")

    def token_for_session(self, digest: Digest) -> str:
        """Return the form token of a signed-in browser, 64 hex digits."""
        return _mac(self._token_key, f"session {digest.hex()}")

    def is_valid(
        self, token: str, *, presession: Presession | None, digests: tuple[Digest, ...]
    ) -> bool:
        """Whether *token* was made for that pre-session or one of those sessions.

        Args:
            token: As received; any text.
            presession: What ``lookup_presession`` found in the request.
            digests: Of the session cookies in the request, live or not: the form of
                somebody whose session has just expired is still their own.
        """
        expected = [self.token_for_session(digest) for digest in digests]
        if presession is not None:
            expected.append(self.token_for_presession(presession))
        given = token.encode("utf-8", "surrogatepass")
        return any(hmac.compare_digest(given, one.encode()) for one in expected)


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()
