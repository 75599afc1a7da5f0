"""Durations: what is read, what is refused, and that both ways agree."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.config.durations import LONGEST, format_duration, parse_duration
from forwardauth.config.problems import RefusedValueError


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("400d", LONGEST),
        ("007s", timedelta(seconds=7)),
    ],
)
def test_durations_are_a_number_and_a_unit(text: str, span: timedelta) -> None:
    """Each unit is read."""
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "m",
        "-1h",
        "+1h",
        "1.5h",
        "1h30m",
        "30 m",
        " 30m",
        "30M",
        "1w",
        "1y",
        "\u0663m",
        "30m\n",
        "0s",
        "0d",
        "401d",
        "9601h",
        "9" * 10 + "s",
        "9" * 5000 + "d",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    """No unit is guessed, nothing lasts no time, and nothing outlives its cookie."""
    with pytest.raises(RefusedValueError):
        parse_duration(text)


@given(st.integers(min_value=1, max_value=int(LONGEST.total_seconds())))
def test_a_formatted_duration_reads_the_same(seconds: int) -> None:
    """``format_duration`` and ``parse_duration`` are inverse."""
    span = timedelta(seconds=seconds)

    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize("text", ["90s", "30m", "12h", "30d"])
def test_the_largest_unit_is_written(text: str) -> None:
    """People read what they would have written."""
    assert format_duration(parse_duration(text)) == text
