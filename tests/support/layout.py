"""What a page looks like to hands and eyes: sizes, overflow, and where the focus goes.

Law: everything is measured in the browser, by what it has laid out.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Page

_SPARE_STEPS: Final = 4
"""Through what is no control of ours: the document itself, the browser's own."""

_CONTROLS: Final = """\
[...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, summary, textarea")]
  .filter((each) => !each.disabled && each.checkVisibility())"""

_BOXES: Final = f"""\
() => {_CONTROLS}.map((each) => {{
  const label = each.labels?.[0];
  // A click on the label counts for the box that it wraps.
  const box = (label?.contains(each) ? label : each).getBoundingClientRect();
  const name = each.outerHTML.slice(0, 90);
  return [name, box.width, box.height];
}})"""

_STOP: Final = f"""\
async () => {{
  const isVisible = ({{top, right, bottom, left}}) =>
    0 < top + bottom && top + bottom < 2 * innerHeight
    && 0 <= left && right <= innerWidth;
  const frame = () => new Promise(requestAnimationFrame);
  const focused = document.activeElement;
  const controls = {_CONTROLS};
  const style = getComputedStyle(focused);
  let box = focused.getBoundingClientRect();
  // The page is scrolled to it with the next frame.
  for (let left = 3; left && !isVisible(box); --left) {{
    await frame();
    box = focused.getBoundingClientRect();
  }}
  return {{
    index: controls.indexOf(focused),
    name: focused.outerHTML.slice(0, 90),
    ring: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    colors: [style.outlineColor, getComputedStyle(document.body).backgroundColor],
    top: box.top + scrollY,
    visible: isVisible(box),
  }};
}}"""

_TOO_WIDE: Final = """\
() => [...document.body.querySelectorAll("*")]
  .filter((each) => each.checkVisibility())
  .filter((each) => {
    const {left, right, width} = each.getBoundingClientRect();
    const style = getComputedStyle(each);
    // What is for screen readers alone is cut on purpose.
    const cuts = style.overflowX !== "visible" && style.position !== "absolute"
      && each.scrollWidth > each.clientWidth + 1;
    return width > 0 && (left < -1 || right > innerWidth + 1 || cuts);
  })
  .map((each) => each.outerHTML.slice(0, 90))"""

_LARGE_TEXT: Final = "html { font-size: 200%; }"
_SPACED_TEXT: Final = """\
* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important; }
p { margin-block-end: 2em !important; }"""
"""What WCAG 1.4.12 lets readers set."""

_RESTYLE: Final = """\
(text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets = [sheet];
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Where the focus is.

    Attributes:
        index: Of the control in the document's order; -1 for no control.
        name: How the element begins.
        ring: Width of the line around it, in CSS pixels.
        ring_contrast: Of that line against the page: 1 is none, 21 is black on white.
        top: Distance from the document's upper edge.
        visible: Whether its middle is within the window, at its full width: Chromium
            does not scroll for a line that is cut.
    """

    index: int
    name: str
    ring: float
    ring_contrast: float
    top: float
    visible: bool


def small_targets(page: Page, *, pixels: int = 24) -> list[str]:
    """Return the controls that are narrower or lower than *pixels* CSS pixels."""
    boxes: list[tuple[str, float, float]] = page.evaluate(_BOXES)
    return [
        f"{width:.0f} x {height:.0f}: {name}"
        for name, width, height in boxes
        if min(width, height) < pixels
    ]


def too_wide(page: Page) -> list[str]:
    """Return the elements that do not fit the window's width, or cut their text."""
    found: list[str] = page.evaluate(_TOO_WIDE)
    return found


def enlarge_text(page: Page) -> None:
    """Double the size of the letters, and nothing else, as a browser's setting does."""
    page.evaluate(_RESTYLE, _LARGE_TEXT)


def space_text(page: Page) -> None:
    """Set lines, words and letters as far apart as readers may ask for."""
    page.evaluate(_RESTYLE, _SPACED_TEXT)


def tab_through(page: Page) -> list[Stop]:
    """Press Tab until the focus comes back to where it had been first."""
    stops: list[Stop] = []
    for _ in range(control_count(page) + _SPARE_STEPS):
        page.keyboard.press("Tab")
        stop = _stop(page)
        if stop.index < 0:
            # Out of the page, into the browser's own controls.
            continue
        if stops and stop.index == stops[0].index:
            break
        stops.append(stop)
    return stops


def control_count(page: Page) -> int:
    """Return how many controls the page shows."""
    count: int = page.evaluate(f"{_CONTROLS}.length")
    return count


def _stop(page: Page) -> Stop:
    found: dict[str, Any] = page.evaluate(_STOP)
    ring, canvas = (_luminance(color) for color in found.pop("colors"))
    light, dark = max(ring, canvas), min(ring, canvas)
    return Stop(**found, ring_contrast=(light + 0.05) / (dark + 0.05))


def _luminance(color: str) -> float:
    """Return the relative luminance of ``rgb(r, g, b)``.

    Source: WCAG 2.2, definition of relative luminance.
    """
    red, green, blue = (
        level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4
        for level in (int(part) / 255 for part in re.findall(r"\d+", color)[:3])
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
