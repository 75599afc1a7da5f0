"""Puts a new version of the users file in the place of the old one.

Laws: a reader finds the old file or the new one, never half of either, wherever the
folder lets us rename. Of two writers that hold the lock in turn none undoes the other's
edit.
"""

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from forwardauth.users.edits import EditError
from forwardauth.users.version import Signature, lookup_signature

NEW_FILE_MODE: Final = 0o600

_LOCK_ATTEMPTS: Final = 100
_LOCK_PAUSE_SECONDS: Final = 0.05

_CANNOT_REPLACE: Final = frozenset({errno.EBUSY, errno.EXDEV, errno.EPERM})
"""Busy or on another device: the file is a mount of its own, as containers make them.
Not permitted: its owner is another one, whom the new file could not be given to."""


class ChangedMeanwhileError(Exception):
    """Somebody who does not use the lock, an editor say, has written the file."""


def is_writable(path: Path) -> bool:
    """Whether this process may put a new version in the place of *path*, as it looks.

    A file that its owner made read-only stays as it is, although a rename could replace
    it: whoever took the permission away meant the content.
    """
    target = path.resolve()
    return all(os.access(each, os.W_OK) for each in (target, target.parent))


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Keep other writers out; wait up to five seconds for one to finish.

    The lock is on a file beside *target*, since *target* itself is replaced. It is
    never removed: a second writer could hold the old one while a third makes a new one.

    Raises:
        EditError: The lock cannot be had.
    """
    path = target.with_name(f".{target.name}.lock")
    try:
        flags = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, NEW_FILE_MODE)
    except OSError as exc:
        raise EditError(
            f"cannot create {path}: {exc.strerror}; the folder of the users file must"
            " be writable (in a container, mount the folder, not the file)"
        ) from exc
    try:
        _share(descriptor, target)
        _lock(descriptor, target)
        yield
    finally:
        os.close(descriptor)


def _share(descriptor: int, target: Path) -> None:
    """Let whoever may write *target* take the lock, when the lock is ours to give."""
    with suppress(OSError):
        status = target.stat()
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        os.fchown(descriptor, status.st_uid, status.st_gid)


def _lock(descriptor: int, target: Path) -> None:
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_SECONDS)
        except OSError as exc:
            raise EditError(f"cannot lock {target}: {exc.strerror}") from exc
        else:
            return
    raise EditError(f"another process is writing {target}; try again")


def write(target: Path, text: str, *, before: Signature | None) -> None:
    """Make *text* the content of *target*, keeping its mode and its owner.

    Args:
        target: No symbolic link: the link would be replaced by a file.
        text: The whole new content.
        before: Signature of the version that *text* was made from; ``None`` for a new
            file, which only its owner can read.

    Raises:
        ChangedMeanwhileError: *target* is another version by now.
        EditError: The system refuses.
    """
    content = text.encode()
    try:
        _replace(target, content, before)
    except OSError as exc:
        if exc.errno not in _CANNOT_REPLACE:
            raise EditError(f"cannot write {target}: {exc.strerror}") from exc
        _overwrite(target, content)


def _replace(target: Path, content: bytes, before: Signature | None) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if before is not None:
                _keep_owner(descriptor, target)
            os.fsync(descriptor)
        _check_unchanged(target, before)
        new.replace(target)
    except BaseException:
        new.unlink()
        raise
    _sync_folder(target.parent)


def _check_unchanged(target: Path, before: Signature | None) -> None:
    if lookup_signature(target) != before:
        raise ChangedMeanwhileError


def _keep_owner(descriptor: int, target: Path) -> None:
    status, own = target.stat(), os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (own.st_uid, own.st_gid):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _sync_folder(folder: Path) -> None:
    """Make the rename last through a power cut, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _overwrite(target: Path, content: bytes) -> None:
    """Write into the file itself, the only way left.

    A reader may see half of it for a moment; ``UsersFile`` reads a version only once it
    has stood still.
    """
    try:
        with target.open("r+b") as file:
            file.write(content)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        raise EditError(f"cannot write {target}: {exc.strerror}") from exc
