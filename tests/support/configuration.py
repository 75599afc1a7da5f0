"""Configurations as text, and what loading them finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forwardauth.config.load import load_checked, load_settings
from forwardauth.config.problems import Problem
from forwardauth.config.schema import Settings
from forwardauth.errors import ConfigError

USERS: Final = "users:\n  file: users.yaml\n"
COOKIES: Final = (
    "cookies:\n  - domain: example.com\n    portal: https://auth.example.com\n"
)
COMPLETE: Final = USERS + COOKIES
"""The shortest file that holds everything that is required."""

NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A text with one mistake, and what has to be said about it.

    Attributes:
        text: Follows ``base``.
        key: The dotted key that the problem names.
        line: Line of *text* that the problem names, from 1.
        keyword: Stands in the reason.
        base: What the file starts with.
    """

    text: str
    key: str
    line: int
    keyword: str
    base: str = COMPLETE

    def check(self, folder: Path) -> None:
        """Load the text and compare; a second problem would be a false alarm."""
        path = write_config(folder, self.base + self.text)
        found = problems_in(path)

        assert [problem.place.key for problem in found] == [self.key], found
        assert found[0].place.source == str(path)
        assert found[0].place.line == self.base.count("\n") + self.line
        assert self.keyword in found[0].reason
        assert found[0].remedy


def write_config(folder: Path, text: str) -> Path:
    """Return the file in *folder* that holds *text* from now on."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load_text(
    folder: Path, text: str, environ: Mapping[str, str] = NOTHING
) -> Settings:
    """Return the settings of ``COMPLETE`` and *text*."""
    return load_settings(write_config(folder, COMPLETE + text), environ)


def problems_in(
    path: Path | None, environ: Mapping[str, str] = NOTHING
) -> tuple[Problem, ...]:
    """Return everything that is wrong, nothing when the configuration is valid."""
    try:
        load_checked(path, environ)
    except ConfigError as exc:
        return tuple(p for p in exc.problems if isinstance(p, Problem))
    return ()


def warnings_in(
    folder: Path, text: str, environ: Mapping[str, str] = NOTHING
) -> tuple[Problem, ...]:
    """Return the warnings for ``COMPLETE`` and *text*."""
    _, warnings = load_checked(write_config(folder, COMPLETE + text), environ)
    return warnings
