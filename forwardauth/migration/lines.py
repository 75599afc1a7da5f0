"""Text files of one entry a line: environments, INI, password files.

Law: a line that is no entry is refused with its number; none is passed over.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forwardauth.config.problems import Place, Problem
from forwardauth.errors import ConfigError

_MAX_BYTES: Final = 1_048_576
_ASSIGNMENT: Final = re.compile(
    r"(?:export\s+)?(?:--)?(?P<name>[A-Za-z][A-Za-z0-9_.-]*)"
    r"(?:\s*=\s*(?P<value>.*)|\s+(?P<old>.+))?",
    re.DOTALL,
)
_SECTION: Final = re.compile(r"\[[^\]]*\]")
_QUOTES: Final = frozenset({'"', "'"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that is neither empty nor a comment; *number* counts from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A name, its value, and the line that they stand on."""

    name: str
    value: str
    line: int


def load_lines(path: Path) -> tuple[Line, ...]:
    """Return the lines of the file at *path*, without comments.

    Raises:
        ConfigError: It cannot be read, is longer than a megabyte, or no UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as exc:
        reason = f"cannot be read: {exc.strerror}"
        raise refusal(path, None, reason, "name a file that can be read") from exc
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise refusal(path, line, "is not UTF-8", "save the file as UTF-8") from exc
    if len(content) > _MAX_BYTES:
        reason = f"is longer than {_MAX_BYTES} bytes"
        raise refusal(path, None, reason, "name the right file")
    found = (
        Line(number=number, text=line.strip())
        for number, line in enumerate(text.splitlines(), start=1)
    )
    return tuple(line for line in found if line.text and line.text[0] not in "#;")


def load_assignments(path: Path) -> tuple[Assignment, ...]:
    """Return what an environment file, an INI file or a list of flags assigns.

    Raises:
        ConfigError: As ``load_lines``, and for a line that assigns nothing.
    """
    found: list[Assignment] = []
    problems: list[object] = []
    for line in load_lines(path):
        if _SECTION.fullmatch(line.text):
            continue
        match = _ASSIGNMENT.fullmatch(line.text)
        if match is None:
            reason = "is no assignment"
            error = refusal(path, line.number, reason, "write NAME=VALUE")
            problems += error.problems
            continue
        # A flag that stands alone is switched on.
        value = match["value"] if match["value"] is not None else match["old"]
        text = "true" if value is None else _unquote(value.strip())
        found.append(Assignment(name=match["name"], value=text, line=line.number))
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def refusal(path: Path, line: int | None, reason: str, remedy: str) -> ConfigError:
    """Return the error about a line of *path*."""
    place = Place(source=str(path), line=line)
    return ConfigError([Problem(place=place, reason=reason, remedy=remedy)])


def find_beside(named: Path, source: Path) -> Path:
    """Return the file that *source* names: often its path is one in a container."""
    beside = source.parent / named.name
    return beside if not named.exists() and beside.exists() else named


def split_list(text: str) -> tuple[str, ...]:
    """Return the parts of *text* between commas, without empty ones."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        inner = text[1:-1]
        return (
            inner.replace('\\"', '"').replace("\\\\", "\\") if text[0] == '"' else inner
        )
    return text
