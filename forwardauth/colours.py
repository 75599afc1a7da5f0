"""Colours: how they are written, how they stand out, and how they are mixed.

Source: WCAG 2.2, relative luminance and contrast ratio.
"""

import re
from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass
from typing import Final

_HEX: Final = re.compile(r"#(?P<digits>[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", re.ASCII)
_STEPS: Final = 100
_MOST_SATURATION: Final = 0.5


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour without transparency; each part is 0 to 255."""

    red: int
    green: int
    blue: int

    def __str__(self) -> str:
        """Return it as style sheets have it, ``#0a1b2c``."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """How bright it is to people, from 0 to 1."""
        red, green, blue = map(_linear, (self.red, self.green, self.blue))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(self, other: "Colour") -> float:
        """Return the ratio in which both stand out, from 1 to 21."""
        low, high = sorted((self.luminance, other.luminance))
        return (high + 0.05) / (low + 0.05)

    def mix(self, other: "Colour", share: float) -> "Colour":
        """Return this colour with a *share* of *other*, from 0 to 1, in its place."""
        return Colour(
            round(self.red + (other.red - self.red) * share),
            round(self.green + (other.green - self.green) * share),
            round(self.blue + (other.blue - self.blue) * share),
        )

    def towards(self, other: "Colour", *, against: "Colour", least: float) -> "Colour":
        """Return the first mix with *other* that stands out by *least*.

        Args:
            other: Black or white; it stands out against *against* by *least* itself.
            against: What it is seen on.
            least: A contrast.
        """
        mixes = (self.mix(other, step / _STEPS) for step in range(_STEPS))
        return next((m for m in mixes if m.contrast(against) >= least), other)

    def brighten(self, *, against: "Colour", least: float) -> "Colour":
        """Return the first lighter shade of the same hue that stands out by *least*.

        Strong colours glare on a dark ground, so it is no more than half saturated.
        """
        hue, light, saturation = rgb_to_hls(
            self.red / 255, self.green / 255, self.blue / 255
        )
        shades = (
            Colour(
                *(
                    round(255 * part)
                    for part in hls_to_rgb(
                        hue,
                        light + (1 - light) * step / _STEPS,
                        min(saturation, _MOST_SATURATION),
                    )
                )
            )
            for step in range(_STEPS)
        )
        return next((s for s in shades if s.contrast(against) >= least), WHITE)


BLACK: Final = Colour(0, 0, 0)
WHITE: Final = Colour(255, 255, 255)


def lookup_colour(text: str) -> Colour | None:
    """Return the colour that *text* is in hex digits, three or six behind a ``#``."""
    match = _HEX.fullmatch(text)
    if match is None:
        return None
    digits = match["digits"]
    if len(digits) == 3:  # noqa: PLR2004 - one for each part
        digits = "".join(2 * digit for digit in digits)
    return Colour(*bytes.fromhex(digits))


def _linear(part: int) -> float:
    share = part / 255
    if share <= 0.04045:  # noqa: PLR2004 - see source
        return share / 12.92
    return float(((share + 0.055) / 1.055) ** 2.4)
