"""The portal's static files: read once, and named by their content.

A name such as ``style.3f2a9c….css`` never means anything else, so browsers may keep it
for a year. The files of an operator's folder replace the shipped ones name by name, and
images may be added to them; what cannot be read is reported and left out.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).with_name("static")

CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
"""What is served, by suffix; other files of a folder are none of ours."""

_HASH_CHARACTERS: Final = 16
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One static file, complete.

    Attributes:
        name: With the hash of *body* in it, as the last part of its URL.
        body: The content.
        content_type: For the header, charset included.
    """

    name: str
    body: bytes
    content_type: str


class Assets:
    """The static files below ``{base_path}/static/``.

    Args:
        base_path: Where the portal lives: empty, ``/``, or ``/`` and a path.
        replacements: The operator's folder, ``None`` for the shipped files alone.
    """

    def __init__(
        self, *, base_path: str = "", replacements: Path | None = None
    ) -> None:
        self._prefix = f"{base_path.rstrip('/')}/static/"
        self._by_plain_name = dict(_load_folder(STATIC))
        if replacements is not None:
            self._by_plain_name.update(_load_folder(replacements))
        self._by_name = {asset.name: asset for asset in self._by_plain_name.values()}

    def url(self, name: str, *, origin: str = "") -> str:
        """Return the URL of the file that is called *name* on disk.

        Args:
            name: For instance ``style.css``.
            origin: Scheme and host to put in front, for a page that is not shown on
                the portal; empty for a URL that starts with ``/``.

        Raises:
            KeyError: There is no such file.
        """
        return f"{origin}{self._prefix}{self._by_plain_name[name].name}"

    def lookup(self, name: str) -> Asset | None:
        """Return the file with the hashed *name*; ``None`` for any other name.

        Names are looked up among what was read at start, so no path reaches the disk.
        """
        return self._by_name.get(name)


def _load_folder(folder: Path) -> Iterator[tuple[str, Asset]]:
    try:
        paths = sorted(folder.iterdir())
    except OSError as exc:
        _log.warning("folder %s cannot be read: %s", folder, exc.strerror)
        return
    for path in paths:
        content_type = CONTENT_TYPES.get(path.suffix)
        if content_type is None:
            continue
        try:
            body = path.read_bytes()
        except OSError as exc:
            _log.warning("file %s cannot be read: %s", path, exc.strerror)
            continue
        digest = hashlib.sha256(body).hexdigest()[:_HASH_CHARACTERS]
        name = f"{path.stem}.{digest}{path.suffix}"
        yield path.name, Asset(name=name, body=body, content_type=content_type)
