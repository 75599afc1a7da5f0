"""The lines of the revocation journal: a promise, and what becomes of it.

Law: a line of a newer release is read as far as it is known. What cannot be read is no
promise of ours; ``journal`` keeps it as it came.
"""

from typing import Any, Final

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal_file import Line
from forwardauth.sessions.model import from_ms, to_ms
from forwardauth.sessions.pending import PendingRevocation

VERSION: Final = 1
"""Of a promise."""

_DIGEST_BYTES: Final = 32


def dump_promise(digest: Digest, revocation: PendingRevocation | None) -> Line:
    """Return the line that tells what is pending about *digest*, if anything."""
    if revocation is None:
        return {"done": digest.hex()}
    content = {
        "v": VERSION,
        "digest": digest.hex(),
        "login": revocation.login,
        "owner": revocation.owner,
        "cause": revocation.cause,
        "until": to_ms(revocation.until),
        "user": revocation.is_for_user,
    }
    return {"add": content}


def parse_promise(content: dict[str, Any]) -> PendingRevocation:
    """Return the promise in *content*, what stands below ``add``.

    Raises:
        ValueError, KeyError, TypeError, OverflowError: It is none.
    """
    digest = bytes.fromhex(content["digest"])
    if len(digest) != _DIGEST_BYTES:
        raise ValueError("a digest has 32 bytes")
    return PendingRevocation(
        digest=Digest(digest),
        login=_parse_name(content["login"]),
        owner=_parse_name(content["owner"]),
        cause=str(content["cause"]),
        until=from_ms(content["until"]),
        is_for_user=content.get("user") is True,
    )


def _parse_name(value: object) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise ValueError("a name is text")
