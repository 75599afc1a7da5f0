"""Rows of text as a table on a terminal."""

from collections.abc import Sequence

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands for what a terminal might obey instead of showing it."""


def table_of(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return *rows*, the headings first, as lines with aligned columns.

    A cell may hold what a stranger's browser sent: nothing of it reaches the terminal
    but characters that can be seen.
    """
    shown = [tuple(map(_printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in shown
    ]


def _printable(cell: str) -> str:
    if cell.isprintable():
        return cell
    return "".join(each if each.isprintable() else REPLACEMENT for each in cell)
