"""Revocations that the store has not taken yet, kept on this machine's disk.

When a logout meets a store that does not answer, its digest goes into this file before
the logout is answered. Every worker of the instance refuses that digest from then on,
and one of them ends the session as soon as the store is back, after a restart too.

Laws: an entry is on the disk before anybody is told that it is pending; it leaves only
when the store has confirmed, or when no session it could mean can still be alive. What
a full disk does not take is held in memory, and written when there is room.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal_file import JournalFile, Line, Origin
from forwardauth.sessions.model import from_ms, to_ms
from forwardauth.sessions.store import Entry

_DIGEST_BYTES: Final = 32
_MAX_IDLE_LINES: Final = 1_000
"""How many lines about what is over a file may have before it is replaced."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRevocation:
    """One session that has to be ended in the store.

    Attributes:
        digest: The key of the session; never the session id.
        login: Its login, when it was known: the linked sessions end too.
        owner: Its user, when that was known and every session of the user is to end.
        cause: Why it ends, a value of ``EndCause``.
        until: When no session of that digest can be alive any more.
        is_for_user: Whether every session of the user is to end, known or not.
    """

    digest: Digest
    login: str | None
    owner: str | None
    cause: str
    until: datetime
    is_for_user: bool = False


class RevocationJournal:
    """The pending revocations of one instance, shared by its workers."""

    def __init__(self, path: Path) -> None:
        """Use the file at *path*; nothing is opened before the first call."""
        self._file = JournalFile(path)
        self._lines = 0
        self._written: dict[Digest, PendingRevocation] = {}
        self._held: dict[Digest, PendingRevocation | None] = {}
        """What the disk has not taken; ``None`` is an entry that is over."""

        self._pending: dict[Digest, PendingRevocation] = {}
        self._logins: frozenset[str | None] = frozenset()
        self._owners: frozenset[str | None] = frozenset()

    def holds(self, digest: Digest) -> bool:
        """Whether *digest* is refused until the store has ended it."""
        self._refresh()
        return digest in self._pending

    def covers(self, entry: Entry) -> bool:
        """Whether *entry* will be ended: by itself, with its login or its user."""
        return (
            self.holds(entry.digest)
            or entry.login in self._logins
            or entry.owner in self._owners
        )

    def may_cover_user(self, username: str) -> bool:
        """Whether all sessions of *username* will be ended, as far as is known."""
        self._refresh()
        return username in self._owners or any(
            each.is_for_user and each.owner is None for each in self._pending.values()
        )

    def list_pending(self) -> tuple[PendingRevocation, ...]:
        """Return what is pending, in the order of arrival."""
        self._refresh()
        return tuple(self._pending.values())

    def is_empty(self) -> bool:
        """Whether nothing is pending; one ``stat``, as ``holds``."""
        self._refresh()
        return not self._pending

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
        self._held.update({each.digest: each for each in revocations})
        self._index()
        self.write_held()

    def remove(self, *digests: Digest) -> None:
        """Forget *digests*: the store has ended them, or they cannot be alive.

        Raises:
            OSError: The disk did not take it. This worker has forgotten them; another
                one, and this one after a restart, ends them once more.
        """
        self._held.update(dict.fromkeys(digests))
        self._index()
        self.write_held()

    def forget_outdated(self, now: datetime) -> None:
        """Remove every entry whose session has certainly expired at *now*.

        Raises:
            OSError: As ``remove``.
        """
        self.remove(*(each.digest for each in self.list_pending() if each.until <= now))

    def write_held(self) -> None:
        """Write what the disk has not taken so far.

        Raises:
            OSError: It still does not; nothing is lost by that.
        """
        self._refresh()
        if not self._held:
            return
        with self._file.locked() as descriptor:
            lines = [_dump(digest, entry) for digest, entry in self._held.items()]
            self._file.append(descriptor, lines)
            self._held.clear()
            self._refresh()
            self._shorten()

    def check_writable(self) -> None:
        """Create the file when it is missing, and prove that it can be written.

        Raises:
            OSError: It cannot; the service must not start without it.
        """
        with self._file.locked():
            pass

    def _shorten(self) -> None:
        """Drop the lines about what is over, when all or most of them are."""
        idle = self._lines - len(self._written)
        if self._written and idle <= max(_MAX_IDLE_LINES, len(self._written)):
            return
        try:
            self._file.replace(_dump(key, each) for key, each in self._written.items())
        except OSError as exc:
            # What had to be on the disk is there; it only takes more room.
            _log.warning("cannot shorten the revocation journal: %s", exc)

    def _refresh(self) -> None:
        """Take in what another worker, or we, have written."""
        reading = self._file.read()
        if reading is None:
            return
        # A file that somebody deleted must not free the sessions it named.
        lost = self._written if reading.origin is Origin.LOST else {}
        if reading.origin is not Origin.APPENDED:
            self._written, self._lines = {}, 0
        self._lines += len(reading.lines)
        for line in reading.lines:
            if (digest := self._apply(line)) is not None:
                lost.pop(digest, None)
        self._held = {**lost, **self._held}
        self._index()

    def _apply(self, line: Line) -> Digest | None:
        """Take in one line and return what it is about; a foreign one says nothing."""
        try:
            if "add" in line:
                revocation = _parse(line["add"])
                self._written[revocation.digest] = revocation
                return revocation.digest
            digest = Digest(bytes.fromhex(line["done"]))
        except (ValueError, KeyError, TypeError, OverflowError):
            return None
        self._written.pop(digest, None)
        return digest

    def _index(self) -> None:
        """Lay what the disk has not taken over what it has."""
        entries = {**self._written, **self._held}
        self._pending = {key: each for key, each in entries.items() if each is not None}
        self._logins = frozenset(each.login for each in self._pending.values())
        self._owners = frozenset(each.owner for each in self._pending.values())


def _dump(digest: Digest, revocation: PendingRevocation | None) -> Line:
    if revocation is None:
        return {"done": digest.hex()}
    content = {
        "v": 1,
        "digest": digest.hex(),
        "login": revocation.login,
        "owner": revocation.owner,
        "cause": revocation.cause,
        "until": to_ms(revocation.until),
        "user": revocation.is_for_user,
    }
    return {"add": content}


def _parse(content: dict[str, Any]) -> PendingRevocation:
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
