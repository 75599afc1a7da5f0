"""The portal's languages: each catalogue complete, in step and in form."""

import re
import subprocess
import sys
from gettext import c2py

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message

from forwardauth.language_tags import LANGUAGES
from forwardauth.web.languages import LOCALES, catalogue_path, load_languages
from tests.support.translations import (
    TRANSLATED,
    carry_over,
    collect,
    messages,
    read_catalogue,
    spell,
)

PLACEHOLDER = re.compile(r"%\(\w+\)s")
END = {".": ".", "\u3002": ".", "?": "?", "\uff1f": "?", "؟": "?"} | dict.fromkeys(
    ":\uff1a", ":"
)
"""Final punctuation of all languages, and what it is in English."""


@pytest.fixture(scope="module", params=TRANSLATED)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    """The catalogue of each language, as it lies in the package."""
    return read_catalogue(request.param)


@pytest.fixture(scope="module")
def template() -> Catalog:
    """Every message that the templates hold."""
    return collect()


def test_catalogue_is_complete(catalogue: Catalog, template: Catalog) -> None:
    """Each message has a translation, none is fuzzy and none is left over (L-48)."""
    wanted = {message.id for message in messages(template)}
    found = list(messages(catalogue))

    assert {message.id for message in found} == wanted
    assert [m.id for m in found if m.fuzzy or not all(texts_of(m))] == []
    assert list(catalogue.obsolete) == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_catalogue_is_in_step_with_the_templates(tag: str) -> None:
    """Order and places are those of the templates, as the next run would write them."""
    assert spell(carry_over(tag)) == catalogue_path(tag).read_bytes()


def test_catalogue_has_the_plurals_of_its_language(catalogue: Catalog) -> None:
    """Numbers that CLDR tells apart have forms of their own, and each form is there.

    Up to what anybody counts here: some languages have another form for a million.
    """
    form_of, locale = c2py(catalogue.plural_expr), Locale.parse(str(catalogue.locale))
    pairs = {(form_of(n), locale.plural_form(n)) for n in range(1000)}

    forms = {form for form, _ in pairs}
    assert forms == set(range(catalogue.num_plurals))
    assert len(pairs) == len(forms)
    assert [
        message.id
        for message in messages(catalogue)
        if message.pluralizable and len(texts_of(message)) != len(forms)
    ] == []


def test_translation_keeps_the_form_of_its_message(catalogue: Catalog) -> None:
    """Placeholders, markup, final punctuation and outer spaces are those of English."""
    offenders = [
        text
        for message in messages(catalogue)
        for text in texts_of(message)
        if not has_form(text, message)
    ]

    assert offenders == []


def test_translation_is_spelt_with_care(catalogue: Catalog) -> None:
    """Apostrophes are curved, and French has its thin spaces, which do not break."""
    texts = [text for message in messages(catalogue) for text in texts_of(message)]
    careless = re.compile(
        r"['\"`]| [?!;:]" if catalogue.locale_identifier == "fr" else r"['\"`]"
    )

    assert [text for text in texts if careless.search(text)] == []


def texts_of(message: Message) -> tuple[str, ...]:
    """Return the translation of *message*, or its forms."""
    text = message.string
    return tuple(text) if isinstance(text, list | tuple) else (str(text),)


def has_form(text: str, message: Message) -> bool:
    """Whether *text* can stand where *message* stands.

    A form of a plural may leave the number out: "a minute".
    """
    source = message.id[-1] if isinstance(message.id, tuple) else str(message.id)
    wanted, found = (sorted(PLACEHOLDER.findall(each)) for each in (source, text))
    has_placeholders = found == wanted or (
        message.pluralizable and found == [each for each in wanted if "num" not in each]
    )
    is_plain = not re.search(r"[<>&]|%(?!\()", text) and text == text.strip()
    return has_placeholders and is_plain and END.get(text[-1]) == END.get(source[-1])


@pytest.mark.parametrize(
    ("text", "source"),
    [
        pytest.param("Weiter", "Continue to %(host)s", id="placeholder lost"),
        pytest.param("%(hots)s", "%(host)s", id="placeholder misspelt"),
        pytest.param("100 %", "%(host)s", id="sign"),
        pytest.param("<b>Ja</b>", "yes", id="markup"),
        pytest.param("Ja.", "Yes", id="full stop"),
        pytest.param("Wirklich", "Really?", id="no question mark"),
        pytest.param("Ja ", "Yes", id="space"),
    ],
)
def test_lost_form_would_be_found(text: str, source: str) -> None:
    """The check above sees each of these mistakes."""
    assert not has_form(text, Message(source))


def test_folder_holds_exactly_the_languages() -> None:
    """No catalogue lies in the package that is never read."""
    assert sorted(LOCALES.rglob("*.po")) == sorted(map(catalogue_path, TRANSLATED))


@pytest.mark.parametrize("tag", LANGUAGES)
def test_language_speaks(tag: str) -> None:
    """Every language that is negotiated can be loaded and has its own words."""
    language = load_languages()[tag]

    assert language.tag == tag
    assert (language.direction == "rtl") == (tag == "ar")
    assert (language.translations.gettext("Sign in") == "Sign in") == (tag == "en")


def test_start_parses_no_catalogue() -> None:
    """What is read at the start is bytes: Babel is imported when a page needs it."""
    program = (
        "import sys\n"
        "from forwardauth.web.languages import load_languages\n"
        "languages = load_languages()\n"
        "assert not [name for name in sys.modules if name.startswith('babel')]\n"
        "languages['de'].prepare()\n"
        "assert 'babel.messages.pofile' in sys.modules\n"
    )

    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False)  # noqa: S603 - our own program

    assert done.returncode == 0
