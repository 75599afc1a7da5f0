"""Spans of time as people write them: ``90s``, ``30m``, ``12h``, ``30d``."""

import re
from datetime import timedelta
from typing import Final

from forwardauth.config.problems import RefusedValueError, quote

LONGEST: Final = timedelta(days=400)
"""Browsers keep no cookie for longer. Source: RFC 6265bis 5.5."""

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION: Final = re.compile(r"(?P<number>[0-9]{1,9})(?P<unit>[smhd])", re.ASCII)
_REMEDY: Final = "write a number and one unit, such as 90s, 30m, 12h or 30d"


def parse_duration(text: str) -> timedelta:
    """Return *text* as a span between 1 second and 400 days.

    Raises:
        RefusedValueError: No number with one of the units ``s``, ``m``, ``h``, ``d``;
            zero; or longer than 400 days.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise RefusedValueError(f"{quote(text)} is not a duration", _REMEDY)
    span = timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
    if not span:
        raise RefusedValueError(f"{quote(text)} is no time at all", _REMEDY)
    if span > LONGEST:
        raise RefusedValueError(
            f"{quote(text)} is longer than 400 days, the longest that browsers keep"
            " a cookie",
            "write 400d or less",
        )
    return span


def format_duration(span: timedelta) -> str:
    """Return *span* in the largest unit that divides it, as ``parse_duration`` reads.

    Args:
        span: Whole seconds, positive.
    """
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
