"""Where audit events go when they have a place of their own: a file, or a stream.

Laws: an event is one write of one whole line, so several workers share a file. A place
that cannot be written is told of once, and once again when it can; meanwhile the events
stand in the log. Nothing here ends a request, or the service.
"""

import contextlib
import logging
import os
import stat
import time
from pathlib import Path
from typing import Final, Protocol, TextIO

_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
"""Not to wait for the other end, should a pipe be there in place of a file."""

_MODE: Final = 0o600

_LOOKS: Final = 3
_LOOK_SECONDS: Final = 0.001

_log = logging.getLogger(__name__)


class EventPlace(Protocol):
    """What takes lines."""

    def write(self, line: bytes) -> None:
        """Take one whole *line*, or raise ``OSError``."""
        ...


class FilePlace:
    """A file that lines are appended to, by the path that it was given.

    Who renames the file away gets a new one with the next line: no signal can come too
    early for a worker that is still starting, or be forgotten.
    """

    def __init__(self, path: Path, *, flags: int = os.O_CREAT) -> None:
        """Open *path*, which is made if it is missing unless *flags* are 0.

        Raises:
            OSError: It cannot be opened, or is no regular file.
        """
        self._path = path
        self._flags = flags
        self._descriptor = _open(path, flags)

    def write(self, line: bytes) -> None:
        """Append *line*, which ends as a line does."""
        if not self._is_current():
            self.reopen()
        if self._ends_torn():
            line = b"\n" + line
        while line:
            line = line[os.write(self._descriptor, line) :]

    def reopen(self) -> None:
        """Open the file that is at the path by now.

        Raises:
            OSError: It cannot be opened; the one before stays open.
        """
        descriptor = _open(self._path, self._flags)
        # Under the same number, since a signal may come while a line is being written.
        os.dup2(descriptor, self._descriptor, inheritable=False)
        os.close(descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _is_current(self) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))

    def _ends_torn(self) -> bool:
        """Whether the last line was cut, by a full disk or when the machine stopped.

        What another worker is writing at this moment may look so, for microseconds.
        """
        looks = 0
        while self._looks_torn():
            looks += 1
            if looks == _LOOKS:
                return True
            time.sleep(_LOOK_SECONDS)
        return False

    def _looks_torn(self) -> bool:
        size = os.fstat(self._descriptor).st_size
        return size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"


class StreamPlace:
    """A stream of the process."""

    def __init__(self, stream: TextIO) -> None:
        """Write to *stream*."""
        self._stream = stream

    def write(self, line: bytes) -> None:
        """Write *line* at once."""
        try:
            self._stream.write(line.decode())
            self._stream.flush()
        except ValueError as exc:
            raise OSError(str(exc)) from exc  # It is closed.


class AuditHandler(logging.Handler):
    """Hands audit events to a place, and to the log while that does not take them."""

    def __init__(
        self, place: EventPlace, name: str, otherwise: logging.Handler
    ) -> None:
        """Write to *place*, which is called *name*; *otherwise* is the log."""
        super().__init__()
        self._place = place
        self._called = name
        self._otherwise = otherwise
        self._missed = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record* where it belongs."""
        line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
        try:
            self._place.write(line)
        except OSError as exc:
            if self._missed == 0:
                _log.error(
                    "audit events stand in the log: %s cannot be written: %s",
                    self._called,
                    exc.strerror or exc,
                )
            self._missed += 1
            self._otherwise.handle(record)
            return
        if self._missed:
            _log.warning(
                "%s is written again; audit events in the log meanwhile: %d",
                self._called,
                self._missed,
            )
            self._missed = 0

    def reopen(self) -> None:
        """Open the file anew, if it is one; should it fail, the next event tells."""
        if isinstance(self._place, FilePlace):
            with contextlib.suppress(OSError):
                self._place.reopen()

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        if isinstance(self._place, FilePlace):
            self._place.close()


def _open(path: Path, flags: int) -> int:
    descriptor = os.open(path, _FLAGS | flags, _MODE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        message = "not a regular file"
        raise OSError(message)
    return descriptor
