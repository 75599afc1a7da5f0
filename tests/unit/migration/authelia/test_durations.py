"""Durations of Authelia, old spellings and new ones."""

from datetime import timedelta

import pytest

from forwardauth.migration.authelia.durations import parse_duration

SPELLED = {
    "300": timedelta(minutes=5),
    "5m": timedelta(minutes=5),
    "1h30m": timedelta(minutes=90),
    "1 hour": timedelta(hours=1),
    "2 hours and 5 minutes": timedelta(minutes=125),
    "1w": timedelta(days=7),
    "1M": timedelta(days=30),
    "1 month": timedelta(days=30),
    "1y": timedelta(days=365),
    "1500ms": timedelta(seconds=1),
}


@pytest.mark.parametrize(("text", "wanted"), SPELLED.items(), ids=SPELLED)
def test_every_spelling_is_read(text: str, wanted: timedelta) -> None:
    """A month is the shortest that any version counts."""
    assert parse_duration(text) == wanted


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "h5", "5m!"])
def test_anything_else_is_no_duration(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)
