"""The portal's static files: read once, and named by their content.

A name such as ``style.3f2a9c….css`` never means anything else, so browsers may keep it
for a year. The files of an operator's folder replace the shipped ones name by name, and
images may be added to them; what cannot be read is reported and left out.

Law: a page needs one style sheet. What the configuration says about it is written into
that one, and not beside it.
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
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
"""What is served, by suffix; other files of a folder are none of ours."""

MARK: Final = "mark.svg"
STYLE: Final = "style.css"
SCRIPT_SUFFIX: Final = ".js"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    suffix: str
    body: bytes


class Assets:
    """The static files below ``{base_path}/static/``.

    Args:
        base_path: Where the portal lives: empty, ``/``, or ``/`` and a path.
        replacements: The operator's folder, ``None`` for the shipped files alone.
        logo: The operator's image in place of the mark, ``None`` for the mark.
        extra_style: Rules that the style sheet ends with.

    Attributes:
        logo: Plain name of the image at the top of every page.
    """

    def __init__(
        self,
        *,
        base_path: str = "",
        replacements: Path | None = None,
        logo: Path | None = None,
        extra_style: str = "",
    ) -> None:
        self._prefix = f"{base_path.rstrip('/')}/static/"
        files = dict(_load_folder(STATIC))
        if replacements is not None:
            files.update(
                (name, file)
                for name, file in _load_folder(replacements)
                # A script may replace ours, and no other one is served.
                if file.suffix != SCRIPT_SUFFIX or name in files
            )
        self.logo = MARK
        image = None if logo is None else _load_file(logo)
        if image is not None:
            self.logo = f"logo{image.suffix}"
            files[self.logo] = image
        if extra_style:
            files[STYLE] = _append(files[STYLE], extra_style)
        self._by_plain_name = {
            name: _create_asset(name, file) for name, file in files.items()
        }
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


def _load_folder(folder: Path) -> Iterator[tuple[str, _File]]:
    try:
        paths = sorted(folder.iterdir())
    except OSError as exc:
        _log.warning("folder %s cannot be read: %s", folder, exc.strerror)
        return
    for path in paths:
        file = _load_file(path) if path.suffix in CONTENT_TYPES else None
        if file is not None:
            yield path.name, file


def _load_file(path: Path) -> _File | None:
    try:
        return _File(suffix=path.suffix.lower(), body=path.read_bytes())
    except OSError as exc:
        _log.warning("file %s cannot be read: %s", path, exc.strerror)
        return None


def _append(style: _File, rules: str) -> _File:
    return _File(suffix=style.suffix, body=style.body + b"\n" + rules.encode())


def _create_asset(plain_name: str, file: _File) -> Asset:
    digest = hashlib.sha256(file.body).hexdigest()[:_HASH_CHARACTERS]
    name = f"{Path(plain_name).stem}.{digest}{file.suffix}"
    return Asset(name=name, body=file.body, content_type=CONTENT_TYPES[file.suffix])
