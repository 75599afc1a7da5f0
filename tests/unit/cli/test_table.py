"""Tables: aligned, and harmless whatever their cells hold."""

import pytest

from forwardauth.cli.table import REPLACEMENT, table_of


def test_columns_are_aligned() -> None:
    """Every column is as wide as its widest cell, and no line ends in space."""
    lines = table_of([("NAME", "GROUPS", "X"), ("Zoë", "", "1"), ("a", "b, c", "")])

    assert lines == [
        "NAME  GROUPS  X",
        "Zoë           1",
        "a     b, c",
    ]


@pytest.mark.parametrize(
    "character",
    ["\x1b", "\n", "\r", "\t", "\0", "\x7f", "\x9b", "\u202e", "\u2028", "\ud800"],
    ids=ascii,
)
def test_what_a_terminal_obeys_is_replaced(character: str) -> None:
    """No escape sequence, line break or change of direction gets through."""
    lines = table_of([("A", "B"), (f"x{character}y", "z")])

    assert lines == ["A    B", f"x{REPLACEMENT}y  z"]
