"""The promises of ``docs/guarantees.md`` and the tests that name them.

python -m tests.support.guarantees      writes the last column anew
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.repository import ROOT, trees

DOCUMENT: Final = ROOT / "docs/guarantees.md"
_ROW: Final = re.compile(r"^\| (?P<id>[LV]-\d+) \| (?P<text>[^|]+) \|(?P<proofs>.*)\|$")
_NAMED: Final = re.compile(r"\b[LV]-\d+\b")
_TESTS: Final = ROOT / "tests"


def promises(text: str) -> dict[str, str]:
    """Return the last column of each promise in *text*, by its id."""
    rows = (_ROW.match(line) for line in text.splitlines())
    return {row["id"]: row["proofs"].strip() for row in rows if row}


def proofs() -> dict[str, str]:
    """Return what the last column has to say, by the id that tests name."""
    files: defaultdict[str, set[str]] = defaultdict(set)
    for name, tree in trees(_TESTS):
        for docstring in _docstrings_of_tests(tree):
            for promise in _NAMED.findall(docstring):
                files[promise].add(name)
    return {
        promise: ", ".join(
            f"[{_short(name)}](../tests/{name})" for name in sorted(names)
        )
        for promise, names in files.items()
    }


def _docstrings_of_tests(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            is_test = node.name.lower().startswith("test") or "Contract" in node.name
            if is_test:
                yield ast.get_docstring(node) or ""


def _short(name: str) -> str:
    path = Path(name)
    return str(path.relative_to("unit")) if path.parts[0] == "unit" else name


def main() -> None:
    """Write the last column of the document."""
    known = proofs()
    lines = []
    for line in DOCUMENT.read_text("utf-8").splitlines():
        row = _ROW.match(line)
        if row:
            line = f"| {row['id']} | {row['text']} | {known.get(row['id'], '')} |"  # noqa: PLW2901 - rewritten
        lines.append(line)
    DOCUMENT.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
