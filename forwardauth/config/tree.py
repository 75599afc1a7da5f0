"""A configuration as it was written: text with places, not yet of any type.

The file, the environment and the defaults all become these three nodes, so that one
reader gives them their types. A scalar stays text: ``no`` is a user's name where a
name is wanted, and ``0755`` is not an octal number.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from forwardauth.config.problems import Place

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
"""How YAML 1.2 (10.2.1.1, 10.3.2) spells the absence of a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """One value.

    Attributes:
        place: Where it was written.
        text: As it was written, without the quotes.
        is_plain: Whether it stood without quotes; only then can it be null.
    """

    place: Place
    text: str = field(repr=False)
    is_plain: bool = True

    @property
    def is_null(self) -> bool:
        """Whether the value was left out on purpose."""
        return self.is_plain and self.text in _NULLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Values in order."""

    place: Place
    items: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Values by key."""

    place: Place
    entries: dict[str, "Node"] = field(default_factory=dict)


Node: TypeAlias = Scalar | Listing | Table


def lookup_node(root: Table, key: str) -> Node | None:
    """Return what was written for the dotted *key*."""
    node: Node | None = root
    for part in key.split("."):
        node = None if node is None else _child(node, part)
    return node


def place_of(root: Table, key: str) -> Place:
    """Return where the dotted *key* was written, else where it would be.

    A value that takes the place of a list has the place of the whole.
    """
    node: Node = root
    parts = key.split(".")
    for index, part in enumerate(parts):
        below = _child(node, part)
        if below is None:
            place = node.place
            if isinstance(node, Table) or _is_absent(node):
                for name in parts[index:]:
                    place = place.below(name)
            return place
        node = below
    return node.place


def _child(node: Node, name: str) -> Node | None:
    if isinstance(node, Table):
        return node.entries.get(name)
    if isinstance(node, Listing) and name.isdigit() and int(name) < len(node.items):
        return node.items[int(name)]
    return None


def _is_absent(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null
