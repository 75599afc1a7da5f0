"""Rows of a store that have been read before: each is taken apart once.

Law: what is told is what the store has just told. That a row was known saves the work
to read it, and it is known again only by all that it says.
"""

from dataclasses import dataclass, field
from typing import Final

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.rows import (
    Content,
    Glance,
    NoGlanceError,
    Row,
    end_of,
    parse_record,
)

MAX_KNOWN: Final = 32_768
"""How many rows are known at most; each takes some 350 bytes."""


@dataclass(slots=True)
class KnownRow(Row):
    """A row that has been read; it has let go of its record.

    Attributes:
        absolute_ms: When the session ends at the latest, in ms since 1970.
        idle_ms: How long it lasts unused, ``None`` where that has no bound.
        said: What tells its owner and its record from any others.
        version: What its store was at when it told the times; a number of its own.
        size: How many bytes the answer of a server had that told all of this.
        bytes_hash: What tells those from any others.
    """

    absolute_ms: int = field(default=0, init=False, compare=False)
    idle_ms: int | None = field(default=None, init=False, compare=False)
    said: int = field(default=0, init=False, compare=False)
    version: int = field(default=-1, init=False, compare=False)
    size: int = field(default=0, init=False, compare=False)
    bytes_hash: int = field(default=-1, init=False, compare=False)

    def see(self, seen_ms: int) -> None:
        """Take over when the session was last used, as the store has just told."""
        self.seen_ms = seen_ms
        self.ends_ms = self.ends_after(seen_ms)

    def ends_after(self, seen_ms: int) -> int:
        """Return when the session ends if its last use was at *seen_ms*; all in ms."""
        return end_of(self.absolute_ms, self.idle_ms, seen_ms=seen_ms)


class KnownRows:
    """The rows of one store; one for each worker."""

    def __init__(self) -> None:
        """Know nothing."""
        self._rows: dict[Digest, KnownRow] = {}
        # Sessions of one user often say the same, and then do so in one place.
        self._glances: dict[Glance, Glance] = {}
        self.get = self._rows.get
        """Returns the row of a digest, ``None`` where that is not known."""

    def read(self, digest: Digest, row: Row) -> Row:
        """Return *row* as read, which it is at once where it says what it said before.

        Args:
            digest: Its key.
            row: As the store has it now.

        Returns:
            *row* itself, which is not kept, where a glance cannot read it.
        """
        said = hash((row.owner, row.record))
        known = self._rows.get(digest)
        if known is None or known.said != said:
            try:
                content = parse_record(row.owner, row.record)
            except NoGlanceError:
                return row
            known = self._keep(digest, content)
            known.said = said
        known.see(row.seen_ms)
        return known

    def _keep(self, digest: Digest, content: Content) -> KnownRow:
        if max(len(self._rows), len(self._glances)) >= MAX_KNOWN:
            self.clear()
        glance = self._glances.setdefault(content.glance, content.glance)
        known = self._rows[digest] = KnownRow(glance.username, b"", 0)
        known.glance = glance
        known.absolute_ms, known.idle_ms = content.absolute_ms, content.idle_ms
        return known

    def forget(self, digest: Digest) -> None:
        """Let go of a session that has ended."""
        self._rows.pop(digest, None)

    def clear(self) -> None:
        """Know nothing more."""
        self._rows.clear()
        self._glances.clear()
