"""The tables of ``docs/proxies`` that explain the shipped files line by line.

A table stands below a heading that holds the file's name. Its first column is the line,
or the line and what stands ``instead`` of it; the last begins with the consequence in
bold.
"""

import re
from typing import Final

from tests.support.repository import ROOT

_HEADING: Final = re.compile(r"^###+ `(?P<file>[^`]+)`")
_ROW: Final = re.compile(
    r"^\| `(?P<words>[^`]+)`(?: → `(?P<instead>[^`]+)`)?[^|]* \|"
    r".*\| \*\*(?P<consequence>[^*]+)\*\*[^|]*\|$"
)


def documented_lines(proxy: str) -> set[tuple[str, str, str, str]]:
    """Return file, line, its replacement and the consequence of each row."""
    text = (ROOT / f"docs/proxies/{proxy}.md").read_text("utf-8")
    found, file = set(), ""
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            file = heading["file"]
        elif row := _ROW.match(line):
            words, instead = row["words"], row["instead"] or ""
            found.add((file, words, instead, row["consequence"]))
    return found
