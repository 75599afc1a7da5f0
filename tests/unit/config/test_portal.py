"""``portal``: its title, templates and languages, its logo, colour and links."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.colours import WHITE, Colour
from forwardauth.config.portal import parse_accent, parse_url
from forwardauth.config.problems import RefusedValueError
from forwardauth.config.schema import FooterLink
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
    "accent-word": Mistake(
        text="portal:\n  accent: teal",
        key="portal.accent",
        line=2,
        keyword="not a colour",
    ),
    "accent-bright": Mistake(
        text="portal:\n  accent: '#ffcc00'",
        key="portal.accent",
        line=2,
        keyword="a contrast of 1.5 to white, below 4.5",
    ),
    "footer-without-url": Mistake(
        text="portal:\n  footer:\n    - label: Help",
        key="portal.footer.0.url",
        line=3,
        keyword="is missing",
    ),
    "footer-label-blank": Mistake(
        text="portal:\n  footer:\n    - {label: ' ', url: 'https://a.example'}",
        key="portal.footer.0.label",
        line=3,
        keyword="not a label",
    ),
    "footer-long": Mistake(
        text="portal:\n  footer: ["
        + 9 * "{label: a, url: 'https://a.example'}, "
        + "]",
        key="portal.footer",
        line=2,
        keyword="has 9 links, above 8",
    ),
    "footer-text": Mistake(
        text="portal:\n  footer: https://a.example",
        key="portal.footer",
        line=2,
        keyword="must be a list",
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


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "//a.example",
        "/imprint",
        "https://",
        "https:///x",
        "https://a.example/ b",
        "https://a.example/\\x",
        'https://a.example/"',
        "https://ü.example/",
        "mailto:",
        "mailto:a@b@c",
        "a.example",
        "https://a.example/" + 2048 * "x",
    ],
    ids=lambda url: url[:24],
)
def test_link_that_leads_nowhere_is_refused(url: str) -> None:
    """No code, no path of whichever host shows the page, nothing half written."""
    with pytest.raises(RefusedValueError, match="is not a URL for a link"):
        parse_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "HTTPS://a.example/b?c=d&e#f",
        "http://10.0.0.1:8080/",
        "https://[::1]/",
        "mailto:help@example.com",
    ],
)
def test_link_leads_to_a_page_or_to_a_mailbox(url: str) -> None:
    """As it is written."""
    assert parse_url(url) == url


def test_brand_is_read(tmp_path: Path) -> None:
    """Logo, colour and links, as the pages get them."""
    text = """\
portal:
  logo: images/logo.svg
  accent: "#00695C"
  footer:
    - {label: Help, url: "https://help.example.com/"}
    - {label: Imprint, url: "mailto:a@example.com"}
"""

    portal = load_text(tmp_path, text).portal

    assert portal.logo == tmp_path / "images/logo.svg"
    assert portal.accent == Colour(0x00, 0x69, 0x5C)
    assert portal.footer == (
        FooterLink(label="Help", url="https://help.example.com/"),
        FooterLink(label="Imprint", url="mailto:a@example.com"),
    )


def test_brand_is_the_shipped_one_without_a_word(tmp_path: Path) -> None:
    """Mark, colour and an empty foot."""
    portal = load_text(tmp_path, "").portal

    assert (portal.logo, portal.accent, portal.footer) == (None, None, ())


def test_brand_comes_from_the_environment(tmp_path: Path) -> None:
    """A container needs no file for it, the logo aside."""
    environ = {
        "FORWARDAUTH_PORTAL__ACCENT": "#00695c",
        "FORWARDAUTH_PORTAL__FOOTER__0__LABEL": "Help",
        "FORWARDAUTH_PORTAL__FOOTER__0__URL": "https://help.example.com/",
    }

    portal = load_text(tmp_path, "", environ).portal

    assert str(portal.accent) == "#00695c"
    assert [link.label for link in portal.footer] == ["Help"]


def test_shade_that_is_proposed_is_accepted() -> None:
    """Whoever does what the remedy says is done."""
    with pytest.raises(RefusedValueError) as caught:
        parse_accent("#ffcc00")

    shade = re.search(r"#[0-9a-f]{6}", caught.value.remedy)
    assert shade is not None
    assert parse_accent(shade[0]).contrast(WHITE) >= 4.5
