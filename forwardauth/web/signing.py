"""The key that signs form tokens, pre-session cookies and what passes between portals.

It is configured where several machines share the work; elsewhere it is made once and
kept beside the journal. It is never in the session store: who reads the store must not
be able to sign anything.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

KEY_FILE: Final = "secret.key"
_KEY_BYTES: Final = 32


def derive_key(key: bytes, purpose: str) -> bytes:
    """Return a key of 32 bytes for *purpose* alone, from the one that is configured.

    So nothing that is signed for one purpose can be shown for another.
    """
    return hmac.digest(key, f"forwardauth {purpose}".encode(), hashlib.sha256)


def load_key(folder: Path, configured: str | None) -> bytes:
    """Return the signing key, at least 32 bytes.

    Args:
        folder: Where the key file is, or is made.
        configured: ``session.secret``, ``None`` to use the file.

    Raises:
        OSError: The file can be neither read nor made, or is cut short.
    """
    if configured is not None:
        return configured.encode()
    path = folder / KEY_FILE
    if not path.exists():
        _make(path)
    return _read(path)


def check_key(folder: Path) -> None:
    """Return when the key file in *folder* can be used, or has yet to be made.

    Raises:
        OSError: It is there and cannot be read, or is cut short.
    """
    with contextlib.suppress(FileNotFoundError):
        _read(folder / KEY_FILE)


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        message = f"{path} is cut short: remove it, and a new one is made"
        raise OSError(message)
    return key


def _make(path: Path) -> None:
    """Put a new key at *path*, unless another process does so at the same time."""
    # A name of our own, for the owner alone: two containers may share the folder, and
    # the process ids of both start at 1.
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: of two that start at once, one wins.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()
