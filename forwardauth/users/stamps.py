"""Stamps: how a session knows whether the password it was proven with still counts.

A session keeps the stamps of the hash that its login was checked against. When the
user's present hash is another one, the password was changed, and the session has ended:
also when the file was edited while the service was down, and on every replica.

One change of the hash is no change of the password: the rehash at login. It must not
end the user's other sessions, so its salt is derived from the stamp of the hash that it
replaces. A hash with that salt is known as the successor, without any record of it.
"""

import hashlib
from base64 import b64encode
from typing import Final

_STAMP_CHARACTERS: Final = 32
_SALT_BYTES: Final = 16
_LABEL: Final = b"forwardauth rehash"
_ARGON2ID_FIELDS: Final = 6


def stamp_of(password_hash: str) -> str:
    """Return the stamp of *password_hash*, 32 hex digits.

    It goes into the session store. Nobody can guess passwords with it: the hash that it
    is made of holds a random salt, which the store does not have.
    """
    return hashlib.sha256(password_hash.encode()).hexdigest()[:_STAMP_CHARACTERS]


def successor_salt(stamp: str) -> bytes:
    """Return the salt, 16 bytes, of the rehash that replaces the hash of *stamp*.

    A salt has to be unique, not secret (RFC 9106, 3.1), and a digest of a hash with a
    unique salt of its own is unique. That it is no secret costs nothing either: it
    stands in the hash, as every salt does. Two replicas that rehash at once write the
    same line.
    """
    digest = hashlib.sha256(_LABEL + stamp.encode("utf-8", "replace"))
    return digest.digest()[:_SALT_BYTES]


def is_current(stamps: tuple[str, ...], password_hash: str) -> bool:
    """Whether a session with *stamps* was proven with the password behind the hash.

    Every verify asks this. It costs one SHA-256 of a short text, and one more for each
    stamp after a rehash.

    Args:
        stamps: Of the hash at login and, if that login replaced it, of the new hash. A
            session without stamps is not current.
        password_hash: The user's present hash.
    """
    if stamp_of(password_hash) in stamps:
        return True
    salt = _salt_of(password_hash)
    return any(salt == _encode(successor_salt(stamp)) for stamp in stamps)


def _salt_of(password_hash: str) -> str | None:
    fields = password_hash.split("$")
    if len(fields) != _ARGON2ID_FIELDS or fields[1] != "argon2id":
        return None
    return fields[4]


def _encode(salt: bytes) -> str:
    return b64encode(salt).decode("ascii").rstrip("=")
