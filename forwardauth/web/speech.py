"""How a language speaks: its catalogue, and what CLDR knows of times and dates.

This is the home of Babel, which takes as long to import as a good part of a start:
``languages`` imports it when the first page needs it.
"""

import io
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from typing import Final, Literal

from babel import Locale
from babel.dates import (
    format_date,
    format_time,
    format_timedelta,
    get_datetime_format,
)
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

_KEPT: Final = 512
"""Words of each kind that are kept for each language."""

_Unit = Literal["day", "hour", "minute", "second"]
_UNITS: Final[tuple[tuple[_Unit, timedelta], ...]] = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


class Speech:
    """One language at work.

    Attributes:
        translations: The messages; empty without a catalogue.
    """

    def __init__(self, tag: str, catalogue: bytes | None) -> None:
        """Parse *catalogue*, a ``.po`` file for *tag*; ``None`` translates nothing."""
        self._locale = Locale.parse(tag, sep="-")
        self.translations = (
            NullTranslations() if catalogue is None else self._compile(catalogue)
        )
        # One of them takes Babel as long as the rest of a page takes Jinja, and most
        # pages say what the page before has said.
        self._spell_duration = lru_cache(_KEPT)(self._put_duration)
        self._spell_moment = lru_cache(_KEPT)(self._put_moment)

    def duration(self, length: timedelta) -> str:
        """Return *length* in its largest whole unit up to days: ``30 days``."""
        return self._spell_duration(length)

    def _put_duration(self, length: timedelta) -> str:
        for unit, size in _UNITS:
            if length >= size and not length % size:
                return self._count(length, unit)
        return self._count(length, "second")

    def ago(self, length: timedelta) -> str:
        """Return how long ago something was, ``1 minute ago`` at the least."""
        return format_timedelta(
            -max(length, timedelta(minutes=1)),
            granularity="minute",
            add_direction=True,
            locale=self._locale,
        )

    def moment(self, when: datetime) -> str:
        """Return an aware *when* as date and time of day in UTC, zone not named."""
        return self._spell_moment(when.astimezone(UTC).replace(second=0, microsecond=0))

    def _put_moment(self, utc: datetime) -> str:
        both = str(get_datetime_format("medium", locale=self._locale))
        time_of_day = format_time(utc, "short", locale=self._locale)
        date = format_date(utc, "medium", locale=self._locale)
        return both.replace("{0}", time_of_day).replace("{1}", date)

    def _count(self, length: timedelta, unit: _Unit) -> str:
        # No threshold is ever reached, so that Babel keeps to the unit it is given and
        # does not turn 30 days into a month.
        return format_timedelta(
            length, granularity=unit, threshold=float("inf"), locale=self._locale
        )

    def _compile(self, catalogue: bytes) -> GNUTranslations:
        parsed = read_po(io.BytesIO(catalogue), locale=self._locale)
        compiled = io.BytesIO()
        write_mo(compiled, parsed)
        compiled.seek(0)
        return GNUTranslations(compiled)
