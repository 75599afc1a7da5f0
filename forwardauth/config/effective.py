"""The configuration as it counts: every key, its value, and where that comes from.

    file, environment ─► Table ─┐
    keys (defaults) ────────────┴─► Group of Group, List and Value

Law: no value leaves here but through ``secrets.shown``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from forwardauth.config.keys import KEYS, Kind, names_below, pattern_of
from forwardauth.config.problems import Place
from forwardauth.config.secrets import shown
from forwardauth.config.tree import Listing, Node, Scalar, Table

_FILE: Final = "_FILE"


class Kinds(StrEnum):
    """Where a value comes from."""

    FILE = "file"
    ENVIRONMENT = "environment"
    SECRET_FILE = "secret file"  # noqa: S105 - a kind, not a secret
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value comes from.

    Attributes:
        kind: In one word.
        source: The file, or the variable; empty for a default.
        line: Of the file; ``None`` elsewhere.
        path: The file that a variable names; ``None`` elsewhere.
    """

    kind: Kinds
    source: str = ""
    line: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        """Return ``config.yaml:12``, the variable, or ``default``."""
        match self.kind:
            case Kinds.DEFAULT:
                return self.kind.value
            case Kinds.FILE:
                return f"{self.source}:{self.line}"
            case Kinds.ENVIRONMENT:
                return self.source
            case Kinds.SECRET_FILE:
                return f"{self.path} ({self.source})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value; *text* is ``None`` for null."""

    key: str
    text: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """Several; *origin* is that of the list itself."""

    key: str
    items: tuple["Item", ...]
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What stands below one key, by name."""

    key: str
    entries: Mapping[str, "Item"]


Item: TypeAlias = Value | List | Group


def resolve(root: Table, environ: Mapping[str, str]) -> Group:
    """Return all that *root* says, with every default in its place.

    Args:
        root: The file with the environment laid over it, without a mistake in it.
        environ: For the files that variables name.
    """
    return _Resolver(environ).group(root, "")


def origins_of(item: Item) -> Iterator[tuple[str, Origin]]:
    """Yield each key, with indexes, and where its value comes from."""
    match item:
        case Value(key=key, origin=origin):
            yield key, origin
        case List(key=key, items=items, origin=origin):
            yield key, origin
            for below in items:
                yield from origins_of(below)
        case Group(entries=entries):
            for below in entries.values():
                yield from origins_of(below)


def plain(item: Item) -> object:
    """Return *item* as mappings, lists and texts."""
    match item:
        case Value(text=text):
            return text
        case List(items=items):
            return [plain(below) for below in items]
        case Group(entries=entries):
            return {name: plain(below) for name, below in entries.items()}


class _Resolver:
    """Lays the defaults below what was written."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def group(self, table: Table | None, key: str) -> Group:
        """Return what stands below *key*, in the order of the table of keys."""
        entries: dict[str, Item] = {}
        for name in names_below(key):
            below = f"{key}.{name}" if key else name
            node = None if table is None else table.entries.get(name)
            item = self._below(node, below)
            if item is not None:
                entries[name] = item
        return Group(key=key, entries=entries)

    def _below(self, node: Node | None, key: str) -> Item | None:
        known = KEYS.get(pattern_of(key))
        if known is None:
            return self.group(node if isinstance(node, Table) else None, key)
        if node is not None:
            return self._written(node, key, is_list=known.kind is not Kind.TEXT)
        default = known.default
        origin = Origin(kind=Kinds.DEFAULT)
        if isinstance(default, tuple):
            is_entry = any(part.isdigit() for part in key.split("."))
            if is_entry and not default:
                # A criterion that an entry does not have is none, and no empty one.
                return None
            items = tuple(Value(key=key, text=text, origin=origin) for text in default)
            return List(key=key, items=items, origin=origin)
        if default is None and not known.is_nullable:
            return None
        return Value(key=key, text=default, origin=origin)

    def _written(self, node: Node, key: str, *, is_list: bool) -> Item:
        origin = self._origin_of(node.place)
        match node:
            case Table():
                return self.group(node, key)
            case Listing(items=items):
                below = tuple(
                    self._written(item, f"{key}.{index}", is_list=False)
                    for index, item in enumerate(items)
                )
                return List(key=key, items=below, origin=origin)
            case Scalar() if is_list:
                # A single one may stand without brackets.
                item = self._written(node, key, is_list=False)
                return List(key=key, items=(item,), origin=origin)
            case Scalar(text=text):
                told = None if node.is_null else shown(_name_of(key), text)
                return Value(key=key, text=told, origin=origin)

    def _origin_of(self, place: Place) -> Origin:
        if place.line is not None:
            return Origin(kind=Kinds.FILE, source=place.source, line=place.line)
        name = place.source
        if name.endswith(_FILE) and name in self._environ:
            path = self._environ[name]
            return Origin(kind=Kinds.SECRET_FILE, source=name, path=path)
        return Origin(kind=Kinds.ENVIRONMENT, source=name)


def _name_of(key: str) -> str:
    """Return the key that *key* is a value of, with ``*`` for an entry's index.

    The last part of an item of a list of texts is an index, and no part of the name.
    """
    pattern = pattern_of(key)
    while pattern and pattern not in KEYS:
        pattern = pattern.rpartition(".")[0]
    return pattern
