"""The catalogues carried along with the templates.

python -m tests.support.translations      does it, and names what is missing

It collects the messages of the templates, puts them into every catalogue, takes out
what is left over, and names what has no translation yet. A language of ``LANGUAGES``
without a catalogue gets an empty one. Nothing is guessed: a message whose English text
has changed is a new one.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Final

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from forwardauth.language_tags import LANGUAGES
from forwardauth.web.languages import LOCALES, catalogue_path
from forwardauth.web.renderer import TEMPLATES
from tests.support.repository import ROOT

TRANSLATED: Final = LANGUAGES[1:]

_METHODS: Final = [("**.html", "jinja2")]
_OPTIONS: Final = {
    "**.html": {
        "newstyle_gettext": "true",
        "trimmed": "true",
        "trim_blocks": "true",
        "lstrip_blocks": "true",
        "silent": "false",
    }
}
_WIDTH: Final = 88


def collect() -> Catalog:
    """Return every message of the templates, each with the files that it is in."""
    template = Catalog(project="forwardauth", version="", fuzzy=False)
    folder = TEMPLATES.relative_to(ROOT)
    for name, _, message, comments, context in extract_from_dir(
        TEMPLATES, method_map=_METHODS, options_map=_OPTIONS
    ):
        place = (f"{folder}/{name}", 0)
        template.add(message, None, [place], auto_comments=comments, context=context)
    return template


def read_catalogue(tag: str) -> Catalog:
    """Return the catalogue of *tag* as it lies in the package."""
    with catalogue_path(tag).open("rb") as file:
        return read_po(file, locale=tag.replace("-", "_"))


def messages(catalogue: Catalog) -> Iterator[Message]:
    """Yield the messages of *catalogue*, without its header."""
    return (message for message in catalogue if message.id)


def carry_over(tag: str) -> Catalog:
    """Return the catalogue of *tag* with exactly the messages of the templates."""
    is_new = not catalogue_path(tag).exists()
    catalogue = _create(tag) if is_new else read_catalogue(tag)
    catalogue.update(collect(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    return catalogue


def _create(tag: str) -> Catalog:
    locale = Locale.parse(tag, sep="-")
    now = datetime.now(UTC)
    name = locale.get_display_name("en")
    return Catalog(
        locale=locale,
        header_comment=f"# {name} texts of the portal's pages.",
        last_translator="the forwardauth authors",
        language_team=tag,
        creation_date=now,
        revision_date=now,
        fuzzy=False,
    )


def spell(catalogue: Catalog) -> bytes:
    """Return *catalogue* as its file is written."""
    catalogue.project, catalogue.version = "forwardauth", "portal"
    catalogue.msgid_bugs_address = ""
    spelled = BytesIO()
    write_po(
        spelled, catalogue, width=_WIDTH, include_lineno=False, ignore_obsolete=True
    )
    return spelled.getvalue().rstrip() + b"\n"


def _run() -> int:
    count = 0
    for tag in TRANSLATED:
        catalogue = carry_over(tag)
        path = catalogue_path(tag)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(spell(catalogue))
        for message in messages(catalogue):
            if not message.string or not all(message.string):
                count += 1
                sys.stdout.write(f"{path.relative_to(LOCALES)}: {message.id}\n")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(_run())
