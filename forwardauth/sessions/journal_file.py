"""A file of JSON lines that the processes of one machine append to and read along.

Laws: a line is on the disk when ``append`` returns. A file is only ever appended to;
what shortens it is a new file under the same name, whose first line says so. Hence a
reader goes on where it stopped, and takes a file that somebody deleted for no other.

Room is kept behind the end of the file where its file system can, so that a disk that
has become full, on which nobody could be signed out otherwise, still takes promises.
"""

import fcntl
import json
import os
import struct
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeAlias

from forwardauth.errors import UnreadableJournalError

Line: TypeAlias = dict[str, Any]

RESERVED_BYTES: Final = 512 * 1024
"""Room for a thousand promises and for what becomes of them."""

_BLOCK_BYTES: Final = 512
"""The unit of ``st_blocks``, whatever the blocks of the file system are."""

_RESERVE: Final = 0x40305828
"""``FS_IOC_RESVSP``, which is ``fallocate`` that keeps the length of the file.
Source: ``linux/falloc.h``; where it has another number there is no such request."""

_SPACE: Final = "@hhqqiI4i"
"""``struct space_resv`` of the same file: from where, how much, and what is unused."""

_LET_READ: Final = "let the service read it, or raise its limit of open files"
_MODE: Final = 0o600
REPLACED: Final = "replaced"
"""The key of the first line of a file that took the place of a longer one."""


class Origin(StrEnum):
    """How the lines of a reading relate to those that were read before."""

    APPENDED = "appended"
    """They follow."""

    REPLACED = "replaced"
    """They say all that still counts; what was read before does not."""

    LOST = "lost"
    """Somebody deleted or emptied the file; nothing contradicts what was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What has changed since the last look."""

    origin: Origin
    lines: tuple[Line, ...]


class JournalFile:
    """The file at *path*, as one process sees it.

    The file last read stays open. Its number on the disk is then not given to another
    one, so number and length together tell whether anything has changed.
    """

    def __init__(self, path: Path) -> None:
        """Keep *path*; nothing is opened before the first call."""
        self._path = path
        self._close: weakref.finalize[[int], JournalFile] | None = None
        self._descriptor = -1
        self._known = (0, 0, 0)
        self._offset = 0

    def read(self) -> Reading | None:
        """Return what is new, ``None`` when nothing is; that costs one ``stat``.

        A torn or foreign line is left out, a last line without its end waits for it.

        Raises:
            UnreadableJournalError: The file is there.
        """
        try:
            known = _position(os.stat(self._path))  # noqa: PTH116 - twice as fast
            if known == self._known:
                return None
            origin = self._reopen(known)
            lines = list(_parse(self._read_complete()))
        except FileNotFoundError:
            return self._lose()
        except OSError as exc:
            message = f"the revocation journal cannot be read: {exc}"
            raise UnreadableJournalError(message, remedy=_LET_READ) from exc
        self._known = known
        if origin is Origin.LOST and lines and REPLACED in lines[0]:
            origin = Origin.REPLACED
        return Reading(origin=origin, lines=tuple(lines))

    def _reopen(self, known: tuple[int, int, int]) -> Origin:
        """Open the file that the name leads to, if it is another or a shorter one."""
        if known[:2] == self._known[:2] and known[2] >= self._offset:
            return Origin.APPENDED
        descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        self._lose()
        self._descriptor = descriptor
        self._close = weakref.finalize(self, os.close, descriptor)
        return Origin.LOST

    def _lose(self) -> Reading | None:
        if self._close is None:
            return None
        self._close()
        self._close, self._descriptor = None, -1
        self._known, self._offset = (0, 0, 0), 0
        return Reading(origin=Origin.LOST, lines=())

    def _read_complete(self) -> bytes:
        """Return the lines behind the last one read that have their end."""
        length = os.fstat(self._descriptor).st_size - self._offset
        data = os.pread(self._descriptor, length, self._offset)
        complete = data[: data.rfind(b"\n") + 1]
        self._offset += len(complete)
        return complete

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Yield the file, open for ``append``, while no other process changes it.

        Raises:
            OSError: It is missing and cannot be made, or cannot be written.
        """
        while True:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, _MODE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if not self._is_current(descriptor):
                    continue  # Another process replaced it while we waited.
                if os.fstat(descriptor).st_size == 0:
                    _sync_folder(self._path)
                _reserve(descriptor)
                yield descriptor
            finally:
                os.close(descriptor)
            return

    def _is_current(self, descriptor: int) -> bool:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return False
        return _position(status)[:2] == _position(os.fstat(descriptor))[:2]

    def append(self, descriptor: int, lines: Iterable[Line]) -> None:
        """Write *lines* to the file that ``locked`` has yielded.

        Raises:
            OSError: The disk did not take all of them; it may have taken some.
        """
        _write_all(descriptor, b"".join(map(_encode, lines)))
        os.fsync(descriptor)

    def replace(self, lines: Iterable[Line]) -> None:
        """Put a file with *lines* alone in its place; the caller holds the lock.

        Raises:
            OSError: The disk did not take it; the old file is as it was.
        """
        temporary = self._path.with_name(self._path.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        try:
            descriptor = os.open(temporary, flags, _MODE)
            try:
                # Root may run a command for a service that runs as another user.
                status = self._path.stat()
                with suppress(PermissionError):
                    os.fchown(descriptor, status.st_uid, status.st_gid)
                _reserve(descriptor)
                self.append(descriptor, [{REPLACED: True}, *lines])
            finally:
                os.close(descriptor)
            temporary.replace(self._path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(self._path)


def _reserve(descriptor: int) -> None:
    """Keep room behind the end of the file, where that is less than half of it."""
    status = os.fstat(descriptor)
    if status.st_blocks * _BLOCK_BYTES - status.st_size > RESERVED_BYTES // 2:
        return
    unused = (0, 0, 0, 0, 0, 0)
    space = struct.pack(_SPACE, 0, os.SEEK_SET, status.st_size, RESERVED_BYTES, *unused)
    # It is but for a worse day: without it everything works as long as there is room.
    with suppress(OSError):
        fcntl.ioctl(descriptor, _RESERVE, space)


def _position(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_dev, status.st_ino, status.st_size


def _parse(data: bytes) -> Iterator[Line]:
    for text in data.split(b"\n"):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict):
            yield line


def _encode(line: Line) -> bytes:
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
