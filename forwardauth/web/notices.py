"""What the page after a redirect says has just happened: signed, in the query.

A reload shows it again and another tab does not. Laws: only what was signed here, for
this very session and not long ago, is shown: no link that somebody else has made can
let a page claim that a session has ended. A notice chooses among constant texts.
"""

import hashlib
import hmac
from datetime import timedelta
from enum import StrEnum
from typing import Final

from forwardauth.clock import Clock
from forwardauth.sessions.ids import Digest
from forwardauth.web.answers import PortalUrl
from forwardauth.web.signing import derive_key

FIELD: Final = "notice"
"""The name of a notice in a query."""

SHOWN_FOR: Final = timedelta(minutes=10)
"""How long a reload shows it; a bookmark is not to tell it for ever."""

_SKEW: Final = timedelta(minutes=1)
_MAX_CHARACTERS: Final = 200


class Notice(StrEnum):
    """The texts that can be shown."""

    ENDED = "ended"
    GONE = "gone"
    OTHERS_ENDED = "others_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event, not a password


class Notices:
    """Signs and reads notices with one key, shared by all instances."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        """Keep *key*, from which one for this purpose is derived."""
        self._key = derive_key(key, "notice")
        self._clock = clock

    def add_to(self, url: PortalUrl, notice: Notice, digest: Digest) -> PortalUrl:
        """Return *url*, without a query, with *notice* for the session *digest*."""
        issued = int(self._clock.now().timestamp())
        payload = f"{notice}.{issued}"
        return PortalUrl(f"{url}?{FIELD}={payload}.{self._mac(payload, digest)}")

    def lookup(self, text: str, digest: Digest) -> Notice | None:
        """Return the notice in *text*, ``None`` unless it is ours, recent and theirs.

        Args:
            text: As received; any text.
            digest: Of the session that asks for the page.
        """
        if len(text) > _MAX_CHARACTERS or not text.isascii():
            return None
        payload, _, mac = text.rpartition(".")
        if not hmac.compare_digest(mac, self._mac(payload, digest)):
            return None
        # What was signed has this form.
        notice, _, issued = payload.partition(".")
        age = timedelta(seconds=int(self._clock.now().timestamp()) - int(issued))
        if not -_SKEW <= age < SHOWN_FOR:
            return None
        return next((each for each in Notice if each.value == notice), None)

    def _mac(self, payload: str, digest: Digest) -> str:
        text = f"{payload} {digest.hex()}".encode()
        return hmac.digest(self._key, text, hashlib.sha256).hex()
