"""Times in words: exact, in the language, never in the future."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from forwardauth.web.languages import load_languages
from forwardauth.web.speech import Speech


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
        ("it", "5 minuti"),
        ("nl", "5 minuten"),
        ("pl", "5 minut"),
        ("pt-BR", "5 minutos"),
        ("tr", "5 dakika"),
        ("ar", "5 دقائق"),
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


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("en", "Mar 1, 2026, 9:05\u202fAM"),
        ("de", "01.03.2026, 09:05"),
        ("es", "1 mar 2026, 9:05"),
        ("fr", "1 mars 2026, 09:05"),
        ("it", "1 mar 2026, 09:05"),
        ("nl", "1 mrt 2026, 09:05"),
        ("pl", "1 mar 2026, 09:05"),
        ("pt-BR", "1 de mar. de 2026 09:05"),
        ("tr", "1 Mar 2026 09:05"),
        ("ar", "01\u200f/03\u200f/2026، 9:05 ص"),
        ("ja", "2026/03/01 9:05"),
        ("zh-Hans", "2026年3月1日 09:05"),
    ],
)
def test_moment_is_in_the_language(tag: str, words: str) -> None:
    """Dates are written as the language writes them."""
    when = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)

    assert load_languages()[tag].moment(when) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        pytest.param(1, "Anmeldung", id="one"),
        pytest.param(0, "Anmeldungen", id="none"),
        pytest.param(5, "Anmeldungen", id="more"),
    ],
)
def test_catalogue_chooses_the_form_of_a_number(count: int, words: str) -> None:
    """A message with a number is said in the form that the number needs."""
    catalogue = b"""
msgid ""
msgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"Content-Type: text/plain; charset=utf-8\\n"

msgid "sign-in"
msgid_plural "sign-ins"
msgstr[0] "Anmeldung"
msgstr[1] "Anmeldungen"
"""

    translations = Speech("de", catalogue).translations

    assert translations.ngettext("sign-in", "sign-ins", count) == words
