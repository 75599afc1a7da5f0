"""Numbers that all processes of one instance count, in memory that they share.

    directory                      part 0                                   part 1 ...
    who has each part: worker,     how much of it is used; a name, how
    process id                     many numbers, these; the next name ...

The parent makes the memory before it forks. Each process counts in a part of its own,
where to count is to add to an integer; who wants the sum reads all parts, and so it is
exact at any moment, also for a process that was killed.

Laws: a part has one writer at a time. It is whoever holds the lock on its byte, which
the system takes back with the process, however that ended. Nothing in a part is ever
cleared: its next owner goes on from there, so that no sum goes down.
"""

import fcntl
import mmap
import os
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_WORD_BYTES: Final = 8
_ENTRY_WORDS: Final = 2
"""Of each: worker and process id; or length of the name and how many numbers."""

PART_WORDS: Final = 4096
"""32 KiB: some three hundred counters with their names."""

SUPERVISOR: Final = -1
"""In place of the number of a worker: the parent, which serves nothing."""

_NOBODY: Final = 0
_FIRST_WORKER: Final = 2
_PROCESSES_PER_WORKER: Final = 2
_SPARE: Final = 8


class NoPlaceError(Exception):
    """There is no part, or no room in a part, for one more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One counter of one part.

    Attributes:
        name: What it was made under.
        numbers: As they are now.
    """

    name: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingProcess:
    """A process that counts, and lives.

    Attributes:
        worker: Its number from 0, or ``SUPERVISOR``.
        pid: Its process id.
    """

    worker: int
    pid: int


class SharedCounts:
    """The memory; made once, and used by every process that is forked afterwards."""

    def __init__(self, *, workers: int = 1) -> None:
        """Make room for *workers*, as many that replace them, and some more.

        Memory that nobody has counted in yet is not taken from the system.
        """
        self._parts = _PROCESSES_PER_WORKER * workers + _SPARE
        size = self._parts * (_ENTRY_WORDS + PART_WORDS) * _WORD_BYTES
        self._file = _make_file(size)
        weakref.finalize(self, os.close, self._file)
        memory = memoryview(mmap.mmap(self._file, size))
        self._bytes = memory
        self.words = memory.cast("Q")
        """Everything, as integers of eight bytes, each written in one step."""
        self._own: set[int] = set()
        self._pid = os.getpid()

    def claim(self, worker: int) -> "Part":
        """Return a part that belongs to this process from now on, until it ends.

        Args:
            worker: Its number, or ``SUPERVISOR``.

        Raises:
            NoPlaceError: More processes live than there was made room for.
        """
        own = self._get_own()
        for part in range(self._parts):
            if part not in own and self._lock(part):
                own.add(part)
                self.words[_ENTRY_WORDS * part] = worker + _FIRST_WORKER
                self.words[_ENTRY_WORDS * part + 1] = os.getpid()
                return Part(self, self._start_of(part))
        message = f"all {self._parts} parts of the counters are taken"
        raise NoPlaceError(message)

    def read(self) -> Iterator[Counted]:
        """Yield what has been counted, part by part, by the living and the dead."""
        for part in self._used():
            yield from Part(self, self._start_of(part)).read()

    def processes(self) -> list[CountingProcess]:
        """Return who counts at the moment."""
        own = self._get_own()
        found = []
        for part in self._used():
            worker, pid = self.words[_ENTRY_WORDS * part : _ENTRY_WORDS * (part + 1)]
            if part not in own and self._lock(part):
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, part)
                continue
            found.append(CountingProcess(worker=worker - _FIRST_WORKER, pid=pid))
        return found

    def write_name(self, word: int, name: bytes) -> None:
        """Write *name* to where *word* is."""
        start = word * _WORD_BYTES
        self._bytes[start : start + len(name)] = name

    def read_name(self, word: int, length: int) -> bytes:
        """Return the *length* bytes that begin where *word* is."""
        start = word * _WORD_BYTES
        return bytes(self._bytes[start : start + length])

    def _get_own(self) -> set[int]:
        """Return the parts of this process: locks are not passed on in a fork."""
        if self._pid != os.getpid():
            self._pid, self._own = os.getpid(), set()
        return self._own

    def _lock(self, part: int) -> bool:
        """Take the lock of a part that is not our own; return whether it was free."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, part)
        except OSError:
            return False
        return True

    def _used(self) -> Iterator[int]:
        for part in range(self._parts):
            if self.words[_ENTRY_WORDS * part] == _NOBODY:
                return  # They are claimed in their order.
            yield part

    def _start_of(self, part: int) -> int:
        return _ENTRY_WORDS * self._parts + PART_WORDS * part


class Part:
    """Where one process counts."""

    def __init__(self, counts: SharedCounts, start: int) -> None:
        """Keep the memory, and the word at which the part begins."""
        self._counts = counts
        self._start = start

    @property
    def counts(self) -> SharedCounts:
        """All parts."""
        return self._counts

    def read(self) -> Iterator[Counted]:
        """Yield what has been counted here."""
        words = self._counts.words
        for name, first, count in self._entries():
            yield Counted(name=name, numbers=tuple(words[first : first + count]))

    def place(self, name: str, count: int) -> int:
        """Return the word of the first of *count* numbers, which are 0 when new.

        Raises:
            NoPlaceError: The part is full.
        """
        for known, first, _ in self._entries():
            if known == name:
                return first
        text = name.encode()
        used = self._counts.words[self._start]
        entry = self._start + 1 + used
        first = entry + _ENTRY_WORDS + -(-len(text) // _WORD_BYTES)
        end = first + count
        if end > self._start + PART_WORDS:
            message = f"the {PART_WORDS} words of the counters are full at {name!r}"
            raise NoPlaceError(message)
        words = self._counts.words
        words[entry], words[entry + 1] = len(text), count
        self._counts.write_name(entry + _ENTRY_WORDS, text)
        for word in range(first, end):
            words[word] = 0
        # Last, so that nobody reads what is half written.
        words[self._start] = end - self._start - 1
        return first

    def _entries(self) -> Iterator[tuple[str, int, int]]:
        """Yield each name, the word of its first number, and how many it has."""
        words = self._counts.words
        entry, end = self._start + 1, self._start + 1 + words[self._start]
        while entry < end:
            length, count = words[entry], words[entry + 1]
            first = entry + _ENTRY_WORDS + -(-length // _WORD_BYTES)
            text = self._counts.read_name(entry + _ENTRY_WORDS, length)
            yield text.decode(), first, count
            entry = first + count


def _make_file(size: int) -> int:
    """Return a file of *size* that has no name, in memory where the system has that."""
    try:
        descriptor = os.memfd_create("forwardauth counts")
    except (AttributeError, OSError):  # not Linux, or a sandbox that has none
        import tempfile  # noqa: PLC0415 - slow to import, and seldom needed

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, size)
    return descriptor
