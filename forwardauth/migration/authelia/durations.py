"""Durations as Authelia writes them: ``1h``, ``1 hour and 30 minutes``, seconds.

Source: https://www.authelia.com/configuration/prologue/common/#duration
"""

import re
from datetime import timedelta
from typing import Final

_PART: Final = re.compile(r"(?P<number>[0-9]+)\s*(?P<unit>[A-Za-z]+)")
_BETWEEN: Final = re.compile(r"\s*(?:,|and)?\s*")
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    # The shortest reading: some versions count 365 days and a twelfth of them.
    "M": timedelta(days=30),
    "y": timedelta(days=365),
}
_WORDS: Final = {
    "millisecond": "ms",
    "second": "s",
    "minute": "m",
    "hour": "h",
    "day": "d",
    "week": "w",
    "month": "M",
    "year": "y",
}


def parse_duration(text: str) -> timedelta:
    """Return *text* as a span of whole seconds; a bare number is seconds.

    Raises:
        ValueError: It is none.
    """
    bare = text.strip()
    if re.fullmatch(r"[0-9]+", bare):
        return timedelta(seconds=int(bare))
    total, at = timedelta(), 0
    while at < len(bare):
        match = _PART.match(bare, at)
        if match is None or (unit := _unit_of(match["unit"])) is None:
            raise ValueError("is not a duration")
        total += int(match["number"]) * unit
        gap = _BETWEEN.match(bare, match.end())
        at = gap.end() if gap else match.end()
    if not bare:
        raise ValueError("is not a duration")
    return timedelta(seconds=int(total.total_seconds()))


def _unit_of(text: str) -> timedelta | None:
    letter = text if text in _UNITS else _WORDS.get(text.lower().removesuffix("s"), "")
    return _UNITS.get(letter)
