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
