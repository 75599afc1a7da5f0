"""A handover: what lets a login go on to another cookie domain, as the store keeps it.

It lies among the sessions, under the digest of its code and in the index of its login.
So every end of the login ends it as well, and of two that bring the code one gets it.

Laws: its record reads as no session, wherever one is looked up. Its time is in its
record and cannot be prolonged: the use of a session moves the times of its login, but
only of what was seen before and is not over, and a handover is seen when it is over.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import RECORD_VERSION, LiveSession, from_ms, to_ms
from forwardauth.sessions.store import Entry

_KEY: Final = "handover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What a code stands for.

    Attributes:
        domain: The cookie domain that the login goes on to.
        binding: What ``binding_of`` makes of the browser that asked.
        parent: Digest of the session that it continues.
        expires: When the code is worth nothing any more; aware UTC.
    """

    domain: str
    binding: str
    parent: Digest
    expires: datetime


def binding_of(nonce: str) -> str:
    """Return the trace of a browser's *nonce*, from which it cannot be told."""
    return hashlib.sha256(nonce.encode("utf-8", "surrogatepass")).hexdigest()


def dump_handover(handover: Handover, live: LiveSession, digest: Digest) -> Entry:
    """Return *handover* in the form that stores keep under *digest*."""
    content = {
        "domain": handover.domain,
        "binding": handover.binding,
        "parent": handover.parent.hex(),
        "expires": to_ms(handover.expires),
    }
    record = {"v": RECORD_VERSION, _KEY: content}
    return Entry(
        digest=digest,
        owner=live.session.username,
        login=live.session.login,
        record=json.dumps(record, separators=(",", ":")).encode(),
        seen=handover.expires,
        expires=handover.expires,
    )


def parse_handover(entry: Entry) -> Handover | None:
    """Return the handover in *entry*, ``None`` when it holds something else."""
    try:
        content: dict[str, Any] = json.loads(entry.record)[_KEY]
        return Handover(
            domain=str(content["domain"]),
            binding=str(content["binding"]),
            parent=Digest(bytes.fromhex(content["parent"])),
            expires=from_ms(content["expires"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
