"""Rows of a store whose records have been read, so that only their times are asked for.

Law: nothing is known here but what never changes. A record is written once, and no
digest is used twice (``store``), so what a record says is so for as long as the store
has the session; whether it has, and when it was last used, is for the store to say.
"""

from dataclasses import dataclass, field
from typing import Final

from forwardauth.sessions.glances import Glance, NoGlanceError, Row, parse_record
from forwardauth.sessions.ids import Digest

MAX_KNOWN: Final = 32_768
"""How many rows are known at most; each takes some 300 bytes."""


@dataclass(slots=True)
class KnownRow(Row):
    """A row that has been read; it has let go of its record.

    Attributes:
        absolute_ms: When the session ends at the latest, in ms since 1970.
        idle_ms: How long it lasts unused, ``None`` where that has no bound.
        version: What its store was at when it told the times; a number of its own.
    """

    absolute_ms: int = field(default=0, init=False, compare=False)
    idle_ms: int | None = field(default=None, init=False, compare=False)
    version: int = field(default=-1, init=False, compare=False)

    def see(self, seen_ms: int) -> None:
        """Take over when the session was last used, as the store has just told."""
        self.seen_ms = seen_ms
        self.ends_ms = self.absolute_ms
        if self.idle_ms is not None:
            self.ends_ms = min(self.absolute_ms, seen_ms + self.idle_ms)


class KnownRows:
    """The rows of one store; one for each worker."""

    def __init__(self) -> None:
        """Know nothing."""
        self._rows: dict[Digest, KnownRow] = {}
        # Sessions of one user often say the same, and then do so in one place.
        self._glances: dict[Glance, Glance] = {}
        self.get = self._rows.get
        """Returns the row of a digest, ``None`` where that is not known."""

    def keep(self, digest: Digest, row: Row) -> Row:
        """Return *row* as it is known from now on.

        Args:
            digest: Its key.
            row: As the store has it.

        Returns:
            *row* itself, which is not kept, where a glance cannot read it.
        """
        try:
            content = parse_record(row.owner, row.record)
        except NoGlanceError:
            return row
        if len(self._rows) >= MAX_KNOWN:
            self.clear()
        glance = self._glances.setdefault(content.glance, content.glance)
        known = KnownRow(glance.username, b"", row.seen_ms)
        known.glance = glance
        known.absolute_ms, known.idle_ms = content.absolute_ms, content.idle_ms
        known.see(row.seen_ms)
        self._rows[digest] = known
        return known

    def forget(self, digest: Digest) -> None:
        """Let go of a session that has ended."""
        self._rows.pop(digest, None)

    def clear(self) -> None:
        """Know nothing more."""
        self._rows.clear()
        self._glances.clear()
