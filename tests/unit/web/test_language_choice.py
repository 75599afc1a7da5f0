"""The language that was chosen in a browser, and the cookie that keeps it."""

import pytest

from forwardauth.domains import CookieDomain, Origin
from forwardauth.web.language_choice import LanguageChoice
from tests.support.headers import FakeHeaders

DOMAIN = CookieDomain(
    name="example.com", portal=Origin(scheme="https", host="auth.example.com")
)
LOCAL = CookieDomain(
    name="example.localhost",
    portal=Origin(scheme="http", host="auth.example.localhost", port=8080),
)
CHOICE = LanguageChoice(("en", "de", "fr"), cookie_name="sid")
OWN = "__Host-sid_language"
PLAIN = "sid_language"


@pytest.mark.parametrize(
    ("cookies", "expected"),
    [
        pytest.param([], "fr", id="none"),
        pytest.param([f"{OWN}=de"], "de", id="chosen"),
        pytest.param([f"{PLAIN}=de"], "de", id="chosen on localhost"),
        pytest.param([f"{PLAIN}=en", f"{OWN}=de"], "de", id="planted beside it"),
        pytest.param([f"{PLAIN}=en; {PLAIN}=de"], "fr", id="two that differ"),
        pytest.param([f"{OWN}=en; {OWN}=de"], "fr", id="two prefixed that differ"),
        pytest.param([f"{OWN}=de; {OWN}=de"], "de", id="the same twice"),
        pytest.param([f"{OWN}=ja"], "fr", id="not offered"),
        pytest.param([f"{OWN}=DE"], "fr", id="upper case"),
        pytest.param([f"{OWN}="], "fr", id="empty"),
        pytest.param([f"{OWN}=../../etc/passwd"], "fr", id="path"),
        pytest.param([f"{OWN}=" + "d" * 5000], "fr", id="long"),
    ],
)
def test_what_was_chosen_comes_before_what_the_browser_prefers(
    cookies: list[str], expected: str
) -> None:
    """A choice counts if it is one; else the header decides."""
    headers = FakeHeaders(
        ("Accept-Language", "fr"), *(("Cookie", line) for line in cookies)
    )

    assert CHOICE.get(headers) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], "en", id="none"),
        pytest.param(["ja"], "en", id="none that is offered"),
        pytest.param(["ja", "de"], "de", id="two lines"),
    ],
)
def test_header_chooses_among_what_is_offered(lines: list[str], expected: str) -> None:
    """Lines of one header are one list; the first language is the last resort."""
    headers = FakeHeaders(*(("Accept-Language", line) for line in lines))

    assert CHOICE.get(headers) == expected


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        pytest.param(
            DOMAIN,
            "__Host-sid_language=de; Path=/; Max-Age=31536000; Secure; HttpOnly; "
            "SameSite=Lax",
            id="https",
        ),
        pytest.param(
            LOCAL,
            "sid_language=de; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
            id="localhost",
        ),
    ],
)
def test_choice_is_kept_for_the_portal_alone(
    domain: CookieDomain, expected: str
) -> None:
    """Its cookie has no ``Domain``, and says the language and nothing else."""
    assert CHOICE.set_line("de", domain) == expected
