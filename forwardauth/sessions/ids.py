"""The three forms of a session's identity, and where secrets are minted.

``SessionId`` is the secret in the cookie: 32 random bytes, base64url, 43 characters.
``Digest`` is its SHA-256, 32 bytes: the key in the store, useless to a thief of it.
``Handle`` is a public name of 16 random bytes in hex, for lists and revocation.

Law: a ``SessionId`` never reaches a store, a log line or a page.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from typing import Final, NewType

SessionId = NewType("SessionId", str)
Digest = NewType("Digest", bytes)
Handle = NewType("Handle", str)

MAX_PRESENTED: Final = 180
"""Different cookies of our name that a browser can send; more are an attack.

Chromium keeps that many for a domain in all, other browsers fewer or about as many, so
whatever hosts beside us plant, the one live session is found. The look-ups of one
request are made at once, and a store of many machines bounds how many are under way.
"""

_RANDOM_BYTES: Final = 32
_HANDLE_BYTES: Final = 16
_PATTERN: Final = r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
_SESSION_ID: Final = re.compile(_PATTERN, re.ASCII)
_SESSION_ID_BYTES: Final = re.compile(_PATTERN.encode("ascii"))
"""43 characters; the last one carries four bits, so one spelling for each secret."""


def create_session_id() -> SessionId:
    """Return a new secret of 256 bits from the system's random source.

    Source: OWASP ASVS 5.0, 7.2.3 (at least 128 bits).
    """
    return SessionId(secrets.token_urlsafe(_RANDOM_BYTES))


def parse_session_id(value: str) -> SessionId | None:
    """Return *value* as a session id, or ``None`` when it cannot be one of ours.

    A malformed cookie is no cookie: it costs a match and never reaches the store.
    """
    return SessionId(value) if _SESSION_ID.fullmatch(value) else None


def digest_of(session_id: SessionId) -> Digest:
    """Return the SHA-256 of *session_id*, 32 bytes: its key in every store."""
    return Digest(hashlib.sha256(session_id.encode("ascii")).digest())


def digest_presented(value: bytes) -> Digest | None:
    """Return ``digest_of`` what *value* is parsed to, ``None`` where that is none.

    Args:
        value: As it stands in a request that has not been decoded.
    """
    if _SESSION_ID_BYTES.fullmatch(value) is None:
        return None
    return Digest(hashlib.sha256(value).digest())


def digests_of(presented: Iterable[str]) -> tuple[Digest, ...]:
    """Return the digests of the well-formed values *presented*, each once, in order."""
    parsed = (parse_session_id(value) for value in presented)
    return tuple(dict.fromkeys(digest_of(value) for value in parsed if value))


def create_handle() -> Handle:
    """Return a new public name for a session, 32 hex digits."""
    return Handle(secrets.token_hex(_HANDLE_BYTES))


def log_name(digest: Digest) -> str:
    """Return the first 8 hex digits of *digest*, the form that logs may hold."""
    return digest.hex()[:8]
