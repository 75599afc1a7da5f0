"""The languages of the portal, each with its name, its direction and its words.

The catalogues are gettext ``.po`` files that are read as they are when the service
starts, so that an upgrade below a running service mixes nothing. There is no compiled
copy that could fall behind, no build step, and a translation can be mended with any
editor.

Law: a language costs a start no more than reading its file. It is parsed, and Babel is
imported, when the first page speaks it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache, cached_property
from gettext import NullTranslations
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from forwardauth.language_tags import LANGUAGES, NAMES, RIGHT_TO_LEFT

if TYPE_CHECKING:
    from forwardauth.web.speech import Speech

LOCALES: Final = Path(__file__).with_name("locales")


class Language:
    """One language: its messages, and its way to write lengths of time and dates.

    Attributes:
        tag: BCP 47, for the ``lang`` attribute.
        name: What the language calls itself.
        direction: ``ltr`` or ``rtl``, for the ``dir`` attribute.
    """

    def __init__(self, tag: str, catalogue: bytes | None) -> None:
        """Keep *catalogue*, a ``.po`` file, until it is needed.

        Args:
            tag: A member of ``LANGUAGES``.
            catalogue: ``None`` for the source language, which needs none.
        """
        self.tag = tag
        self.name = NAMES[tag]
        self.direction = "rtl" if tag in RIGHT_TO_LEFT else "ltr"
        self._catalogue = catalogue

    @property
    def translations(self) -> NullTranslations:
        """The messages; those of the source language translate nothing."""
        return self._speech.translations

    def duration(self, length: timedelta) -> str:
        """Return *length* in its largest whole unit up to days: ``30 days``."""
        return self._speech.duration(length)

    def ago(self, length: timedelta) -> str:
        """Return how long ago something was, ``1 minute ago`` at the least."""
        return self._speech.ago(length)

    def moment(self, when: datetime) -> str:
        """Return an aware *when* as date and time of day in UTC, zone not named."""
        return self._speech.moment(when)

    def prepare(self) -> None:
        """Do what the first page in this language would wait for."""
        self.duration(timedelta(days=1))

    @cached_property
    def _speech(self) -> "Speech":
        from forwardauth.web.speech import Speech  # noqa: PLC0415 - see law

        return Speech(self.tag, self._catalogue)


@cache
def load_languages() -> Mapping[str, Language]:
    """Return every language by its tag, with its catalogue read.

    What is shipped does not change while the process runs: it is read once.
    """
    return MappingProxyType({tag: _load_language(tag) for tag in LANGUAGES})


def catalogue_path(tag: str) -> Path:
    """Return where the catalogue of *tag* lies, the way ``pybabel`` lays it out."""
    return LOCALES / tag.replace("-", "_") / "LC_MESSAGES" / "messages.po"


def _load_language(tag: str) -> Language:
    is_source = tag == LANGUAGES[0]
    return Language(tag, None if is_source else catalogue_path(tag).read_bytes())
