"""``portal``: its title, its templates and its languages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.language_tags import LANGUAGES
from tests.support.configuration import Mistake, load_text

MISTAKES = {
    "title-blank": Mistake(
        text='portal:\n  title: " "', key="portal.title", line=2, keyword="not a title"
    ),
    "title-null": Mistake(
        text="portal:\n  title:", key="portal.title", line=2, keyword="is empty"
    ),
    "title-long": Mistake(
        text=f"portal:\n  title: {'x' * 101}",
        key="portal.title",
        line=2,
        keyword="not a title",
    ),
    "title-with-control-character": Mistake(
        text='portal:\n  title: "a\\x07b"',
        key="portal.title",
        line=2,
        keyword="not a title",
    ),
    "templates-list": Mistake(
        text="portal:\n  templates: [a]",
        key="portal.templates",
        line=2,
        keyword="must be one value",
    ),
    "language-unknown": Mistake(
        text="portal:\n  languages: [de, tlh]",
        key="portal.languages.1",
        line=2,
        keyword="not in",
    ),
    "language-region": Mistake(
        text="portal:\n  languages: de-AT",
        key="portal.languages",
        line=2,
        keyword="not in",
    ),
    "languages-none": Mistake(
        text="portal:\n  languages: []",
        key="portal.languages",
        line=2,
        keyword="names no language",
    ),
    "languages-null": Mistake(
        text="portal:\n  languages:",
        key="portal.languages",
        line=2,
        keyword="is empty",
    ),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """One problem, with key, line and reason."""
    check_mistake(wrong)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("", LANGUAGES, id="default"),
        pytest.param("portal: {languages: de}", ("de",), id="single"),
        pytest.param("portal: {languages: [fr, en]}", ("fr", "en"), id="order"),
        pytest.param("portal: {languages: [de, DE, de]}", ("de",), id="repeated"),
        pytest.param("portal: {languages: zh-hans}", ("zh-Hans",), id="lower-case"),
    ],
)
def test_languages_are_offered_in_the_order_written(
    tmp_path: Path, written: str, expected: tuple[str, ...]
) -> None:
    """Each language counts once, in whatever case its tag is."""
    assert load_text(tmp_path, written).portal.languages == expected


def test_languages_come_from_the_environment(tmp_path: Path) -> None:
    """A container chooses its languages without a file."""
    environ = {"FORWARDAUTH_PORTAL__LANGUAGES": "ja, en"}

    assert load_text(tmp_path, "", environ).portal.languages == ("ja", "en")
