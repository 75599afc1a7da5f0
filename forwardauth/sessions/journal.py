"""Revocations that the store has not taken yet, kept on this machine's disk.

When a logout meets a store that does not answer, its digest goes into this file before
the logout is answered. Every worker of the instance refuses that digest from then on,
and one of them ends the session as soon as the store is back, after a restart too.

Laws: an entry is on the disk before anybody is told that it is pending; it leaves only
when the store has confirmed, or when no session it could mean can still be alive.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import from_ms, to_ms

_MODE: Final = 0o600
_COMPACT_BYTES: Final = 256 * 1024
_Signature = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRevocation:
    """One session that has to be ended in the store.

    Attributes:
        digest: The key of the session; never the session id.
        login: Its login, when it was known: the linked sessions end too.
        owner: Its user, when every session of the user is to end.
        is_for_user: The same where the user is not known: the store did not answer.
        cause: Why it ends, a value of ``EndCause``.
        until: When no session of that digest can be alive any more.
    """

    digest: Digest
    login: str | None
    owner: str | None
    cause: str
    until: datetime
    is_for_user: bool = False


class RevocationJournal:
    """The pending revocations of one instance, shared by its workers.

    The file is small and mostly empty, so it is read whole whenever it has changed;
    asking costs one ``stat``.
    """

    def __init__(self, path: Path) -> None:
        """Use the file at *path*; nothing is opened before the first call."""
        self._path = path
        self._signature: _Signature | None = None
        self._pending: dict[Digest, PendingRevocation] = {}
        self._unwritten: dict[Digest, PendingRevocation] = {}

    def holds(self, digest: Digest) -> bool:
        """Whether *digest* is refused until the store has ended it."""
        self._refresh()
        return digest in self._pending or digest in self._unwritten

    def list_pending(self) -> tuple[PendingRevocation, ...]:
        """Return what is pending, in the order of arrival."""
        self._refresh()
        return (*self._pending.values(), *self._unwritten.values())

    def add(self, revocation: PendingRevocation) -> None:
        """Write *revocation* to the disk; it is refused by all workers afterwards.

        Raises:
            OSError: The disk did not take it. It is held in memory all the same, so
                this worker refuses the digest and retries; a restart would lose it.
        """
        self.add_all([revocation])

    def add_all(self, revocations: Sequence[PendingRevocation]) -> None:
        """Write many as ``add`` writes one, with one flush of the disk.

        Raises:
            OSError: As ``add``, for all of them.
        """
        by_digest = {revocation.digest: revocation for revocation in revocations}
        self._unwritten |= by_digest
        self._append(*({"add": _dump(each)} for each in by_digest.values()))
        for digest in by_digest:
            self._unwritten.pop(digest, None)

    def remove(self, digest: Digest) -> None:
        """Forget *digest*: the store has ended it, or it cannot be alive any more.

        Raises:
            OSError: The disk did not take it; ending the session again is harmless.
        """
        self._unwritten.pop(digest, None)
        self._refresh()
        if digest in self._pending:
            self._append({"done": digest.hex()})

    def forget_outdated(self, now: datetime) -> None:
        """Remove every entry whose session has certainly expired at *now*."""
        for revocation in self.list_pending():
            if revocation.until <= now:
                self.remove(revocation.digest)

    def check_writable(self) -> None:
        """Create the file when it is missing, and prove that it can be written.

        Raises:
            OSError: It cannot; the service must not start without it.
        """
        with self._locked():
            pass

    def _append(self, *lines: dict[str, Any]) -> None:
        with self._locked() as descriptor:
            _write_all(descriptor, b"".join(map(_encode, lines)))
            os.fsync(descriptor)
            pending = _read(descriptor)
            if not pending:
                os.ftruncate(descriptor, 0)
            elif os.fstat(descriptor).st_size > _COMPACT_BYTES:
                self._compact(pending)
        self._refresh()

    def _compact(self, pending: dict[Digest, PendingRevocation]) -> None:
        """Replace the file by one with *pending* only; needs the lock."""
        temporary = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        try:
            # Root may run a command for a service that runs as another user.
            status = self._path.stat()
            with suppress(PermissionError):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            lines = [_encode({"add": _dump(entry)}) for entry in pending.values()]
            _write_all(descriptor, b"".join(lines))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(self._path)
        _sync_folder(self._path)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Yield the open file under an exclusive lock between processes."""
        while True:
            is_new = not self._path.exists()
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, _MODE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if not self._is_current(descriptor):
                    continue  # Another worker compacted while we waited.
                if is_new:
                    _sync_folder(self._path)
                yield descriptor
            finally:
                os.close(descriptor)
            return

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.fstat(descriptor).st_ino == self._path.stat().st_ino
        except FileNotFoundError:
            return False

    def _refresh(self) -> None:
        """Read the file again if another worker, or we, changed it."""
        try:
            status = self._path.stat()
            signature = (status.st_ino, status.st_size, status.st_mtime_ns)
            if signature == self._signature:
                return
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            # A file that somebody deleted must not free the sessions it named.
            self._unwritten.update(self._pending)
            self._pending, self._signature = {}, None
            return
        try:
            self._pending = _read(descriptor)
        finally:
            os.close(descriptor)
        self._signature = signature


def _read(descriptor: int) -> dict[Digest, PendingRevocation]:
    """Return what the open file says is pending; torn and foreign lines say nothing."""
    size = os.fstat(descriptor).st_size
    pending: dict[Digest, PendingRevocation] = {}
    for line in os.pread(descriptor, size, 0).splitlines():
        try:
            content: dict[str, Any] = json.loads(line)
            if "add" in content:
                revocation = _parse(content["add"])
                pending[revocation.digest] = revocation
            else:
                pending.pop(Digest(bytes.fromhex(content["done"])), None)
        except (ValueError, KeyError, TypeError):
            continue
    return pending


def _dump(revocation: PendingRevocation) -> dict[str, Any]:
    return {
        "v": 1,
        "digest": revocation.digest.hex(),
        "login": revocation.login,
        "owner": revocation.owner,
        "cause": revocation.cause,
        "until": to_ms(revocation.until),
        "user": revocation.is_for_user,
    }


def _parse(content: dict[str, Any]) -> PendingRevocation:
    return PendingRevocation(
        digest=Digest(bytes.fromhex(content["digest"])),
        login=content["login"],
        owner=content["owner"],
        cause=str(content["cause"]),
        until=from_ms(content["until"]),
        is_for_user=content.get("user") is True,
    )


def _encode(line: dict[str, Any]) -> bytes:
    # A line break in front closes a line that a crash has torn.
    return b"\n" + json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(path: Path) -> None:
    """Make a new name in the folder of *path* survive a power cut."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
