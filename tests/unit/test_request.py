"""The strict grammar of what a proxy says about the original request."""

import re
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forwardauth.errors import ProxyRequestError
from forwardauth.request import (
    ANONYMOUS,
    MAX_URI_CHARACTERS,
    METHODS,
    REFUSED_TARGET,
    OriginalRequest,
    Subject,
    parse_host,
    parse_method,
    parse_scheme,
    parse_uri,
    parse_url,
)
from tests.support.targets import Listed, read_list

HEADER: Final = "X-Some-Header"
BAD_HOSTS: Final = list(read_list("hosts-refused.txt"))
BAD_URIS: Final = list(read_list("uris-refused.txt"))

LABEL_OF_63: Final = "a" * 63
HOST_OF_253: Final = ".".join((LABEL_OF_63, LABEL_OF_63, LABEL_OF_63, "a" * 61))


def _assert_refused(parse: Callable[[], object], reason: str) -> None:
    """Check that *parse* refuses its value, and says why and which header it was."""
    with pytest.raises(ProxyRequestError) as refused:
        parse()

    assert (refused.value.header, refused.value.reason) == (HEADER, reason)


def _read_or_none(value: str) -> tuple[str, str | None] | None:
    try:
        return parse_uri(value, header=HEADER)
    except ProxyRequestError:
        return None


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_known_scheme_is_read(scheme: str) -> None:
    """There are two (V-15)."""
    assert parse_scheme(scheme, header=HEADER) == scheme


@pytest.mark.parametrize(
    "value",
    [
        *("", "HTTPS", "Https", "ws", "wss", "ftp", "file", "javascript", "on"),
        *("https:", "https://", "https,http", "https, https", " https", "https "),
        *("https\n", "https\0", "http\N{CYRILLIC SMALL LETTER ES}"),
        "http\N{LATIN SMALL LETTER LONG S}",
    ],
    ids=ascii,
)
def test_other_scheme_is_refused(value: str) -> None:
    """Neither another case, a list nor a letter that looks alike is read (V-15)."""
    _assert_refused(lambda: parse_scheme(value, header=HEADER), "scheme_unknown")


@pytest.mark.parametrize(
    "method",
    [
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
        *("PROPFIND", "REPORT", "MKCALENDAR", "ACL"),
    ],
)
def test_usual_method_is_read(method: str) -> None:
    """Browsers, and clients of files and calendars, may ask (V-17)."""
    assert parse_method(method, header=HEADER) == method


@pytest.mark.parametrize(
    "value",
    [
        *("", "get", "Get", "gET", " GET", "GET ", "GET\n", "GET\0", "GET,POST"),
        *(
            "GET, GET",
            "GET /",
            "FOO",
            "X-GET",
            "*",
            "\N{FULLWIDTH LATIN CAPITAL LETTER G}ET",
        ),
    ],
    ids=ascii,
)
def test_other_method_is_refused(value: str) -> None:
    """A method in lower case must not walk past a rule (V-17)."""
    _assert_refused(lambda: parse_method(value, header=HEADER), "method_unknown")


def test_methods_are_in_upper_case() -> None:
    """The list itself lets no spelling in that a rule would not know (V-17)."""
    assert {method for method in METHODS if not re.fullmatch("[A-Z]+", method)} == set()


@pytest.mark.parametrize(
    ("value", "scheme", "host", "port"),
    [
        ("app.example.com", "https", "app.example.com", None),
        ("a.B.Example.COM", "https", "a.b.example.com", None),
        ("app.example.com:443", "https", "app.example.com", None),
        ("app.example.com:80", "http", "app.example.com", None),
        ("app.example.com:80", "https", "app.example.com", 80),
        ("app.example.com:443", "http", "app.example.com", 443),
        ("app.example.com:8443", "https", "app.example.com", 8443),
        ("app.example.com:1", "https", "app.example.com", 1),
        ("app.example.com:65535", "https", "app.example.com", 65535),
        ("localhost", "http", "localhost", None),
        ("xn--mnchen-3ya.example.com", "https", "xn--mnchen-3ya.example.com", None),
        ("1-2.example.com", "https", "1-2.example.com", None),
        ("192.0.2.1", "https", "192.0.2.1", None),
        (f"{LABEL_OF_63}.test", "https", f"{LABEL_OF_63}.test", None),
        (f"{HOST_OF_253}:65535", "https", HOST_OF_253, 65535),
    ],
    ids=lambda value: str(value)[:24],
)
def test_host_is_lowered_and_default_port_dropped(
    value: str, scheme: str, host: str, port: int | None
) -> None:
    """Every spelling of one host meets the same rule (V-16)."""
    assert parse_host(value, scheme=scheme, header=HEADER) == (host, port)


@pytest.mark.parametrize("case", BAD_HOSTS, ids=str)
def test_host_that_can_be_read_in_two_ways_is_refused(case: Listed) -> None:
    """Nothing but letters, digits, hyphens and one port passes (V-16)."""
    _assert_refused(
        lambda: parse_host(case.text, scheme="https", header=HEADER), case.expected
    )


@pytest.mark.parametrize(
    "value",
    ["", "a" * 64, f"{LABEL_OF_63}a.test", f"{HOST_OF_253}a", "a." * 5000 + "test"],
    ids=["empty", "label", "first label", "name", "very long name"],
)
def test_host_without_or_beyond_its_length_is_refused(value: str) -> None:
    """A label has 63 characters at most, a name 253 (V-16)."""
    _assert_refused(
        lambda: parse_host(value, scheme="https", header=HEADER), "host_malformed"
    )


@pytest.mark.parametrize(
    ("value", "path", "query"),
    [
        ("/", "/", None),
        ("/?", "/", ""),
        ("/a/b.html", "/a/b.html", None),
        ("/a?b=c", "/a", "b=c"),
        ("/a?b?c=/d?", "/a", "b?c=/d?"),
        ("/a;v=1/..//b", "/a;v=1/..//b", None),
        ("//evil.test/x", "//evil.test/x", None),
        ("/%2e%2E/%5c%00%25", "/%2e%2E/%5c%00%25", None),
        ("/a?b=%20%C3%A9", "/a", "b=%20%C3%A9"),
        (
            "/!$&'()*+,-.:;=@[]^_`{|}~\"<>",
            "/!$&'()*+,-.:;=@[]^_`{|}~\"<>",
            None,
        ),
    ],
)
def test_path_and_query_are_kept_as_they_came(
    value: str, path: str, query: str | None
) -> None:
    """Nothing is decoded or repaired; an empty query differs from none (V-18)."""
    assert parse_uri(value, header=HEADER) == (path, query)


def test_empty_target_is_refused() -> None:
    """A request target has a path (V-18)."""
    _assert_refused(lambda: parse_uri("", header=HEADER), "uri_malformed")


@pytest.mark.parametrize("case", BAD_URIS, ids=str)
def test_target_in_another_form_is_refused(case: Listed) -> None:
    """No absolute form, fragment, backslash, space, control or bad escape (V-18)."""
    _assert_refused(lambda: parse_uri(case.text, header=HEADER), case.expected)


def test_longest_target_is_read() -> None:
    """8190 characters are within the limit (V-18)."""
    value = "/".ljust(MAX_URI_CHARACTERS, "a")

    assert parse_uri(value, header=HEADER) == (value, None)


@pytest.mark.parametrize("filler", ["a", "%", "\\", "é"])
def test_longer_target_is_refused_for_its_length(filler: str) -> None:
    """One character more is too long, whatever it is (V-18, V-42)."""
    value = "/".ljust(MAX_URI_CHARACTERS + 1, filler)

    _assert_refused(lambda: parse_uri(value, header=HEADER), "uri_too_long")


@pytest.mark.parametrize(
    "query", ["\u00e9", "\udcff", "a b", "\\", "%2", "#", "\0", "?\n", "a" * 9000]
)
def test_unreadable_query_of_a_logout_is_a_refused_target(query: str) -> None:
    """A logout comes before its target, so nothing in its query is an error (L-8)."""
    paths = frozenset({"/logout"})

    read = parse_uri(f"/logout?{query}", header=HEADER, logout_paths=paths)

    assert read == ("/logout", REFUSED_TARGET)


@pytest.mark.parametrize(
    ("value", "query"),
    [("/logout", None), ("/logout?", ""), ("/logout?rd=a", "rd=a")],
)
def test_readable_query_of_a_logout_is_kept(value: str, query: str | None) -> None:
    """A good one is what the browser sent."""
    paths = frozenset({"/logout"})

    assert parse_uri(value, header=HEADER, logout_paths=paths) == ("/logout", query)


@pytest.mark.parametrize(
    "value",
    [
        "/logout#?a",
        "/logout#",
        "/logout\u00e9?a",
        "/logout\\?a",
        "/logout/?#",
        "/Logout?#",
        "//logout?#",
        "/%6cogout?#",
        "/?#",
        "logout?#",
        "https://app.example.com/logout?#",
    ],
)
def test_other_paths_keep_their_grammar(value: str) -> None:
    """Only what stands behind an exact logout path may be anything (V-18)."""
    paths = frozenset({"/logout"})

    _assert_refused(
        lambda: parse_uri(value, header=HEADER, logout_paths=paths), "uri_malformed"
    )


@given(tail=st.text(st.characters(max_codepoint=0x180), max_size=20))
@example(tail="a?b?c")
@example(tail="%2f")
def test_accepted_target_holds_plain_characters_only(tail: str) -> None:
    """What is accepted is printable ASCII and comes back whole."""
    value = "/" + tail
    plain = re.sub("%[0-9A-Fa-f]{2}", "", value)
    is_plain = not re.search(r"[^\x21-\x7e]|[#\\%]", plain)

    read = _read_or_none(value)

    assert (read is not None) == is_plain
    if read is not None:
        path, query = read
        assert path + ("" if query is None else f"?{query}") == value


@pytest.mark.parametrize(
    ("port", "query", "url"),
    [
        (None, None, "https://app.example.com/a"),
        (8443, None, "https://app.example.com:8443/a"),
        (None, "", "https://app.example.com/a?"),
        (80, "b=c%20d", "https://app.example.com:80/a?b=c%20d"),
    ],
    ids=["plain", "port", "empty query", "all"],
)
def test_url_is_what_the_browser_shows(
    port: int | None, query: str | None, url: str
) -> None:
    """The way back after signing in is the address that was asked for (V-30)."""
    original = OriginalRequest(
        scheme="https",
        host="app.example.com",
        port=port,
        method="GET",
        path="/a",
        query=query,
    )

    assert original.url == url


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://App.example.com", "https://app.example.com/"),
        ("https://app.example.com:443/a?b=c", "https://app.example.com/a?b=c"),
        ("http://app.example.com:8080/?", "http://app.example.com:8080/?"),
    ],
)
def test_what_is_typed_is_a_request_for_it(typed: str, url: str) -> None:
    """Of a browser that shows the same, whoever it belongs to."""
    assert parse_url(typed).url == url
    assert parse_url(typed).method == "GET"


@pytest.mark.parametrize("typed", ["app.example.com/", "https:///a", "https://a/ b"])
def test_what_is_no_url_is_no_request(typed: str) -> None:
    """What an adapter would refuse is refused, and so is a method nobody knows."""
    with pytest.raises(ProxyRequestError) as refused:
        parse_url(typed)
    with pytest.raises(ProxyRequestError, match="METHOD"):
        parse_url("https://app.example.com/", method="get")

    assert refused.value.header == "URL"


@pytest.mark.parametrize(
    ("subject", "is_anonymous"),
    [
        (ANONYMOUS, True),
        (Subject(), True),
        (Subject(username="alice", groups=frozenset({"admins"})), True),
        (Subject(username="alice", level=1), False),
        (Subject(username="alice", level=2), False),
    ],
    ids=["nobody", "default", "no factor yet", "one factor", "two factors"],
)
def test_only_proven_factors_make_somebody(
    subject: Subject, is_anonymous: bool
) -> None:
    """A name without a proven factor is nobody's (V-3)."""
    assert subject.is_anonymous is is_anonymous
