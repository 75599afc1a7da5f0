"""The operator's colour, as the last rules of the style sheet.

Law: whatever the colour, text on it and in it can be read, in light and in dark.
"""

from typing import Final

from forwardauth.colours import BLACK, WHITE, Colour

DARK_SURFACE: Final = Colour(0x19, 0x1C, 0x26)
"""``--surface`` of the dark scheme."""

LEAST_CONTRAST: Final = 7.0
"""Of the lighter shade on the dark surface, and of dark text on that shade."""

_LESS: Final = 0.16
_TINT_ON_LIGHT: Final = 0.92
_TINT_ON_DARK: Final = 0.16


def accent_rules(accent: Colour) -> str:
    """Return the rules that put *accent* in place of the shipped colour.

    Args:
        accent: It stands out against white by 4.5 at least; the configuration has
            checked that.
    """
    lighter = accent.brighten(against=DARK_SURFACE, least=LEAST_CONTRAST)
    light = _properties(
        accent=accent,
        accent_active=accent.mix(BLACK, _LESS),
        on_accent=WHITE,
        info_surface=accent.mix(WHITE, _TINT_ON_LIGHT),
    )
    dark = _properties(
        accent=lighter,
        accent_active=lighter.mix(WHITE, _LESS),
        on_accent=DARK_SURFACE,
        info_surface=DARK_SURFACE.mix(accent, _TINT_ON_DARK),
    )
    return f"{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _properties(**colours: Colour) -> str:
    lines = (f"--{name.replace('_', '-')}: {each};" for name, each in colours.items())
    return f":root {{ {' '.join(lines)} }}\n"
