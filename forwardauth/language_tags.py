"""Which languages the portal speaks, and which of them a browser asks for.

Law: what a browser prefers only ever chooses among the languages that are offered; the
header itself reaches no file name and no page.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

LANGUAGES: Final = (
    "en",
    "de",
    "es",
    "fr",
    "it",
    "nl",
    "pl",
    "pt-BR",
    "tr",
    "ar",
    "ja",
    "zh-Hans",
)
"""BCP 47 tags of what is shipped; the first one is the source and the fallback."""

NAMES: Final = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt-BR": "Português",
    "tr": "Türkçe",
    "ar": "العربية",
    "ja": "日本語",
    "zh-Hans": "简体中文",
}
"""What each language calls itself: whoever looks for it may read no other."""

RIGHT_TO_LEFT: Final = frozenset({"ar"})
"""Those that are written from the right."""

_MAX_HEADER_CHARACTERS: Final = 500
_TRADITIONAL_CHINESE: Final = frozenset({"hant", "tw", "hk", "mo"})
_RANGE: Final = re.compile(
    r"(?P<range>\*|[a-z]{1,8}(?:-[a-z0-9]{1,8}){0,7})"
    r"(?:[ \t]*;[ \t]*q[ \t]*=[ \t]*(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
    re.ASCII,
)


def negotiate(accept_language: str | None, offered: Sequence[str] = LANGUAGES) -> str:
    """Return the member of *offered* that the browser likes best.

    Regions fall back to their language (``de-AT`` to ``de``), and a language that is
    offered in one region or script only is that one (``pt-PT`` to ``pt-BR``). Readers
    of traditional Chinese are not sent to simplified Chinese unless they list ``zh`` as
    well.

    Args:
        accept_language: The ``Accept-Language`` header; ``None`` when there is none.
            Only the first 500 characters are read, and malformed parts are skipped.
        offered: At least one tag of ``LANGUAGES``, no two of one language.

    Returns:
        A tag. The first one when nothing matches: a page in some language beats no
        page.

    Source: RFC 9110 12.5.4; RFC 4647 3.4 (lookup).
    """
    by_primary = {tag.partition("-")[0]: tag for tag in offered}
    ranges = sorted(_parse_ranges(accept_language or ""), key=lambda item: -item[1])
    refused = {by_primary.get(name) for name, weight in ranges if not weight}
    for name, weight in ranges:
        matches = offered if name == "*" else (by_primary.get(_primary(name)),)
        for tag in matches:
            if weight and tag is not None and tag not in refused:
                return tag
    return offered[0]


def _parse_ranges(header: str) -> Iterator[tuple[str, float]]:
    for part in header[:_MAX_HEADER_CHARACTERS].lower().split(","):
        match = _RANGE.fullmatch(part.strip(" \t"))
        if match is not None:
            yield match["range"], float(match["weight"] or 1)


def _primary(name: str) -> str:
    """Return the language of *name*; empty for Chinese in the other script."""
    primary, *others = name.split("-")
    if "hans" not in others and not _TRADITIONAL_CHINESE.isdisjoint(others):
        return ""
    return primary
