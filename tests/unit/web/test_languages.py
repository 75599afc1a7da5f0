"""The portal's languages: complete catalogues, and no words outside of them."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import DictLoader, nodes

from forwardauth.language_tags import LANGUAGES
from forwardauth.web.languages import LOCALES, catalogue_path, load_languages
from forwardauth.web.renderer import TEMPLATES, create_environment

TRANSLATED = LANGUAGES[1:]
EXTRACTION = [("**.html", "jinja2")]
OPTIONS = {"**.html": {"trimmed": "true", "silent": "false"}}
PLACEHOLDER = re.compile(r"%\(\w+\)s")


@pytest.fixture(scope="module")
def messages() -> set[str]:
    """Every message that the templates hold."""
    found = extract_from_dir(TEMPLATES, method_map=EXTRACTION, options_map=OPTIONS)
    return {str(message) for _, _, message, _, _ in found}


def read_catalogue(tag: str) -> dict[str, Message]:
    with catalogue_path(tag).open("rb") as file:
        return {str(m.id): m for m in read_po(file) if m.id}


@pytest.mark.parametrize("tag", TRANSLATED)
def test_catalogue_is_complete(tag: str, messages: set[str]) -> None:
    """Each message has a translation, none is fuzzy and none is left over (L-48)."""
    catalogue = read_catalogue(tag)

    assert catalogue.keys() == messages
    assert [m.id for m in catalogue.values() if m.fuzzy or not m.string] == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_translation_keeps_the_form_of_its_message(tag: str) -> None:
    """Placeholders, markup, final punctuation and outer spaces are those of English."""
    for message in read_catalogue(tag).values():
        source, text = str(message.id), str(message.string)

        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(source))
        assert not re.search(r"[<>&]|%(?!\()", text)
        assert (text[-1] in ".\u3002") == (source[-1] == "."), text
        assert (text[-1] in "?\uff1f") == (source[-1] == "?"), text
        assert text == text.strip()


def test_folder_holds_exactly_the_languages() -> None:
    """No catalogue lies in the package that is never read."""
    assert sorted(LOCALES.rglob("*.po")) == sorted(map(catalogue_path, TRANSLATED))


@pytest.mark.parametrize("tag", LANGUAGES)
def test_language_speaks(tag: str) -> None:
    """Every language that is negotiated can be loaded and has its own words."""
    language = load_languages()[tag]

    assert language.tag == tag
    assert language.direction == "ltr"
    assert (language.translations.gettext("Password") == "Password") == (tag == "en")


class _Words(HTMLParser):
    """Collects what a template says outside of its messages."""

    spoken = ("alt", "aria-label", "placeholder", "title", "content", "value")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "button"} and dict(attrs).get("type") != "checkbox":
            self.found += [v for name, v in attrs if name in self.spoken and v]

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def find_words(source: str) -> Iterator[str]:
    """Yield text in *source* that no catalogue could translate."""
    tree = create_environment(DictLoader({})).parse(source)
    parser = _Words()
    parser.feed("".join(node.data for node in tree.find_all(nodes.TemplateData)))
    yield from (text for text in parser.found if re.search(r"\w", text))
    for output in tree.find_all(nodes.Output):
        # A constant that is shown as it stands: {{ "text" }}, {{ a or "text" }}.
        for part in output.nodes:
            if not isinstance(part, nodes.Call | nodes.TemplateData | nodes.Filter):
                constants = [part] if isinstance(part, nodes.Const) else []
                constants += part.find_all(nodes.Const)
                yield from (str(constant.value) for constant in constants)


@pytest.mark.parametrize("name", sorted(p.name for p in TEMPLATES.glob("*.html")))
def test_template_says_nothing_outside_of_the_catalogue(name: str) -> None:
    """Every word of a page is a message (L-48)."""
    assert list(find_words((TEMPLATES / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "<p>{% trans %}Hello{% endtrans %}, you</p>",
        "<img alt='Hello'>",
        "<p>{{ 'Hello' }}</p>",
        "<p>{{ name or 'Hello' }}</p>",
        "{% block main %}{% if x %}<p>Hello</p>{% endif %}{% endblock %}",
    ],
)
def test_stray_words_would_be_found(source: str) -> None:
    """The check above sees text, attributes and constants."""
    assert list(find_words(source))
