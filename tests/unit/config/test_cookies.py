"""``cookies``: what browsers would refuse, and what strangers would share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.config.cookies import parse_domain, parse_portal
from forwardauth.config.load import load_settings
from forwardauth.config.problems import RefusedValueError
from forwardauth.domains import Origin
from tests.support.configuration import (
    USERS,
    Mistake,
    load_text,
    problems_in,
    warnings_in,
    write_config,
)


def entry(domain: str, portal: str) -> str:
    """Return an entry of ``cookies``: its domain and portal on lines of their own."""
    return f"  - domain: {domain}\n    portal: {portal}\n"


def mistake(text: str, name: str, line: int, keyword: str) -> Mistake:
    """Return a mistake in an entry of ``cookies``."""
    return Mistake(
        base=USERS + "cookies:\n",
        text=text,
        key=f"cookies.{name}",
        line=line,
        keyword=keyword,
    )


MISTAKES = {
    "none": Mistake(
        base=USERS, text="cookies: []", key="cookies", line=1, keyword="no domain"
    ),
    "null": Mistake(
        base=USERS, text="cookies:", key="cookies", line=1, keyword="is empty"
    ),
    "no-list": Mistake(
        base=USERS,
        text="cookies:\n  domain: example.com",
        key="cookies",
        line=1,
        keyword="must be a list",
    ),
    "names-alone": mistake("  - example.com", "0", 1, "must hold keys"),
    "no-portal": mistake("  - domain: example.com", "0.portal", 1, "is missing"),
    "no-domain": mistake(
        "  - portal: https://auth.example.com", "0.domain", 1, "is missing"
    ),
    "empty-domain": mistake(
        "  - domain:\n    portal: https://a.b", "0.domain", 1, "is empty"
    ),
    "unknown-key": mistake(
        entry("example.com", "https://auth.example.com") + "    default_url: x",
        "0.default_url",
        3,
        "is not a key",
    ),
    "top-level-domain": mistake(
        entry("com", "https://auth.com"), "0.domain", 1, "single label"
    ),
    "suffix-of-the-registries": mistake(
        entry("co.uk", "https://auth.co.uk"), "0.domain", 1, "public suffix"
    ),
    "suffix-of-the-private-section": mistake(
        entry("github.io", "https://me.github.io"), "0.domain", 1, "public suffix"
    ),
    "suffix-of-a-dynamic-dns": mistake(
        entry("duckdns.org", "https://me.duckdns.org"), "0.domain", 1, "public suffix"
    ),
    "suffix-of-the-home": mistake(
        entry("home.arpa", "https://auth.home.arpa"), "0.domain", 1, "public suffix"
    ),
    "localhost": mistake(
        entry("localhost", "http://auth.localhost"), "0.domain", 1, "single label"
    ),
    "ipv4": mistake(
        entry("192.168.1.10", "https://192.168.1.10"), "0.domain", 1, "an address"
    ),
    "ipv6": mistake(
        entry('"[::1]"', "https://auth.example.com"), "0.domain", 1, "an address"
    ),
    "leading-dot": mistake(
        entry(".example.com", "https://auth.example.com"), "0.domain", 1, "a dot"
    ),
    "url-as-domain": mistake(
        entry("https://example.com", "https://auth.example.com"),
        "0.domain",
        1,
        "an address",
    ),
    "umlaut": mistake(
        entry("bücher.example", "https://auth.xn--bcher-kva.example"),
        "0.domain",
        1,
        "not ASCII",
    ),
    "portal-elsewhere": mistake(
        entry("example.com", "https://auth.example.net"),
        "0.portal",
        2,
        "not at or below example.com",
    ),
    "portal-with-the-same-ending": mistake(
        entry("example.com", "https://badexample.com"),
        "0.portal",
        2,
        "not at or below example.com",
    ),
    "portal-http": mistake(
        entry("example.com", "http://auth.example.com"), "0.portal", 2, "not https"
    ),
    "portal-http-on-a-host-like-localhost": mistake(
        entry("notlocalhost.com", "http://notlocalhost.com"), "0.portal", 2, "https"
    ),
    "portal-with-path": mistake(
        entry("example.com", "https://auth.example.com/login"),
        "0.portal",
        2,
        "the path '/login'",
    ),
    "portal-with-query": mistake(
        entry("example.com", "https://auth.example.com/?a=b"), "0.portal", 2, "query"
    ),
    "portal-with-fragment": mistake(
        entry("example.com", '"https://auth.example.com/#a"'), "0.portal", 2, "fragment"
    ),
    "portal-with-userinfo": mistake(
        entry("example.com", "https://me@auth.example.com"), "0.portal", 2, "userinfo"
    ),
    "portal-without-scheme": mistake(
        entry("example.com", "auth.example.com"), "0.portal", 2, "not an origin"
    ),
    "portal-port": mistake(
        entry("example.com", "https://auth.example.com:99999"),
        "0.portal",
        2,
        "port 99999",
    ),
    "domain-twice": mistake(
        entry("example.com", "https://a.example.com")
        + entry("EXAMPLE.com", "https://b.example.com"),
        "1.domain",
        3,
        "given twice",
    ),
    "domain-below-another": mistake(
        entry("example.com", "https://auth.example.com")
        + entry("apps.example.com", "https://auth.apps.example.com"),
        "1.domain",
        3,
        "nested",
    ),
    "domain-above-another": mistake(
        entry("apps.example.com", "https://auth.apps.example.com")
        + entry("example.com", "https://auth.example.com"),
        "1.domain",
        3,
        "nested",
    ),
    "target-elsewhere": mistake(
        entry("example.com", "https://auth.example.com")
        + "    default_target: https://example.net/",
        "0.default_target",
        3,
        "would be refused as a target",
    ),
    "target-http": mistake(
        entry("example.com", "https://auth.example.com")
        + "    default_target: http://www.example.com/",
        "0.default_target",
        3,
        "would be refused as a target",
    ),
    "target-that-signs-out": mistake(
        entry("example.com", "https://auth.example.com")
        + "    default_target: https://auth.example.com/logout",
        "0.default_target",
        3,
        "would be refused as a target",
    ),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """One problem, with key, line and reason."""
    check_mistake(wrong)


def test_the_domains_are_read_in_order(tmp_path: Path) -> None:
    """The first entry is the home; names and hosts are in lower case."""
    text = (
        USERS
        + "cookies:\n"
        + entry("Example.COM", "HTTPS://Auth.Example.com:443/")
        + "    default_target: https://www.example.com/\n"
        + entry("example.localhost", "http://example.localhost:8000")
    )

    settings = load_settings(write_config(tmp_path, text), {})

    first, second = settings.cookies
    assert first.domain.name == "example.com"
    assert first.domain.portal == Origin(scheme="https", host="auth.example.com")
    assert first.default_target == "https://www.example.com/"
    assert second.domain.portal_url("/login") == "http://example.localhost:8000/login"
    assert second.default_target is None
    assert not second.domain.is_secure
    assert settings.domains.home is first.domain


def test_the_portal_may_repeat_the_base_path(tmp_path: Path) -> None:
    """The path that people see in the browser is no mistake."""
    for portal in ("https://example.com", "https://example.com/authenticate"):
        text = (
            USERS
            + f"cookies:\n{entry('example.com', portal)}"
            + "server:\n  base_path: /authenticate\n"
        )

        settings = load_settings(write_config(tmp_path, text), {})

        assert settings.domains.home.portal_url("/logout") == (
            "https://example.com/authenticate/logout"
        )


def test_a_name_that_everybody_can_use_is_a_warning(tmp_path: Path) -> None:
    """``nip.io`` hands hosts to whoever names them, and no list says so."""
    text = USERS + "cookies:\n" + entry("nip.io", "https://auth.nip.io")
    environ = {
        "FORWARDAUTH_COOKIES__0__DOMAIN": "nip.io",
        "FORWARDAUTH_COOKIES__0__PORTAL": "https://auth.nip.io",
    }

    (warning,) = warnings_in(tmp_path, "", environ)

    assert warning.place.key == "cookies.0.domain"
    assert problems_in(write_config(tmp_path, text)) == ()


@pytest.mark.parametrize(
    "text",
    [
        "example.com",
        "example.co.uk",
        "me.github.io",
        "my.duckdns.org",
        "homelab.lan",
        "mine.home.arpa",
        "example.localhost",
        "a-b.example",
        "10.example",
        "xn--bcher-kva.de",
    ],
)
def test_names_of_ones_own_are_accepted(text: str) -> None:
    """Registered, handed out, or made up for the home."""
    assert parse_domain(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "example..com",
        "exam_ple.com",
        "-a.com",
        "a-.com",
        "exa mple.com",
        "*.example.com",
        "example.com.",
        "127.1",
        "0x7f.1",
        "1.2.3.4.5",
        "::1",
        "example.com:443",
        "a" * 64 + ".com",
        "a." * 127 + "com",
        "ex\nample.com",
        "\u212a.example",
    ],
)
def test_other_names_are_refused(text: str) -> None:
    """Neither a pattern nor an address nor a name that DNS cannot hold."""
    with pytest.raises(RefusedValueError):
        parse_domain(text)


def test_a_name_in_unicode_is_told_in_ascii() -> None:
    """The remedy is the name to write."""
    with pytest.raises(RefusedValueError) as caught:
        parse_domain("Bücher.example")

    assert caught.value.remedy == "write xn--bcher-kva.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "https:auth.example.com",
        "//auth.example.com",
        "ftp://a.example.com",
        "https://auth.example.com:",
        "https://auth.example.com:0443",
        "https://a_b.example.com",
        "https://auth.example.com\\@evil.example",
        "https://auth.example.com/%2e",
        "https://auth.example.com//",
        " https://auth.example.com",
        "https://a.b\n",
    ],
)
def test_other_portals_are_refused(text: str) -> None:
    """An origin, and nothing that two programs could read in two ways."""
    with pytest.raises(RefusedValueError):
        parse_portal(text, "")


def test_a_portal_on_another_port_keeps_it(tmp_path: Path) -> None:
    """The port is part of every address of the portal."""
    environ = {"FORWARDAUTH_COOKIES__0__PORTAL": "https://auth.example.com:8443"}

    home = load_text(tmp_path, "", environ).domains.home

    assert home.portal.port == 8443
