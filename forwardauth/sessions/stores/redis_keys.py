"""Names and contents of what the Redis store keeps.

Keys, of which all with one ``{tag}`` lie in one slot of a cluster; the tag is the first
byte of the digest, so there are 256:

    PREFIX:{TAG}:s:DIGEST    hash: the session
    PREFIX:{TAG}:p:TICKET    hash: a session that is being created
    PREFIX:{TAG}:e:CLAIM     hash: a session that was ended, for the answer alone
    PREFIX:{TAG}:x           sorted set: digests by ``expires``, in our own clock
    PREFIX:o:OWNER           sorted set: the index of one user
    PREFIX:l:LOGIN           sorted set: the index of one login
    PREFIX:v:TOPIC           list: the last events of one topic, the last one first

A row of an index is digest (32 bytes), ticket (8 bytes) and, for owners, the login. Its
score is the time, in the clock of that server, until which the row is kept; negative
while a ``delete_owner`` or ``delete_login`` is about to end the session: the row is
*doomed*.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions import rows
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms, is_time, to_ms
from forwardauth.sessions.store import Entry

DIGEST_BYTES: Final = 32
TICKET_BYTES: Final = 8
ROW_HEAD_BYTES: Final = DIGEST_BYTES + TICKET_BYTES

TAGS: Final = tuple(f"{tag:02x}" for tag in range(256))
FIELDS: Final = ("owner", "login", "record", "seen", "expires", "ticket")
ROW_FIELDS: Final = FIELDS[:-1]
"""What a look-up needs: the ticket is for changes."""

_NO_ROW: Final = [None] * len(ROW_FIELDS)
_TIME_DIGITS: Final = 15
"""Of a time in milliseconds that a ``datetime`` can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An entry, and the ticket of the attempt that made it."""

    entry: Entry
    ticket: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A member of an index, and the key of that index."""

    key: str
    member: bytes


@dataclass(frozen=True, slots=True)
class RedisKeys:
    """The names of keys below one prefix."""

    prefix: str

    def session(self, digest: Digest) -> str:
        """Return the key of a session."""
        return self._in_slot(digest, "s", digest)

    def prepared(self, digest: Digest, ticket: bytes) -> str:
        """Return the key of what the attempt with *ticket* has prepared."""
        return self._in_slot(digest, "p", ticket)

    def claimed(self, digest: Digest, claim: bytes) -> str:
        """Return the key of the answer to one ``END``."""
        return self._in_slot(digest, "e", claim)

    def expiries(self, digest: Digest) -> str:
        """Return the key of the expiries that *digest* is among."""
        return self.expiries_of_tag(_tag(digest))

    def expiries_of_tag(self, tag: str) -> str:
        """Return the key of the expiries of one tag."""
        return f"{self.prefix}:{{{tag}}}:x"

    def ping_of_tag(self, tag: str) -> str:
        """Return a key beside the sessions of one tag."""
        return f"{self.prefix}:{{{tag}}}:ping"

    def session_heads(self) -> Iterator[str]:
        """Yield what stands before a digest in its key, by the first byte of that."""
        for first in range(256):
            digest = bytes([first, *bytes(DIGEST_BYTES - 1)])
            key = self.session(Digest(digest))
            yield key.removesuffix(digest.hex())

    def owner(self, owner: str) -> str:
        """Return the key of a user's index."""
        return f"{self.prefix}:o:{owner}"

    def login(self, login: str) -> str:
        """Return the key of a login's index."""
        return f"{self.prefix}:l:{login}"

    def events(self, topic: str) -> str:
        """Return the key of a topic's events."""
        return f"{self.prefix}:v:{topic}"

    def rows(self, kept: Kept) -> tuple[Row, Row]:
        """Return the two rows of a session."""
        entry = kept.entry
        head = entry.digest + kept.ticket
        return (
            Row(key=self.owner(entry.owner), member=head + entry.login.encode()),
            Row(key=self.login(entry.login), member=head),
        )

    def _in_slot(self, digest: Digest, kind: str, name: bytes) -> str:
        return f"{self.prefix}:{{{_tag(digest)}}}:{kind}:{name.hex()}"


def _tag(digest: Digest) -> str:
    return TAGS[digest[0]]


def create_ticket() -> bytes:
    """Return a name that no other attempt or call has; it is no secret."""
    return os.urandom(TICKET_BYTES)


def split_row(member: bytes) -> tuple[Digest, bytes]:
    """Return digest and ticket of a row."""
    return Digest(member[:DIGEST_BYTES]), member[DIGEST_BYTES:ROW_HEAD_BYTES]


def dump_fields(kept: Kept) -> list[bytes | str | int]:
    """Return field after value, as ``HSET`` takes them."""
    entry = kept.entry
    values: tuple[bytes | str | int, ...] = (
        entry.owner,
        entry.login,
        entry.record,
        to_ms(entry.seen),
        to_ms(entry.expires),
        kept.ticket,
    )
    return [part for pair in zip(FIELDS, values, strict=True) for part in pair]


def parse_fields(digest: Digest, values: Sequence[bytes | None]) -> Kept | None:
    """Return what ``HMGET`` found, ``None`` when there is no such session.

    Raises:
        StoreUnavailableError: Something that we never wrote stands there.
    """
    if all(value is None for value in values):
        return None
    owner, login, record, seen, expires, ticket = (value or b"" for value in values)
    try:
        entry = Entry(
            digest=digest,
            owner=owner.decode(),
            login=login.decode(),
            record=record,
            seen=from_ms(int(seen)),
            expires=from_ms(int(expires)),
        )
    except (ValueError, OverflowError) as exc:
        raise StoreUnavailableError("redis store: a session cannot be read") from exc
    return Kept(entry=entry, ticket=ticket)


def parse_row(values: Any) -> rows.Row | rows.NoGlanceError | None:
    """Return what ``HMGET`` found of ``ROW_FIELDS``, ``None`` for no such session.

    Args:
        values: The answer as it came, whatever it is. What is not as we write it is no
            glance: ``parse_fields`` judges it.
    """
    if values == _NO_ROW:
        return None
    try:
        owner, login, record, seen, expires = values
        if len(seen) <= _TIME_DIGITS >= len(expires):
            row = rows.Row(owner.decode(), record, int(seen))
            # Read as well, so that what ``parse_fields`` refuses is no glance.
            login.decode()
            times = row.seen_ms, int(expires)
            if type(record) is bytes and all(map(is_time, times)):
                return row
    except (TypeError, ValueError, AttributeError):
        pass
    return rows.NoGlanceError()
