"""One mapping of the configuration while it is read: text in, types out.

A section never raises for a wrong value. It notes the problem, goes on with the
default, and remembers which keys were wrong, so that nothing is concluded from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from forwardauth.config.keys import KEYS, explain_unknown, names_below, pattern_of
from forwardauth.config.problems import Findings, Place, RefusedValueError
from forwardauth.config.tree import Listing, Node, Scalar, Table

T = TypeVar("T")
Misshapen = tuple[str, str]  # reason and remedy for an item of another shape

_NO_VALUE: Final = ("must be a plain value", "write A, or [A, B] for several")
_NULL_VALUE: Final = ("is empty", "write a value, or take the entry out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What all sections of one configuration share.

    Attributes:
        findings: Where problems go.
        file_folder: What relative paths of the file and of defaults are relative to.
        working_folder: The same for those of the environment.
    """

    findings: Findings
    file_folder: Path
    working_folder: Path


class Section:
    """Hands out the values of one mapping, each with its type."""

    def __init__(
        self, table: Table, reading: Reading, *, is_misshapen: bool = False
    ) -> None:
        """Note every key of *table* that does not exist.

        Args:
            table: The mapping; empty in place of a value of another shape.
            reading: What all sections share.
            is_misshapen: Whether that other shape has been noted, so that no key is
                missing besides.
        """
        self.place = table.place
        self._is_misshapen = is_misshapen
        self._table = table
        self._reading = reading
        self._unsound: set[str] = set()
        self._names = names_below(self.place.key)
        for name, node in table.entries.items():
            if name not in self._names:
                self._note(name, node.place, *explain_unknown(name, self.place.key))

    def text(self, name: str, parse: Callable[[str], T]) -> T:
        """Return the value of a key that has a default other than null."""
        value = self.optional(name, parse)
        if value is not None:
            return value
        default = KEYS[self._pattern(name)].default
        return parse(default if isinstance(default, str) else "")

    def optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        """Return the value, or ``None`` when it is null, missing or refused."""
        node = self._lookup(name)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.refuse(name, "must be one value", "write it on the key's own line")
            return None
        if not node.is_null:
            return self._parse(name, node, parse)
        if not KEYS[self._pattern(name)].is_nullable:
            self._refuse_null(name, node.place, "write a value")
        return None

    def texts(self, name: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        """Return the values of a list; a single one may stand without brackets."""
        node = self._lookup(name)
        if node is None:
            return ()
        if isinstance(node, Scalar) and node.is_null:
            self._refuse_null(name, node.place, "write [] for none")
            return ()
        values: list[T] = []
        for item in node.items if isinstance(node, Listing) else (node,):
            misshapen = _NULL_VALUE if isinstance(item, Scalar) else _NO_VALUE
            value = self.value(name, item, parse, misshapen)
            if value is not None:
                values.append(value)
        return tuple(values)

    def alternatives(
        self, name: str, *, shape: str | None = None
    ) -> tuple[tuple[Node, ...], ...]:
        """Return a list of lists; without *shape*, a remedy, one may lack brackets."""
        node = self._lookup(name)
        outer = node.items if isinstance(node, Listing) else (node,) if node else ()
        for item in outer:
            if isinstance(item, Listing) and not item.items:
                self._note(name, item.place, "is an empty list", "take it out")
            elif shape is not None and not isinstance(item, Listing):
                self._note(name, item.place, "must be a list of lists", shape)
        return tuple(
            item.items if isinstance(item, Listing) else (item,)
            for item in outer
            if shape is None or isinstance(item, Listing)
        )

    def value(
        self, name: str, node: Node, parse: Callable[[str], T], misshapen: Misshapen
    ) -> T | None:
        """Return one item of ``alternatives`` that is a value."""
        if isinstance(node, Scalar) and not node.is_null:
            return self._parse(name, node, parse)
        self._note(name, node.place, *misshapen)
        return None

    def within(self, name: str, node: Node, *, shape: str) -> "Section | None":
        """Return one item of ``alternatives`` that holds keys, as a section."""
        if isinstance(node, Table):
            return Section(node, self._reading)
        self._note(name, node.place, "must hold keys", shape)
        return None

    def entries(self, name: str) -> tuple["Section", ...]:
        """Return the mappings of a list, each as a section of its own."""
        node = self._lookup(name)
        if node is None:
            return ()
        if isinstance(node, Scalar) and node.is_null:
            self._refuse_null(name, node.place, "write [] for none")
            return ()
        if not isinstance(node, Listing):
            self.refuse(name, "must be a list", "begin each entry with a dash")
            return ()
        sections: list[Section] = []
        for item in node.items:
            if isinstance(item, Table):
                sections.append(Section(item, self._reading))
            else:
                self._note(
                    name, item.place, "must hold keys", "write them as KEY: VALUE"
                )
        return tuple(sections)

    def section(self, name: str) -> "Section":
        """Return the mapping *name*; one that is left out is empty."""
        node = self._table.entries.get(name)
        if isinstance(node, Table):
            return Section(node, self._reading)
        is_null = node is None or (isinstance(node, Scalar) and node.is_null)
        if not is_null:
            self.refuse(name, "must hold keys", "write them below it, indented")
        table = Table(place=self.place_of(name))
        return Section(table, self._reading, is_misshapen=not is_null)

    def folder(self, name: str) -> Path:
        """Return what a relative path in *name* is relative to; absolute."""
        place = self.place_of(name)
        if place.line is None and name in self._table.entries:
            return self._reading.working_folder
        return self._reading.file_folder

    def path(self, name: str) -> Path | None:
        """Return the value as an absolute path; ``None`` as in ``optional``."""
        folder = self.folder(name)
        return self.optional(name, lambda text: parse_path(text, folder=folder))

    def place_of(self, name: str) -> Place:
        """Return where *name* was written, else where it would be."""
        node = self._table.entries.get(name)
        return self.place.below(name) if node is None else node.place

    def is_written(self, name: str) -> bool:
        """Whether *name* is there, with whatever value."""
        return name in self._table.entries

    def is_sound(self, *names: str) -> bool:
        """Whether none of *names* had a problem so far."""
        return self._unsound.isdisjoint(names)

    def refuse(self, name: str, reason: str, remedy: str) -> None:
        """Note a problem of the key *name*."""
        self._note(name, self.place_of(name), reason, remedy)

    def warn(self, name: str, reason: str, remedy: str) -> None:
        """Note a warning about the key *name*."""
        self._reading.findings.warn(self.place_of(name), reason, remedy)

    def _note(self, name: str, place: Place, reason: str, remedy: str) -> None:
        self._unsound.add(name)
        self._reading.findings.refuse(place, reason, remedy)

    def _pattern(self, name: str) -> str:
        return pattern_of(f"{self.place.key}.{name}" if self.place.key else name)

    def _lookup(self, name: str) -> Node | None:
        node = self._table.entries.get(name)
        if node is not None:
            return node
        key, place = KEYS[self._pattern(name)], self.place.below(name)
        if key.is_required:
            remedy = f"add {place.key}, as docs/configuration.md shows it"
            if not self._is_misshapen:
                self._note(name, place, "is missing", remedy)
            self._unsound.add(name)
            return None
        if isinstance(key.default, tuple):
            items = tuple(Scalar(place=place, text=text) for text in key.default)
            return Listing(place=place, items=items)
        return Scalar(place=place, text=key.default or "")

    def _parse(self, name: str, node: Scalar, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(node.text)
        except RefusedValueError as exc:
            if self._reading.findings.is_told(node.place):
                # What was noted while it was read, such as a tag, is the cause.
                self._unsound.add(name)
            else:
                self._note(name, node.place, exc.reason, exc.remedy)
            return None

    def _refuse_null(self, name: str, place: Place, remedy: str) -> None:
        """Note that *name* is null where nothing is no value."""
        if KEYS[self._pattern(name)].is_required:
            self._note(
                name, place, "is empty", "write what docs/configuration.md shows"
            )
        else:
            self._note(name, place, "is empty", f"{remedy}, or leave the key out")


def parse_path(text: str, *, folder: Path) -> Path:
    """Return *text* as a path; a relative one is taken from *folder*.

    Raises:
        RefusedValueError: Empty, or holds a NUL character.
    """
    if not text or "\0" in text:
        raise RefusedValueError("is not a path", "write the path of a file or folder")
    return folder / text
