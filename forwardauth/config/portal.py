"""``portal``: how the pages look, and in which languages they are."""

from typing import Final

from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.schema import PortalSettings
from forwardauth.config.section import Section
from forwardauth.language_tags import LANGUAGES

_MAX_TITLE: Final = 100


def read_portal(section: Section) -> PortalSettings:
    """Return what *section* says."""
    return PortalSettings(
        templates=section.path("templates"),
        title=section.text("title", parse_title),
        languages=read_languages(section),
    )


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
    if not text.strip() or len(text) > _MAX_TITLE or not text.isprintable():
        raise RefusedValueError(
            f"{quote(text)} is not a title", f"write 1 to {_MAX_TITLE} characters"
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
