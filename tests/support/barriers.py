"""What axe-core finds in a page: barriers for people who see, hear or move otherwise.

Law: what axe-core cannot decide by itself counts like what it finds, so that nothing is
passed over in silence.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

from tests.support.binaries import miss

_SCRIPT: Final = Path(__file__).parents[1] / "browser/node_modules/axe-core/axe.min.js"

TAGS: Final = (
    *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"),
    "best-practice",
)
"""WCAG 2.2 at level AA with all that it took over, and what axe-core advises."""

_RUN: Final = """\
async (tags) => {
  const style = document.body.style;
  const canvas = getComputedStyle(document.body);
  // axe-core judges no letters over a gradient: judge them over each of its colours.
  const colors = canvas.backgroundImage === "none" ? [""]
    : [canvas.backgroundColor, ...canvas.backgroundImage.match(/rgb\\([^)]*\\)/g)];
  const found = [];
  for (const [place, color] of colors.entries()) {
    style.background = color;
    const runOnly = place ? ["color-contrast"] : {type: "tag", values: tags};
    const {violations, incomplete} = await axe.run(document, {runOnly});
    for (const {id, nodes} of [...violations, ...incomplete])
      for (const {target, failureSummary} of nodes)
        found.push([id, target.join(" "), failureSummary ?? ""]);
  }
  style.background = "";
  return found;
}"""


def bring_axe(page: Page) -> None:
    """Have axe-core in whatever *page* shows from now on: sent once, for many pages."""
    page.add_init_script(_source())


def find_barriers(page: Page) -> list[str]:
    """Return a sentence for each barrier in what *page* shows now, mostly none.

    The page's own policy stays in force: the script goes in by the debugger, which no
    policy is asked about.

    Skips the test without axe-core; fails it where ``CI`` is set.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    found: list[list[Any]] = page.evaluate(_RUN, list(TAGS))
    return [f"{rule} at {place}: {' '.join(why.split())}" for rule, place, why in found]


@cache
def _source() -> str:
    if not _SCRIPT.exists():
        miss("axe-core")
    # The value of the script is of no use, and too large to be sent back.
    return f"{_SCRIPT.read_text('utf-8')}; undefined"
