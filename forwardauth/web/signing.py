"""The key that signs form tokens, pre-session cookies and what passes between portals.

It is configured where several machines share the work; elsewhere it is made once and
kept beside the journal. It is never in the session store: who reads the store must not
be able to sign anything.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

KEY_FILE: Final = "secret.key"
_KEY_BYTES: Final = 32
_MODE: Final = 0o600


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
    temporary = folder / f"{KEY_FILE}.{os.getpid()}"
    if not path.exists():
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, not a rename: of two workers that start at once, one wins.
            path.hardlink_to(temporary)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        message = f"{path} is cut short: remove it, and a new one is made"
        raise OSError(message)
    return key
