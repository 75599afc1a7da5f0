"""Revocations that the store has not taken yet, kept on this machine's disk.

When a logout meets a store that does not answer, its digest goes into this file before
the logout is answered. Every worker of the instance refuses that digest from then on,
and one of them ends the session as soon as the store is back, after a restart too.

Laws: an entry is on the disk before anybody is told that it is pending; it leaves only
when the store has confirmed, or when no session it could mean can still be alive. What
a full disk does not take is held in memory, and written when there is room. A change
costs what it changes, whatever else is pending: one append and one flush for each call.
What a newer release wrote stays in the file as it came, also when that is shortened.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal_file import REPLACED, JournalFile, Line, Origin
from forwardauth.sessions.journal_lines import VERSION, dump_promise, parse_promise
from forwardauth.sessions.pending import PendingRevocation, PendingRevocations
from forwardauth.sessions.store import Entry

MAX_PENDING: Final = 50_000
"""Revocations that may be pending, some 20 MB of file and of memory in each worker.

Anybody can send cookies that nobody issued, and only the store knows them from others.
"""

_KINDS: Final = frozenset({"done", REPLACED})
_MAX_IDLE_LINES: Final = 1_000
"""How many lines about what is over a file may have before it is replaced."""

_log = logging.getLogger(__name__)


class RevocationJournal:
    """The pending revocations of one instance, shared by its workers."""

    def __init__(self, path: Path, *, max_pending: int = MAX_PENDING) -> None:
        """Use the file at *path*; nothing is opened before the first call."""
        self._file = JournalFile(path)
        self._max_pending = max_pending
        self._lines = 0
        self._written: dict[Digest, PendingRevocation] = {}
        self._newer: dict[Digest, Line] = {}
        self._foreign: list[Line] = []
        """What a newer release has written: promises, and lines of other kinds."""

        self._held: dict[Digest, PendingRevocation | None] = {}
        """What the disk has not taken; ``None`` is an entry that is over."""

        self._pending = PendingRevocations()

    def holds(self, digest: Digest) -> bool:
        """Whether *digest* is refused until the store has ended it."""
        return self.lookup(digest) is not None

    def covers(self, entry: Entry) -> bool:
        """Whether *entry* will be ended: by itself, with its login or its user."""
        self._refresh()
        return self._pending.covers(entry)

    def lookup(self, digest: Digest) -> PendingRevocation | None:
        """Return what is pending about *digest*, ``None`` when nothing is."""
        self._refresh()
        return self._pending.lookup(digest)

    def is_vague(self) -> bool:
        """Whether something is pending of which only the store knows what it covers."""
        self._refresh()
        return self._pending.is_vague()

    def may_cover_user(self, username: str) -> bool:
        """Whether all sessions of *username* will be ended, as far as is known."""
        self._refresh()
        return self._pending.may_cover_user(username)

    def has_room_for(self, revocations: Sequence[PendingRevocation]) -> bool:
        """Whether *revocations* may be added; news of what is pending always may."""
        digests = {each.digest for each in revocations}
        new = [each for each in digests if not self.holds(each)]
        return not new or len(self._pending) + len(new) <= self._max_pending

    def list_pending(self, limit: int | None = None) -> tuple[PendingRevocation, ...]:
        """Return what is pending, in the order of arrival, up to *limit*."""
        self._refresh()
        return self._pending.list_all(limit)

    def is_empty(self) -> bool:
        """Whether nothing is pending; one ``stat``, as ``holds``."""
        self._refresh()
        return not len(self._pending)

    def is_written(self) -> bool:
        """Whether the disk has taken everything."""
        self._refresh()
        return not self._held

    def add(self, revocation: PendingRevocation) -> None:
        """Write *revocation* to the disk; it is refused by all workers afterwards.

        Raises:
            OSError: The disk did not take it. It is held in memory all the same, so
                this worker refuses the digest and retries; a restart before
                ``write_held`` would lose it.
        """
        self.add_all([revocation])

    def add_all(self, revocations: Sequence[PendingRevocation]) -> None:
        """Write many as ``add`` writes one, with one flush of the disk.

        Raises:
            OSError: As ``add``, for all of them.
        """
        self._hold({each.digest: each for each in revocations})

    def remove(self, *digests: Digest) -> None:
        """Forget *digests*: the store has ended them, or they cannot be alive.

        Raises:
            OSError: The disk did not take it. This worker has forgotten them; another
                one, and this one after a restart, ends them once more.
        """
        self._hold(dict.fromkeys(digests))

    def forget_outdated(self, now: datetime) -> None:
        """Remove every entry whose session has certainly expired at *now*.

        Raises:
            OSError: As ``remove``.
        """
        self.remove(*(each.digest for each in self.list_pending() if each.until <= now))

    def _hold(self, entries: Mapping[Digest, PendingRevocation | None]) -> None:
        """Let *entries* count here at once, and write them."""
        try:
            self._refresh()  # What others have written came before.
        finally:
            for digest, entry in entries.items():
                joined = entry and entry.joined(self._pending.lookup(digest))
                self._held[digest] = joined
                self._pending.put(digest, joined)
        self.write_held()

    def write_held(self) -> None:
        """Write what the disk has not taken so far.

        Raises:
            OSError: It still does not; nothing is lost by that.
        """
        self._refresh()
        if not self._held:
            return
        with self._file.locked() as descriptor:
            lines = [
                dump_promise(digest, entry) for digest, entry in self._held.items()
            ]
            self._file.append(descriptor, lines)
            self._held.clear()
            self._refresh()
            self._shorten()

    def check_writable(self) -> None:
        """Create the file when it is missing; ``OSError`` when it cannot be written."""
        with self._file.locked():
            pass

    def _shorten(self) -> None:
        """Drop the lines about what is over, when all or most of them are."""
        idle = self._lines - len(self._written) - len(self._foreign)
        if self._written and idle <= max(_MAX_IDLE_LINES, len(self._written)):
            return
        try:
            self._file.replace([*self._foreign, *self._lines_of_promises()])
        except OSError as exc:
            # What had to be on the disk is there; it only takes more room.
            _log.warning("cannot shorten the revocation journal: %s", exc)

    def _lines_of_promises(self) -> Iterator[Line]:
        for digest, each in self._written.items():
            yield self._newer.get(digest) or dump_promise(digest, each)

    def _refresh(self) -> None:
        """Take in what another worker, or we, have written."""
        reading = self._file.read()
        if reading is None:
            return
        # A file that somebody deleted must not free the sessions it named.
        lost = self._written if reading.origin is Origin.LOST else {}
        if reading.origin is not Origin.APPENDED:
            self._written, self._newer, self._foreign = {}, {}, []
            self._lines = 0
        self._lines += len(reading.lines)
        found = map(self._apply, reading.lines)
        # In the order of arrival, each once.
        applied = dict.fromkeys(each for each in found if each is not None)
        if reading.origin is not Origin.APPENDED:
            for digest in applied:
                lost.pop(digest, None)
            self._held = {**lost, **self._held}
            self._index()
            return
        for digest in applied:
            if digest not in self._held:
                self._pending.put(digest, self._written.get(digest))

    def _apply(self, line: Line) -> Digest | None:
        """Take in one line and return what it is about; a foreign one says nothing."""
        try:
            if "add" in line:
                revocation = parse_promise(line["add"])
                self._written[revocation.digest] = revocation
                self._newer.pop(revocation.digest, None)
                if line["add"].get("v") != VERSION:
                    self._newer[revocation.digest] = line
                return revocation.digest
            digest = Digest(bytes.fromhex(line["done"]))
        except (ValueError, KeyError, TypeError, OverflowError):
            if _KINDS.isdisjoint(line):
                self._foreign.append(line)
            return None
        self._written.pop(digest, None)
        self._newer.pop(digest, None)
        return digest

    def _index(self) -> None:
        """Lay what the disk has not taken over what it has."""
        self._pending = PendingRevocations()
        for digest, entry in {**self._written, **self._held}.items():
            self._pending.put(digest, entry)
