"""What a ``User-Agent`` says in words: which browser, on which system.

Only to help people recognise their own sessions. Law: nothing is decided by it.
"""

from dataclasses import dataclass
from typing import Final

_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
"""The first mark that is found decides: Edge also says Chrome, Chrome also Safari."""

_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
"""Likewise: Android also says Linux, and an iPhone says it is like Mac OS X."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Proper names, the same in every language; empty when not known."""

    browser: str
    system: str


def parse_user_agent(user_agent: str) -> Device:
    """Return what *user_agent* claims to be."""
    return Device(
        browser=_find_name(_BROWSERS, user_agent),
        system=_find_name(_SYSTEMS, user_agent),
    )


def _find_name(marks: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in marks if mark in user_agent), "")
