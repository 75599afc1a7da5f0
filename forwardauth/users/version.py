"""One version of the users file: its text, and what tells it from the next."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns
from typing import Final, TypeAlias

from forwardauth.errors import ConfigError
from forwardauth.users.problems import Problem

MAX_FILE_BYTES: Final = 8 * 1024 * 1024

Signature: TypeAlias = tuple[int, int, int, int]
"""Inode, size, and the times, in nanoseconds, of the last change of the content and of
the file's mode or owner: a file that was refused for its mode is read after a chmod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The file as it was read.

    Attributes:
        text: Without a byte order mark.
        signature: Of exactly that text.
        read_ns: When its reading began, by the clock that all processes of a machine
            share and nobody sets.
    """

    text: str = field(repr=False)
    signature: Signature
    read_ns: int


def lookup_signature(path: Path) -> Signature | None:
    """Return the signature of the file at *path*, ``None`` where there is none."""
    try:
        return _signature_of(path.stat())
    except OSError:
        return None


def read_version(path: Path) -> Version:
    """Return the file at *path*.

    Raises:
        ConfigError: Missing, unreadable, no file, writable by others, longer than 8
            MiB, or not UTF-8.
    """
    read_ns = monotonic_ns()
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            # Asked of the open file: a rename in between cannot mix two versions.
            status = os.fstat(file.fileno())
            _check_status(status, path)
            raw = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as exc:
        remedy = "run forwardauth users add NAME, which creates it"
        raise _refusal(path, "the users file is missing", remedy) from exc
    except OSError as exc:
        reason = f"the users file cannot be read: {exc.strerror}"
        raise _refusal(path, reason, "let this process read it") from exc
    text = _decode(raw, path)
    return Version(text=text, signature=_signature_of(status), read_ns=read_ns)


def _open_at_once(path: str, flags: int) -> int:
    """Open *path*; without O_NONBLOCK a named pipe would hold us for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def _check_status(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(path, "this is no file", "name a file in users.file")
    if status.st_mode & stat.S_IWOTH:
        # Whoever can write it can sign in as anybody.
        raise _refusal(path, "others can write the users file", f"chmod o-w {path}")
    if status.st_size > MAX_FILE_BYTES:
        reason = f"the users file is longer than {MAX_FILE_BYTES // 1024**2} MiB"
        raise _refusal(path, reason, "remove users that are gone")


def _decode(raw: bytes, path: Path) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        remedy = "save the file as UTF-8"
        raise _refusal(f"{path}:{line}", "this is not UTF-8", remedy) from exc


def _signature_of(status: os.stat_result) -> Signature:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _refusal(place: Path | str, reason: str, remedy: str) -> ConfigError:
    return ConfigError([Problem(place=str(place), reason=reason, remedy=remedy)])
