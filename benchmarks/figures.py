"""The table of what ``verify`` has found, as text, as JSON, and for the page on it.

script/bench figures FILE      puts the table of FILE into docs/performance.md
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.goals import Goal

PAGE: Final = Path(__file__).parents[1] / "docs/performance.md"
BEGIN: Final = "<!-- figures: script/bench figures FILE writes what follows -->"
END: Final = "<!-- end of figures -->"

_TITLES: Final = (
    *("", "against", "figure", "lowest to highest"),
    *("must", "aim", "met", "measured"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        title: What was measured.
        against: What it is held to, in the same round; empty for a plain figure.
        values: One for each round.
        unit: Of a plain figure; empty for a ratio.
        goal: What we hold ourselves to; ``None`` for what only explains.
        measured: The medians that the ratio is of.
    """

    title: str
    against: str
    values: Sequence[float]
    unit: str = ""
    goal: Goal | None = None
    measured: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        return (
            self.title,
            self.against,
            self._spell(statistics.median(self.values)),
            f"{self._spell(min(self.values))} to {self._spell(max(self.values))}",
            *self._goal_cells(),
            self.measured,
        )

    def _goal_cells(self) -> tuple[str, str, str]:
        if self.goal is None:
            return "", "", ""
        sign = "≤" if self.goal.is_most else "≥"
        return (
            f"{sign} {self._spell(self.goal.must)}",
            f"{sign} {self._spell(self.goal.aim)}",
            self.goal.verdict(self.values),
        )

    def _spell(self, value: float) -> str:
        return f"{value:.2f} {self.unit}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All rows of one run, and what it ran on."""

    environment: dict[str, str]
    rows: Sequence[Row]

    def text(self) -> str:
        """Return the report for a terminal."""
        lines = [f"{name}: {value}" for name, value in self.environment.items()]
        cells = [_TITLES, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines.append("")
        lines += [
            "  ".join(
                text.ljust(width) for text, width in zip(row, widths, strict=True)
            ).rstrip()
            for row in cells
        ]
        return "\n".join(lines)

    def markdown(self) -> str:
        """Return the report for a page."""
        lines = [f"| {' | '.join(_TITLES)} |", "|---" * len(_TITLES) + "|"]
        lines += [f"| {' | '.join(row.cells())} |" for row in self.rows]
        lines.append("")
        facts = (f"{name} {value}" for name, value in self.environment.items())
        lines.append("Measured with: " + "; ".join(facts) + ".")
        return "\n".join(lines)

    def json(self) -> str:
        """Return the report for programs, and for ``load_report``."""
        return json.dumps(asdict(self), indent=1) + "\n"


def load_report(path: Path) -> Report:
    """Return the report that ``Report.json`` was written of."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    rows = [
        Row(**{**row, "goal": row["goal"] and Goal(**row["goal"])})
        for row in found["rows"]
    ]
    return Report(environment=found["environment"], rows=rows)


def replace_figures(page: str, report: Report) -> str:
    """Return *page* with the table of *report* between its two marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marks for the figures")
    return f"{before}{begin}\n\n{report.markdown()}\n\n{end}{after}"


def main() -> None:
    """Read the arguments and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="what `script/bench verify` wrote")
    report = load_report(parser.parse_args().file)
    page = PAGE.read_text("utf-8")
    PAGE.write_text(replace_figures(page, report), encoding="utf-8")


if __name__ == "__main__":
    main()
