"""The operator's colour: readable in both schemes, whatever it is."""

import re

from hypothesis import given
from hypothesis import strategies as st

from forwardauth.colours import BLACK, WHITE, Colour, lookup_colour
from forwardauth.web.accent import DARK_SURFACE, accent_rules
from forwardauth.web.assets import STATIC

PARTS = st.integers(min_value=0, max_value=255)
# As the configuration lets them through.
ACCENTS = st.builds(Colour, PARTS, PARTS, PARTS).map(
    lambda colour: colour.towards(BLACK, against=WHITE, least=4.5)
)
TEXT_ON_LIGHT, TEXT_ON_DARK = Colour(0x19, 0x1D, 0x2B), Colour(0xEC, 0xEE, 0xF5)


def read_rules(rules: str) -> tuple[dict[str, Colour], dict[str, Colour]]:
    """Return the properties of the light scheme and of the dark one."""
    light, dark = rules.split("@media (prefers-color-scheme: dark)")
    schemes = []
    for text in (light, dark):
        found = re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text)
        schemes.append({name: lookup_colour(each) or BLACK for name, each in found})
    return schemes[0], schemes[1]


@given(ACCENTS)
def test_accent_can_be_read_in_both_schemes(accent: Colour) -> None:
    """Text in it, on it, and on its tint reaches AA (WCAG 2.2, 1.4.3)."""
    light, dark = read_rules(accent_rules(accent))

    assert light["accent"] == accent
    assert light["accent"].contrast(WHITE) >= 4.5
    assert dark["accent"].contrast(DARK_SURFACE) >= 4.5
    for scheme in (light, dark):
        assert scheme["on-accent"].contrast(scheme["accent"]) >= 4.5
        assert scheme["on-accent"].contrast(scheme["accent-active"]) >= 4.5
    assert TEXT_ON_LIGHT.contrast(light["info-surface"]) >= 4.5
    assert TEXT_ON_DARK.contrast(dark["info-surface"]) >= 4.5


def test_rules_know_the_colours_around_them() -> None:
    """What the accent is seen on is what the style sheet says."""
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    light, dark = re.findall(r"--surface: (#[0-9a-f]{6})", style)
    texts = re.findall(r"--text: (#[0-9a-f]{6})", style)

    assert [light, dark] == [str(WHITE), str(DARK_SURFACE)]
    assert texts == [str(TEXT_ON_LIGHT), str(TEXT_ON_DARK)]


def test_rules_set_only_what_the_style_sheet_has() -> None:
    """No property is spelled otherwise here than there."""
    style = (STATIC / "style.css").read_text(encoding="utf-8")

    for scheme in read_rules(accent_rules(Colour(0, 64, 128))):
        assert {f"--{name}" for name in scheme} <= set(re.findall(r"--[a-z-]+", style))
        assert len(scheme) == 4
