"""The languages of the portal: which one a browser asks for, and how each one speaks.

The catalogues are gettext ``.po`` files that are read as they are when the service
starts, a few milliseconds each. There is no compiled copy that could fall behind, no
build step, and a translation can be mended with any editor.

Law: what a browser prefers only ever chooses among ``LANGUAGES``; the header itself
reaches no file name and no page.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from types import MappingProxyType
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

LANGUAGES: Final = ("en", "de", "es", "fr", "ja", "zh-Hans")
"""BCP 47 tags of what is shipped; the first one is the source and the fallback."""

LOCALES: Final = Path(__file__).with_name("locales")

_MAX_HEADER_CHARACTERS: Final = 500
_BY_PRIMARY_SUBTAG: Final = {tag.partition("-")[0]: tag for tag in LANGUAGES}
_TRADITIONAL_CHINESE: Final = frozenset({"hant", "tw", "hk", "mo"})
_RANGE: Final = re.compile(
    r"(?P<range>\*|[a-z]{1,8}(?:-[a-z0-9]{1,8}){0,7})"
    r"(?:[ \t]*;[ \t]*q[ \t]*=[ \t]*(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language: its messages, and its way to write lengths of time and dates.

    Attributes:
        tag: BCP 47, for the ``lang`` attribute.
        locale: CLDR data.
        translations: The catalogue; that of the source language is empty.
    """

    tag: str
    locale: Locale
    translations: NullTranslations

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``, for the ``dir`` attribute."""
        return self.locale.text_direction

    def duration(self, length: timedelta) -> str:
        """Return *length* in its largest whole unit up to days: ``30 days``."""
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
            locale=self.locale,
        )

    def moment(self, when: datetime) -> str:
        """Return an aware *when* as date and time of day in UTC, zone not named."""
        utc = when.astimezone(UTC)
        both = str(get_datetime_format("medium", locale=self.locale))
        time_of_day = format_time(utc, "short", locale=self.locale)
        date = format_date(utc, "medium", locale=self.locale)
        return both.replace("{0}", time_of_day).replace("{1}", date)

    def _count(self, length: timedelta, unit: "_Unit") -> str:
        # No threshold is ever reached, so that Babel keeps to the unit it is given and
        # does not turn 30 days into a month.
        return format_timedelta(
            length, granularity=unit, threshold=float("inf"), locale=self.locale
        )


_Unit = Literal["day", "hour", "minute", "second"]
_UNITS: Final[tuple[tuple[_Unit, timedelta], ...]] = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


def negotiate(accept_language: str | None) -> str:
    """Return the member of ``LANGUAGES`` that the browser likes best.

    Regions fall back to their language (``de-AT`` to ``de``). Readers of traditional
    Chinese are not sent to simplified Chinese unless they list ``zh`` as well.

    Args:
        accept_language: The ``Accept-Language`` header; ``None`` when there is none.
            Only the first 500 characters are read, and malformed parts are skipped.

    Returns:
        A tag. English when nothing matches: a page in some language beats no page.

    Source: RFC 9110 12.5.4; RFC 4647 3.4 (lookup).
    """
    ranges = sorted(_parse_ranges(accept_language or ""), key=lambda item: -item[1])
    refused = {_BY_PRIMARY_SUBTAG.get(name) for name, weight in ranges if not weight}
    for name, weight in ranges:
        matches = LANGUAGES if name == "*" else (_lookup_language(name),)
        for tag in matches:
            if weight and tag is not None and tag not in refused:
                return tag
    return LANGUAGES[0]


@cache
def load_languages() -> Mapping[str, Language]:
    """Return every language by its tag, with its catalogue read.

    What is shipped does not change while the process runs: it is read once.
    """
    return MappingProxyType({tag: _load_language(tag) for tag in LANGUAGES})


def catalogue_path(tag: str) -> Path:
    """Return where the catalogue of *tag* lies, the way ``pybabel`` lays it out."""
    return LOCALES / tag.replace("-", "_") / "LC_MESSAGES" / "messages.po"


def _parse_ranges(header: str) -> Iterator[tuple[str, float]]:
    for part in header[:_MAX_HEADER_CHARACTERS].lower().split(","):
        match = _RANGE.fullmatch(part.strip(" \t"))
        if match is not None:
            yield match["range"], float(match["weight"] or 1)


def _lookup_language(name: str) -> str | None:
    primary, *others = name.split("-")
    if "hans" not in others and not _TRADITIONAL_CHINESE.isdisjoint(others):
        return None
    return _BY_PRIMARY_SUBTAG.get(primary)


def _load_language(tag: str) -> Language:
    locale = Locale.parse(tag, sep="-")
    if tag == LANGUAGES[0]:
        return Language(tag=tag, locale=locale, translations=NullTranslations())
    with catalogue_path(tag).open("rb") as file:
        catalogue = read_po(file, locale=locale, domain="messages")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(tag=tag, locale=locale, translations=GNUTranslations(compiled))
