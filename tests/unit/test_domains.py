"""Origins, cookie domains, and which domain a host belongs to."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forwardauth.domains import CookieDomain, CookieDomains, Origin

COM = CookieDomain(
    name="example.com", portal=Origin(scheme="https", host="auth.example.com")
)
ORG = CookieDomain(
    name="example.org",
    portal=Origin(scheme="https", host="login.example.org", port=8443),
    base_path="/authenticate",
)
LOCAL = CookieDomain(
    name="example.localhost",
    portal=Origin(scheme="http", host="auth.example.localhost", port=8080),
)
DOMAINS = CookieDomains(entries=(COM, ORG, LOCAL))

LABELS = ("app", "example", "com", "org", "evil", "example-com", "co")
HOSTS = st.lists(st.sampled_from(LABELS), max_size=5).map(".".join)


@pytest.mark.parametrize(
    ("origin", "port", "text"),
    [
        (Origin(scheme="https", host="a.test"), 443, "https://a.test"),
        (Origin(scheme="http", host="a.test"), 80, "http://a.test"),
        (
            Origin(scheme="https", host="a.test", port=8443),
            8443,
            "https://a.test:8443",
        ),
        (Origin(scheme="https", host="a.test", port=80), 80, "https://a.test:80"),
    ],
    ids=["https", "http", "own port", "port of the other scheme"],
)
def test_origin_is_spelled_as_browsers_do(origin: Origin, port: int, text: str) -> None:
    """A default port is left out and yet the one that is connected to."""
    assert origin.effective_port == port
    assert str(origin) == text


@pytest.mark.parametrize(
    "other",
    [
        Origin(scheme="http", host="auth.example.com"),
        Origin(scheme="https", host="app.example.com"),
        Origin(scheme="https", host="auth.example.com", port=8443),
    ],
    ids=["scheme", "host", "port"],
)
def test_origins_differ_in_any_part(other: Origin) -> None:
    """Scheme, host and port: one that differs is another origin."""
    assert other != COM.portal


@pytest.mark.parametrize(
    ("host", "is_covered"),
    [
        ("example.com", True),
        ("app.example.com", True),
        ("a.b.example.com", True),
        ("evilexample.com", False),
        ("evil-example.com", False),
        ("example.com.evil.test", False),
        ("com", False),
        (".com", False),
        ("", False),
        ("example.com.", False),
    ],
)
def test_domain_covers_what_is_dot_bounded_below(host: str, is_covered: bool) -> None:
    """The name itself and hosts below it, never a name that only ends alike."""
    assert COM.covers(host) is is_covered


@pytest.mark.parametrize(
    ("domain", "url"),
    [
        (COM, "https://auth.example.com/login"),
        (ORG, "https://login.example.org:8443/authenticate/login"),
        (LOCAL, "http://auth.example.localhost:8080/login"),
    ],
    ids=["plain", "port and base path", "localhost"],
)
def test_portal_url_is_absolute(domain: CookieDomain, url: str) -> None:
    """Some proxies resolve a relative address against our own (V-30)."""
    assert domain.portal_url("/login") == url


@pytest.mark.parametrize(
    ("domain", "is_secure"), [(COM, True), (ORG, True), (LOCAL, False)], ids=str
)
def test_cookies_are_secure_where_the_portal_is(
    domain: CookieDomain, is_secure: bool
) -> None:
    """Only a portal on plain http goes without ``Secure``."""
    assert domain.is_secure is is_secure


def test_home_is_the_first_domain() -> None:
    """A login on another domain is asked for there."""
    assert DOMAINS.home is COM


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("example.com", COM),
        ("a.b.c.example.org", ORG),
        ("auth.example.localhost", LOCAL),
        ("evilexample.com", None),
        ("example.com.evil.test", None),
        ("example.net", None),
        ("com", None),
        ("", None),
        ("example.com.", None),
    ],
    ids=str,
)
def test_host_finds_its_domain(host: str, domain: CookieDomain | None) -> None:
    """A host at or below a name belongs to it; any other to nobody (V-1)."""
    assert DOMAINS.lookup(host) is domain


@given(host=HOSTS)
@example(host="example.com")
@example(host="app.example.org")
def test_index_agrees_with_asking_each_domain(host: str) -> None:
    """The look-up by labels finds what a walk over all domains finds."""
    covering = [entry for entry in DOMAINS.entries if entry.covers(host)]

    found = DOMAINS.lookup(host)

    assert ([] if found is None else [found]) == covering
