"""Reference ids: what a page shows of its line in the log.

Laws: a reference finds a line and does nothing else; it is no secret, and names nobody.
A refusal has the same one whoever tells of it within the minute: nginx drops the page
of a denial and asks for it once more, and what that shows finds both lines.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Final

from forwardauth.request import OriginalRequest, Subject

_BYTES: Final = 4
"""Eight hex digits can be read out, and seldom stand for two things of one day."""

_WINDOW_SECONDS: Final = 60


def create_reference() -> str:
    """Return a new reference, for what happens once."""
    return secrets.token_hex(_BYTES)


def reference_of(original: OriginalRequest, subject: Subject, now: datetime) -> str:
    """Return the reference of the refusal of *original* to *subject*."""
    parts = (
        int(now.timestamp()) // _WINDOW_SECONDS,
        original.method,
        original.host,
        original.path,
        original.client,
        subject.username,
    )
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[: 2 * _BYTES]
