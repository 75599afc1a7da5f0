"""Logout tokens: what applications are told of an end, signed so that they can check.

The key is derived from the one that signs forms, so every worker and every machine that
shares ``session.secret`` has the same, and nothing more has to be kept. It is ES256,
which every library knows: RFC 9864 has deprecated the name ``EdDSA``, and its successor
is too young to be understood everywhere.

Laws: the private part never leaves this module. A token names a login by an id that
opens nothing here, and carries no session id, digest, handle or index of ours. joserfc
is imported when the key is first wanted: it would be a tenth of every start, and few
installations tell applications of a logout.
Source: OpenID Connect Back-Channel Logout 1.0, 2.4 to 2.6.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from forwardauth.clock import Clock

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

ALGORITHM: Final = "ES256"
TOKEN_TYPE: Final = "logout+jwt"  # noqa: S105 - a media type, not a token
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME: Final = timedelta(seconds=120)

_CURVE: Final = "P-256"
_TOKEN_ID_BYTES: Final = 16
_LOGIN_ID_DIGITS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedLogin:
    """The end of a login, as applications may know of it.

    Attributes:
        login_id: What ``login_id_of`` returns.
        username: Whose it was.
        ended: When its session ended.
    """

    login_id: str
    username: str
    ended: datetime


def login_id_of(login: str) -> str:
    """Return the public id of *login*, 32 hex digits, shared by its linked sessions.

    ``Session.login`` is an index of the store. Nobody can get from the id back to it.
    """
    digest = hashlib.sha256(f"forwardauth login id {login}".encode())
    return digest.hexdigest()[:_LOGIN_ID_DIGITS]


class LogoutTokens:
    """Signs logout tokens, and publishes the key that they are checked with."""

    def __init__(self, key: bytes, *, issuer: str, clock: Clock) -> None:
        """Keep what the signing key is derived from, when it is first wanted.

        Args:
            key: As ``signing.load_key`` returns it: at least 32 bytes. A guessed one
                can be confirmed by what is published, as by any form of ours, so a
                configured one has to be random.
            issuer: Where the home portal is, without a slash at its end.
            clock: Dates the tokens.
        """
        self._secret = key
        self._issuer = issuer
        self._clock = clock

    def prepare(self) -> None:
        """Do what the first token would wait for."""
        _ = self.key_set

    @cached_property
    def key_set(self) -> bytes:
        """The public key as a JWK Set, ready to be sent. Source: RFC 7517, 5."""
        public = self._key.as_dict(
            private=False, kid=self._key.thumbprint(), use="sig", alg=ALGORITHM
        )
        return json.dumps({"keys": [public]}).encode()

    @cached_property
    def _key(self) -> "ECKey":
        from joserfc.jwk import ECKey  # noqa: PLC0415 - see laws

        options = {"salt": b"forwardauth", "info": b"logout token"}
        return ECKey.derive_key(self._secret, _CURVE, kdf_options=options)

    def sign(self, login: EndedLogin, *, audience: str) -> str:
        """Return a new token about *login*, for the application at *audience* alone.

        ``toe``, the time of the event (RFC 8417, 2.2), stands beside the claims of the
        standard: a token that comes late must not end what began after the logout.
        """
        from joserfc import jwt  # noqa: PLC0415 - see laws

        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "sub": login.username,
            "sid": login.login_id,
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
            "jti": secrets.token_hex(_TOKEN_ID_BYTES),
            "toe": int(login.ended.timestamp()),
            "events": {EVENT: {}},
        }
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": self._key.thumbprint()}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])
