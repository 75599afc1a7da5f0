"""The portal's languages: negotiation, catalogues, words for times."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, nodes

from forwardauth.web.languages import (
    LANGUAGES,
    LOCALES,
    catalogue_path,
    load_languages,
    negotiate,
)
from forwardauth.web.renderer import TEMPLATES, create_environment

TRANSLATED = LANGUAGES[1:]
EXTRACTION = [("**.html", "jinja2")]
OPTIONS = {"**.html": {"trimmed": "true", "silent": "false"}}
PLACEHOLDER = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(None, "en", id="no header"),
        pytest.param("", "en", id="empty"),
        pytest.param("de", "de", id="exact"),
        pytest.param("DE", "de", id="upper case"),
        pytest.param("de-AT", "de", id="region falls back"),
        pytest.param("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr", id="usual"),
        pytest.param("en;q=0.5, de;q=0.8", "de", id="weight beats order"),
        pytest.param("es, de", "es", id="order breaks ties"),
        pytest.param("pl, nl;q=0.9, ja;q=0.1", "ja", id="first that is shipped"),
        pytest.param("pl", "en", id="none is shipped"),
        pytest.param("*", "en", id="any"),
        pytest.param("pl, *;q=0.1", "en", id="any other"),
        pytest.param("en;q=0, *", "de", id="any but English"),
        pytest.param("de;q=0, de;q=0.0, fr;q=0.1", "fr", id="refused"),
        pytest.param("de-AT;q=0, de", "de", id="one region refused"),
        pytest.param("*;q=0", "en", id="all refused"),
        pytest.param("de-AT;q=0", "en", id="nothing but a refusal"),
        pytest.param("zh", "zh-Hans", id="Chinese"),
        pytest.param("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans", id="mainland"),
        pytest.param("zh-Hans-HK", "zh-Hans", id="simplified in Hong Kong"),
        pytest.param("zh-TW, en;q=0.8", "en", id="traditional by region"),
        pytest.param("zh-Hant, de;q=0.8", "de", id="traditional by script"),
        pytest.param(
            "zh-TW, zh;q=0.9, en;q=0.8", "zh-Hans", id="traditional, then any"
        ),
        pytest.param("de ; q=0.5 ,\tfr ;\tq = 0.6", "fr", id="white space"),
        pytest.param("de;q=2, fr;q=0.1", "fr", id="weight above one"),
        pytest.param("de;q=0.1234, fr;q=0.1", "fr", id="weight too long"),
        pytest.param("de;level=1, fr;q=0.1", "fr", id="another parameter"),
        pytest.param("../../etc/passwd, fr;q=0.1", "fr", id="path"),
        pytest.param("d\u0435, fr;q=0.1", "fr", id="Cyrillic letter"),
        pytest.param(",;,=,de", "de", id="garbage before"),
        pytest.param("x" * 501 + ", de", "en", id="beyond what is read"),
    ],
)
def test_negotiate_picks_what_the_browser_likes_best(
    header: str | None, expected: str
) -> None:
    """The header chooses by weight and order, and English is left (L-48)."""
    assert negotiate(header) == expected


@given(st.text() | st.from_regex(r"([a-z*-]{1,4}(;q=[01.]{1,3})?,){0,9}"))
def test_negotiate_answers_any_header(header: str) -> None:
    """Whatever a browser sends, the answer is a shipped language."""
    assert negotiate(header) in LANGUAGES


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


@pytest.mark.parametrize(
    ("length", "words"),
    [
        pytest.param(timedelta(days=30), "30 days", id="no month"),
        pytest.param(timedelta(days=1), "1 day", id="singular"),
        pytest.param(timedelta(hours=36), "36 hours", id="a day and a half"),
        pytest.param(timedelta(minutes=90), "90 minutes", id="an hour and a half"),
        pytest.param(timedelta(seconds=61), "61 seconds", id="odd"),
        pytest.param(timedelta(0), "0 seconds", id="none"),
    ],
)
def test_duration_is_exact(length: timedelta, words: str) -> None:
    """A length of time is not rounded to a rounder one."""
    assert load_languages()["en"].duration(length) == words


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("en", "5 minutes"),
        ("de", "5 Minuten"),
        ("es", "5 minutos"),
        ("fr", "5 minutes"),
        ("ja", "5 分"),
        ("zh-Hans", "5分钟"),
    ],
)
def test_duration_is_in_the_language(tag: str, words: str) -> None:
    """Lengths of time are words of each language, not names of units."""
    assert load_languages()[tag].duration(timedelta(minutes=5)) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        pytest.param(timedelta(seconds=-3), "vor 1 Minute", id="clock ahead"),
        pytest.param(timedelta(seconds=40), "vor 1 Minute", id="less than a minute"),
        pytest.param(timedelta(hours=3), "vor 3 Stunden", id="hours"),
    ],
)
def test_ago_lies_in_the_past(length: timedelta, words: str) -> None:
    """A last use is never "in 0 seconds", whatever the clocks say."""
    assert load_languages()["de"].ago(length) == words


def test_moment_is_in_utc() -> None:
    """A time of another zone is shown in the zone that the page names."""
    when = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))

    assert load_languages()["de"].moment(when) == "28.02.2026, 22:30"
    assert load_languages()["de"].moment(when.astimezone(UTC)) == "28.02.2026, 22:30"


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
