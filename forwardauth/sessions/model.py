"""The signed-in session, and its record as the store keeps it.

The record is JSON with a version. Unknown fields are ignored, so that an older and a
newer instance can share a store; a record that cannot be read is no session. A newer
release says by ``needs`` which version can read a record without misunderstanding it.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from forwardauth.sessions.ids import Digest, Handle
from forwardauth.sessions.store import Entry

RECORD_VERSION: Final = 1
MAX_USER_AGENT_CHARACTERS: Final = 256


class EndCause(StrEnum):
    """Why a session ended: the ``reason`` of audit events and metrics."""

    USER = "user"
    REPLACED = "replaced"
    REVOKED = "revoked"
    ADMIN = "admin"
    IDLE = "idle"
    ABSOLUTE = "absolute"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a cause, not a password
    USER_DISABLED = "user_disabled"
    USER_REMOVED = "user_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in session, as created and with its last use.

    Attributes:
        handle: Public name, for lists and revocation.
        login: Shared by the linked sessions of one login.
        username: As in the users file.
        domain: The configured cookie domain it was issued for; it counts nowhere else.
        credential: Stamps of the password hash it was proven with, see
            ``users.passwords``; a session whose stamps are all outdated has ended.
        methods: How the user authenticated, RFC 8176 names such as ``pwd``.
        level: 1 for one factor, 2 for two.
        created: When the user signed in.
        absolute: When it ends, whatever happens.
        idle: How long it lives unused; ``None`` when only *absolute* counts.
        seen: Last recorded use.
        remembered: Whether the user asked to be remembered.
        address: Client address at login.
        user_agent: Client's ``User-Agent`` at login, at most 256 characters.
        upstream: What an identity provider said (``sid``, ID token), else empty.
    """

    handle: Handle
    login: str
    username: str
    domain: str
    credential: tuple[str, ...]
    methods: tuple[str, ...]
    level: int
    created: datetime
    absolute: datetime
    idle: timedelta | None
    seen: datetime
    remembered: bool
    address: str
    user_agent: str
    upstream: dict[str, str] = field(default_factory=dict)

    def expires_after(self, seen: datetime) -> datetime:
        """Return when the session ends if its last use was at *seen*."""
        # Compared so that no length of time leads out of the calendar.
        if self.idle is None or self.absolute - seen <= self.idle:
            return self.absolute
        return seen + self.idle

    def expiry(self, now: datetime) -> EndCause | None:
        """Return why the session has expired at *now*, ``None`` while it lives."""
        if now >= self.absolute:
            return EndCause.ABSOLUTE
        if self.idle is not None and now - self.seen >= self.idle:
            return EndCause.IDLE
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session that counts, with its key."""

    session: Session
    digest: Digest


def dump_entry(session: Session, digest: Digest) -> Entry:
    """Return *session* in the form that stores keep under *digest*."""
    record = {
        "v": RECORD_VERSION,
        "handle": session.handle,
        "domain": session.domain,
        "credential": session.credential,
        "methods": session.methods,
        "level": session.level,
        "created": to_ms(session.created),
        "absolute": to_ms(session.absolute),
        "idle": None if session.idle is None else session.idle // _MS,
        "remembered": session.remembered,
        "address": session.address,
        "user_agent": session.user_agent[:MAX_USER_AGENT_CHARACTERS],
        "upstream": session.upstream,
    }
    return Entry(
        digest=digest,
        owner=session.username,
        login=session.login,
        record=json.dumps(record, separators=(",", ":")).encode(),
        seen=session.seen,
        expires=session.expires_after(session.seen),
    )


def parse_entry(entry: Entry) -> Session | None:
    """Return the session in *entry*, ``None`` when its record cannot be read.

    A record that we cannot read must not open a door, and must not raise inside
    verify either: it reads as "no session".
    """
    try:
        record: dict[str, Any] = json.loads(entry.record)
        if not record["v"] >= 1 or record.get("needs", 1) > RECORD_VERSION:
            return None
        idle = record["idle"]
        return Session(
            handle=Handle(str(record["handle"])),
            login=entry.login,
            username=entry.owner,
            domain=str(record["domain"]),
            credential=tuple(map(str, record["credential"])),
            methods=tuple(map(str, record["methods"])),
            level=int(record["level"]),
            created=from_ms(record["created"]),
            absolute=from_ms(record["absolute"]),
            idle=None if idle is None else int(idle) * _MS,
            seen=entry.seen,
            remembered=bool(record["remembered"]),
            address=str(record["address"]),
            user_agent=str(record["user_agent"]),
            upstream={str(k): str(v) for k, v in record["upstream"].items()},
        )
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ):
        return None


_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_MS: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(
    milliseconds=1
)
_LATEST_MS: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(
    milliseconds=1
)


def is_time(milliseconds: int) -> bool:
    """Whether ``from_ms`` returns a time for *milliseconds*."""
    return _EARLIEST_MS <= milliseconds <= _LATEST_MS


def to_ms(moment: datetime) -> int:
    """Return *moment* as milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MS


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time of *milliseconds* since 1970."""
    return _EPOCH + int(milliseconds) * _MS
