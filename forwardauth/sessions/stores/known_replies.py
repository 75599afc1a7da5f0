"""Answers of Redis that have come before: each is read once.

    bytes ─► as before? ─► row
                └─ no ─► read ─► row, known by its bytes

Taking an answer apart and comparing what it says with what is known takes longer than
to see that it is, byte for byte, the one of last time.

Law: what is told is what the server has just told. An answer is known again only by all
of its bytes, those in which the times stand, too.
"""

from collections.abc import Iterable
from typing import Any

from forwardauth.sessions.awaited_glances import Found
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.known_rows import KnownRow, KnownRows
from forwardauth.sessions.rows import Row
from forwardauth.sessions.stores.redis_keys import parse_row


class KnownReplies:
    """The answers to look-ups in one store; one for each worker."""

    def __init__(self) -> None:
        """Know nothing."""
        self._rows = KnownRows()

    def spot(self, data: bytes, begin: int, digest: Digest) -> tuple[Row, int] | None:
        """Return the row of *digest* and where its answer ends, if it came before.

        Args:
            data: What has come.
            begin: Where the answer about *digest* begins in it.
            digest: Of a session.
        """
        row = self._rows.get(digest)
        if row is None:
            return None
        end = begin + row.size
        return (row, end) if hash(data[begin:end]) == row.bytes_hash else None

    def read(self, values: Any, digest: Digest) -> Found:
        """Return what is told of *digest*; see ``redis_keys.parse_row``."""
        row = parse_row(values)
        if not isinstance(row, Row):
            self._rows.forget(digest)
            return row
        row = self._rows.read(digest, row)
        if isinstance(row, KnownRow):
            data = _encode(values)
            row.size, row.bytes_hash = len(data), hash(data)
        return row


def _encode(values: Iterable[bytes]) -> bytes:
    """Return the only way in which a server says *values*.

    Source: RESP, arrays of bulk strings.
    """
    parts = [b"$%d\r\n%b\r\n" % (len(each), each) for each in values]
    return b"*%d\r\n%b" % (len(parts), b"".join(parts))
