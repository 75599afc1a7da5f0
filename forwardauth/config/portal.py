"""``portal``: how the pages look, and in which languages they are."""

import re
from typing import Final

from forwardauth.colours import BLACK, WHITE, Colour, lookup_colour
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.schema import FooterLink, PortalSettings
from forwardauth.config.section import Section
from forwardauth.language_tags import LANGUAGES

_MAX_TITLE: Final = 100
_MAX_LABEL: Final = 60
_MAX_LINKS: Final = 8
_LEAST_CONTRAST: Final = 4.5
"""Of text to what it stands on. Source: WCAG 2.2, 1.4.3."""

_URL: Final = re.compile(
    r"(?:https?://[a-z0-9\[][^\s\\\"<>^`{|}]*|mailto:[^\s\\\"<>^`{|}@]+@[a-z0-9.-]+)",
    re.ASCII | re.IGNORECASE,
)
_MAX_URL: Final = 2048


def read_portal(section: Section) -> PortalSettings:
    """Return what *section* says."""
    return PortalSettings(
        templates=section.path("templates"),
        title=section.text("title", parse_title),
        languages=read_languages(section),
        logo=section.path("logo"),
        accent=section.optional("accent", parse_accent),
        footer=read_footer(section),
    )


def read_footer(section: Section) -> tuple[FooterLink, ...]:
    """Return ``portal.footer``; refuse more links than a line has room for."""
    entries = section.entries("footer")
    if len(entries) > _MAX_LINKS:
        reason = f"has {len(entries)} links, above {_MAX_LINKS}"
        section.refuse("footer", reason, "keep those that people look for here")
    links: list[FooterLink] = []
    for entry in entries:
        label = entry.optional("label", parse_label)
        url = entry.optional("url", parse_url)
        if label is not None and url is not None:
            links.append(FooterLink(label=label, url=url))
    return tuple(links)


def read_languages(section: Section) -> tuple[str, ...]:
    """Return ``portal.languages``, each once; refuse a list without any."""
    languages = tuple(dict.fromkeys(section.texts("languages", parse_language)))
    if not languages and section.is_sound("languages"):
        section.refuse(
            "languages",
            "names no language",
            "name one, or leave the key out for all of them",
        )
    return languages


def parse_title(text: str) -> str:
    """Return *text* when it fits a heading.

    Raises:
        RefusedValueError: Blank, longer than 100 characters, or with a character that
            cannot be seen.
    """
    return _parse_words(text, "a title", _MAX_TITLE)


def _parse_words(text: str, what: str, most: int) -> str:
    if not text.strip() or len(text) > most or not text.isprintable():
        raise RefusedValueError(
            f"{quote(text)} is not {what}", f"write 1 to {most} characters"
        )
    return text


def parse_accent(text: str) -> Colour:
    """Return the colour that *text* is, when white can be read on it.

    Raises:
        RefusedValueError: No colour in hex digits, or too bright; the remedy names a
            shade of it that is dark enough.
    """
    colour = lookup_colour(text)
    if colour is None:
        raise RefusedValueError(
            f"{quote(text)} is not a colour", "write it as in '#4059d6'"
        )
    contrast = colour.contrast(WHITE)
    if contrast < _LEAST_CONTRAST:
        darker = colour.towards(BLACK, against=WHITE, least=_LEAST_CONTRAST)
        raise RefusedValueError(
            f"{text} has a contrast of {contrast:.1f} to white, below"
            f" {_LEAST_CONTRAST}, so that text cannot be read on it",
            f"choose a darker colour, for instance '{darker}'",
        )
    return colour


def parse_label(text: str) -> str:
    """Return *text* when it fits the foot of a page.

    Raises:
        RefusedValueError: As in ``parse_title``, with 60 characters.
    """
    return _parse_words(text, "a label", _MAX_LABEL)


def parse_url(text: str) -> str:
    """Return *text* when a link may lead there.

    Raises:
        RefusedValueError: Neither ``https``, ``http`` nor ``mailto``, or with
            characters that have no place in a URL.
    """
    if len(text) > _MAX_URL or _URL.fullmatch(text) is None:
        raise RefusedValueError(
            f"{quote(text)} is not a URL for a link",
            "write https://HOST/PATH, or mailto:ADDRESS",
        )
    return text


def parse_language(text: str) -> str:
    """Return the tag that *text* is, in whatever case.

    Raises:
        RefusedValueError: No language that the pages are in.
    """
    tags = {tag.lower(): tag for tag in LANGUAGES}
    tag = tags.get(text.lower())
    if tag is None:
        raise RefusedValueError(
            f"the pages are not in {quote(text)}",
            f"write one of {', '.join(LANGUAGES)}",
        )
    return tag
