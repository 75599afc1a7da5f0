"""The files that an import writes.

Laws: nothing is overwritten unless somebody has said so. What holds a secret can be
read by its owner alone from the first byte on. A reader finds the old file or the whole
new one.
"""

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

_SECRET_MODE: Final = 0o600
_PLAIN_MODE: Final = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that is about to be written."""

    path: Path
    text: str = field(repr=False)
    has_secret: bool


def write_files(files: Sequence[NewFile], *, is_forced: bool) -> None:
    """Write all of *files*, or none where one of them is there already.

    Raises:
        click.UsageError: One is there, and *is_forced* is not set.
        OSError: A file cannot be written.
    """
    taken = [str(file.path) for file in files if os.path.lexists(file.path)]
    if taken and not is_forced:
        raise click.UsageError(
            f"{', '.join(taken)} exists already; name another file, or give --force"
        )
    for file in files:
        _write(file)


def _write(file: NewFile) -> None:
    folder = file.path.absolute().parent
    # Made for its owner alone, whatever it will be.
    descriptor, name = tempfile.mkstemp(prefix=f".{file.path.name}.", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(file.text)
            os.fchmod(stream.fileno(), _SECRET_MODE if file.has_secret else _PLAIN_MODE)
        Path(name).replace(file.path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
