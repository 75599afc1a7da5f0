"""Whether a file is an image that the portal can show."""

import stat
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 128 * 1024
"""People wait for it at every first visit, some of them on a phone."""

_HEAD_BYTES: Final = 1024
_MARKS: Final[dict[str, tuple[bytes, int]]] = {
    ".svg": (b"<svg", _HEAD_BYTES),
    ".png": (b"\x89PNG\r\n\x1a\n", 0),
    ".webp": (b"WEBP", 8),
    ".jpg": (b"\xff\xd8\xff", 0),
    ".jpeg": (b"\xff\xd8\xff", 0),
}
"""For each suffix what such a file holds, and up to which offset that may begin."""

_CHOOSE: Final = "name an .svg, .png, .webp or .jpg"


def lookup_fault(path: Path) -> tuple[str, str] | None:
    """Return reason and remedy when *path* is no image to show, else ``None``."""
    mark, offset = _MARKS.get(path.suffix.lower(), (None, 0))
    if mark is None:
        return "has no name of an image", _CHOOSE
    try:
        status = path.stat()
        is_file = stat.S_ISREG(status.st_mode)
        head = _read_head(path) if is_file else b""
    except FileNotFoundError:
        return "does not exist", "create it, or name another"
    except OSError as exc:
        return f"cannot be read: {exc.strerror}", "let the service read it"
    if status.st_size > MAX_BYTES:
        reason = f"has {status.st_size} bytes, above {MAX_BYTES}"
        return reason, "make it smaller: it is shown 48 pixels high"
    if not is_file or not 0 <= head.find(mark) <= offset:
        return f"does not hold what {path.suffix} stands for", _CHOOSE
    return None


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
