"""The lines of a proxy's shipped files, and the same files without one of them.

Law: a line is known by its file and its words; spaces and comments do not count. With a
line goes the block that it opens, in whatever way the file's language says so, and all
lines of a file with the same words go together.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from tests.support.consequences import Consequence
from tests.support.proxies import DEPLOY, Edit

REST: Final = "…"
"""Stands for the rest of a line that is too long to be repeated."""

_BLOCK_ENDS: Final = frozenset({"}", "};", "]", "end", "})", "end, 1)"})
_COMMENTS: Final = ("#", "--")
_INDENTED: Final = frozenset({".yaml", ".yml", ".cfg"})
_BRACED: Final = frozenset({".conf", ""})


@dataclass(frozen=True, slots=True)
class Given:
    """Something that operators have in their own part of the configuration.

    Attributes:
        file: Of the shipped files.
        below: The line that it stands below.
        text: The line or lines.
        instead: Whether it stands in place of that line.
        also: What it needs elsewhere.
    """

    file: str
    below: str
    text: str
    instead: bool = field(default=False, kw_only=True)
    also: "Given | None" = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a shipped file, and what happens without it.

    Attributes:
        words: The line, its spaces folded, or its beginning and ``…``.
        consequence: Observed where the line is missing.
        instead: What stands in its place: what people write who know no better.
        given: What has to be there for the line to matter.
    """

    words: str
    consequence: Consequence
    instead: str | None = field(default=None, kw_only=True)
    given: Given | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedLines:
    """All lines of a proxy's files in ``deploy/``.

    Attributes:
        proxy: Name of the folder.
        lines: By file, those that the protection rests on.
        set_up: By file, those of any proxy: ports, logs, certificates, sites.
        tolerated: What shows with all the lines in place, since the proxy has no
            means against it; the document says so.
    """

    proxy: str
    lines: Mapping[str, tuple[Line, ...]]
    set_up: Mapping[str, tuple[str, ...]]
    tolerated: frozenset[Consequence] = frozenset()

    def __iter__(self) -> Iterator[tuple[str, Line]]:
        for file, lines in self.lines.items():
            for line in lines:
                yield file, line

    def text(self, file: str) -> str:
        """Return the text of *file* as shipped."""
        return (DEPLOY / self.proxy / file).read_text("utf-8")


def fold(line: str) -> str:
    """Return *line* with its spaces folded; empty for a comment."""
    words = " ".join(line.split())
    return "" if words.startswith(_COMMENTS) else words


def is_meant(words: str, line: str) -> bool:
    """Whether *line* of a file is the one that *words* name."""
    folded = fold(line)
    if words.endswith(REST):
        return folded.startswith(words.removesuffix(REST))
    return folded == words


def significant_lines(text: str) -> list[str]:
    """Return the lines of *text* that say something, folded, each once."""
    folded = dict.fromkeys(map(fold, text.splitlines()))
    return [line for line in folded if line and line not in _BLOCK_ENDS]


def without(file: str, line: Line) -> Edit:
    """Return the edit that takes *line* out of *file*, or puts another in its place."""

    def edit(name: str, text: str) -> str:
        if name == file:
            text = _replace(name, text, line.words, line.instead)
        return text if line.given is None else _add(name, text, line.given)

    return edit


def with_given(given: Given) -> Edit:
    """Return the edit that adds *given* to the files as shipped."""
    return lambda name, text: _add(name, text, given)


def warned_lines(text: str, sign: str) -> list[str]:
    """Return the lines of *text* that a comment with *sign* stands above.

    A comment is about all lines down to the next empty one, and inside of what they
    open.
    """
    warned, is_warned = [], False
    for raw in text.splitlines():
        folded = fold(raw)
        if raw.lstrip().startswith(_COMMENTS):
            is_warned = is_warned or sign in raw
        elif not folded:
            is_warned = False
        elif is_warned:
            warned.append(folded)
    return warned


def _replace(file: str, text: str, words: str, instead: str | None) -> str:
    kept: list[str] = []
    found = False
    rest = text.splitlines()
    while rest:
        line = rest.pop(0)
        if not is_meant(words, line):
            kept.append(line)
            continue
        found = True
        del rest[: _block_size(file, line, rest)]
        indent = line[: len(line) - len(line.lstrip())]
        kept += [indent + other for other in (instead or "").splitlines()]
    assert found, f"{file} has no line {words!r}"
    return "\n".join(kept) + "\n"


def _add(file: str, text: str, given: Given) -> str:
    if given.also is not None:
        text = _add(file, text, given.also)
    if file != given.file:
        return text
    lines = text.splitlines()
    places = [i for i, line in enumerate(lines) if is_meant(given.below, line)]
    assert places, f"{file} has no line {given.below!r}"
    place = places[0]
    lines[place : place + 1] = (
        [given.text] if given.instead else [lines[place], given.text]
    )
    return "\n".join(lines) + "\n"


def _block_size(file: str, line: str, rest: list[str]) -> int:
    """Return how many lines of *rest* belong to the block that *line* opens."""
    suffix = PurePath(file).suffix
    if suffix in _INDENTED:
        deeper = len(line) - len(line.lstrip())
        size = 0
        for number, other in enumerate(rest, start=1):
            if fold(other):
                if len(other) - len(other.lstrip()) <= deeper:
                    break
                size = number
        return size
    if suffix in _BRACED and line.rstrip().endswith("{"):
        depth = 1
        for number, other in enumerate(rest, start=1):
            depth += len(re.findall(r"{$", other.rstrip()))
            depth -= other.strip() in _BLOCK_ENDS
            if not depth:
                return number
    return 0
