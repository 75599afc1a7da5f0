"""Colours: what is one, and how they stand out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.colours import BLACK, WHITE, Colour, lookup_colour

PARTS = st.integers(min_value=0, max_value=255)
COLOURS = st.builds(Colour, PARTS, PARTS, PARTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("#0a1b2c", Colour(10, 27, 44)), ("#FFF", WHITE), ("#1a0", Colour(17, 170, 0))],
)
def test_colour_is_three_or_six_digits(text: str, expected: Colour) -> None:
    """Both ways of writing it in hex, in either case."""
    assert lookup_colour(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "red",
        "#12",
        "#1234",
        "#12345g",
        "#1234567",
        "0a1b2c",
        " #000",
        "#000;}",
    ],
)
def test_other_text_is_no_colour(text: str) -> None:
    """Nothing else gets into a style sheet."""
    assert lookup_colour(text) is None


@pytest.mark.parametrize(
    ("colour", "ratio"),
    [(BLACK, 21.0), (WHITE, 1.0), (Colour(0x76, 0x76, 0x76), 4.54)],
    ids=str,
)
def test_contrast_is_that_of_the_guidelines(colour: Colour, ratio: float) -> None:
    """Known pairs have their known ratio, whichever comes first (WCAG 2.2)."""
    assert colour.contrast(WHITE) == pytest.approx(ratio, abs=0.005)
    assert WHITE.contrast(colour) == colour.contrast(WHITE)


@given(COLOURS)
def test_colour_survives_being_written(colour: Colour) -> None:
    """What a style sheet is told is what was meant."""
    assert lookup_colour(str(colour)) == colour


@given(COLOURS)
def test_brighter_shade_keeps_its_hue(colour: Colour) -> None:
    """Blue stays blue on a dark ground, if it is a colour at all."""
    shade = colour.brighten(against=BLACK, least=8)

    assert shade.contrast(BLACK) >= 8
    order = sorted(
        ("red", "green", "blue"), key=lambda part: int(getattr(colour, part))
    )
    parts = [int(getattr(shade, part)) for part in order]
    assert parts == sorted(parts)


@given(COLOURS)
def test_any_colour_can_be_made_to_stand_out(colour: Colour) -> None:
    """Towards black on white, with as little black as it takes."""
    darker = colour.towards(BLACK, against=WHITE, least=4.5)

    assert darker.contrast(WHITE) >= 4.5
    if colour.contrast(WHITE) >= 4.5:
        assert darker == colour
