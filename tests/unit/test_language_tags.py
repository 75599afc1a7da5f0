"""Which language a browser gets, from what it asks for."""

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.language_tags import LANGUAGES, NAMES, RIGHT_TO_LEFT, negotiate


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
        pytest.param("sv, da;q=0.9, ja;q=0.1", "ja", id="first that is shipped"),
        pytest.param("sv", "en", id="none is shipped"),
        pytest.param("*", "en", id="any"),
        pytest.param("sv, *;q=0.1", "en", id="any other"),
        pytest.param("en;q=0, *", "de", id="any but English"),
        pytest.param("de;q=0, de;q=0.0, fr;q=0.1", "fr", id="refused"),
        pytest.param("de-AT;q=0, de", "de", id="one region refused"),
        pytest.param("*;q=0", "en", id="all refused"),
        pytest.param("de-AT;q=0", "en", id="nothing but a refusal"),
        pytest.param("ar-EG", "ar", id="Arabic of Egypt"),
        pytest.param("pt", "pt-BR", id="Portuguese"),
        pytest.param("pt-BR,pt;q=0.9,en-US;q=0.8", "pt-BR", id="Brazil"),
        pytest.param("pt-PT, en;q=0.8", "pt-BR", id="Portugal before English"),
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


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("en, fr;q=0.5", "fr", id="best of those offered"),
        pytest.param("ja", "de", id="first when none is offered"),
        pytest.param("*", "de", id="any"),
        pytest.param("de;q=0, *", "fr", id="any but the first"),
    ],
)
def test_negotiate_keeps_to_what_is_offered(header: str, expected: str) -> None:
    """An operator's choice of languages bounds that of the browser."""
    assert negotiate(header, ("de", "fr")) == expected


def test_no_two_tags_are_of_one_language() -> None:
    """A browser that asks for a language is never in doubt which one is meant."""
    primaries = [tag.partition("-")[0] for tag in LANGUAGES]

    assert len(set(primaries)) == len(primaries)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_language_is_called_what_it_calls_itself(tag: str) -> None:
    """Names and directions are those of CLDR, but for what need not be said."""
    locale = Locale.parse(tag, sep="-")
    name = (locale.get_language_name() or "").casefold()

    assert name in NAMES[tag].casefold() or tag == "zh-Hans"
    assert (locale.text_direction == "rtl") == (tag in RIGHT_TO_LEFT)


def test_every_language_has_a_name() -> None:
    """No button of the switch is empty, and no name is left over."""
    assert tuple(NAMES) == LANGUAGES
