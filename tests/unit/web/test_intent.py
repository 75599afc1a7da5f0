"""Who asks, and how: the truth tables of logout, cell by cell."""

from itertools import product

import pytest
from multidict import CIMultiDict

from forwardauth.domains import CookieDomain, CookieDomains, Origin
from forwardauth.web.intent import (
    Provenance,
    is_deliberate_navigation,
    is_own,
    judge_provenance,
    lookup_own_origin,
)
from tests.support.client import NAVIGATION
from tests.support.portal import Portal

DOMAINS = CookieDomains(
    entries=(
        CookieDomain(
            name="example.com", portal=Origin(scheme="https", host="auth.example.com")
        ),
        CookieDomain(
            name="example.localhost",
            portal=Origin(scheme="http", host="auth.example.localhost"),
        ),
    )
)
SITES: dict[str, tuple[str, ...]] = {
    "absent": (),
    "same-origin": ("same-origin",),
    "same-site": ("same-site",),
    "none": ("none",),
    "cross-site": ("cross-site",),
    "empty": ("",),
    "junk": ("Same-Origin",),
    "listed": ("same-origin, same-origin",),
    "twice": ("same-origin", "same-origin"),
}
ORIGINS: dict[str, tuple[str, ...]] = {
    "absent": (),
    "portal": ("https://auth.example.com",),
    "port": ("https://auth.example.com:8443",),
    "sibling": ("https://app.example.com",),
    "parent": ("https://example.com",),
    "other": ("http://app.example.localhost",),
    "http": ("http://app.example.com",),
    "foreign": ("https://evil.example",),
    "null": ("null",),
    "twice": ("https://auth.example.com", "https://auth.example.com"),
}
LETTERS = {
    "p": Provenance.PROVEN,
    "r": Provenance.REFERRED,
    "t": Provenance.TYPED,
    "u": Provenance.UNKNOWN,
    ".": Provenance.FOREIGN,
}
# The columns are those of ``ORIGINS``, in order.
TRUTH = """
absent       u p p p p p . . . .
same-origin  p p p . . . . . p .
same-site    p p p p p . . . p .
none         t p p p p p . . . .
cross-site   . . . . . . . . . .
empty        . . . . . . . . . .
junk         . . . . . . . . . .
listed       . . . . . . . . . .
twice        . . . . . . . . . .
"""
REFERER_TRUTH = """
absent       u r r r r r . . . .
same-origin  p p p . . . . . . .
same-site    p p p p p . . . . .
none         t r r r r r . . . .
cross-site   . . . . . . . . . .
empty        . . . . . . . . . .
junk         . . . . . . . . . .
listed       . . . . . . . . . .
twice        . . . . . . . . . .
"""


def cells_of(truth: str) -> list[tuple[str, str, Provenance]]:
    """Return the cells of a table: site, origin, and what they amount to."""
    return [
        (site, origin, LETTERS[letter])
        for site, *row in (line.split() for line in truth.strip().splitlines())
        for origin, letter in zip(ORIGINS, row, strict=True)
    ]


CELLS = cells_of(TRUTH)
Lines = list[tuple[str, str]]


def judge(lines: Lines) -> Provenance:
    """Return where a request with *lines* to the portal comes from."""
    return judge_provenance(
        CIMultiDict(lines), host="auth.example.com", domains=DOMAINS
    )


def lines_of(name: str, values: tuple[str, ...]) -> Lines:
    """Return a header line for each of *values*."""
    return [(name, value) for value in values]


@pytest.mark.parametrize(("site", "origin", "expected"), CELLS)
def test_origin_and_fetch_metadata_are_judged_together(
    site: str, origin: str, expected: Provenance
) -> None:
    """Both have to name our own pages, and one must not deny the other (L-16..L-19)."""
    lines = lines_of("Sec-Fetch-Site", SITES[site])

    found = judge([*lines, *lines_of("Origin", ORIGINS[origin])])

    assert found is expected


@pytest.mark.parametrize(("site", "origin", "expected"), cells_of(REFERER_TRUTH))
def test_referer_stands_in_for_an_origin(
    site: str, origin: str, expected: Provenance
) -> None:
    """It tells who may follow a link, and is no proof for a post (L-16, L-18)."""
    values = tuple(
        value if value == "null" else f"{value}/page?rd=https://auth.example.com#x"
        for value in ORIGINS[origin]
    )

    found = judge(
        [*lines_of("Sec-Fetch-Site", SITES[site]), *lines_of("Referer", values)]
    )

    assert found is expected


WITH_ORIGIN = [cell for cell in CELLS if cell[1] != "absent"]


@pytest.mark.parametrize(("site", "origin", "expected"), WITH_ORIGIN)
@pytest.mark.parametrize(
    "referer", ["https://auth.example.com/", "https://evil.example/"]
)
def test_origin_counts_before_the_referer(
    site: str, origin: str, referer: str, expected: Provenance
) -> None:
    """A page can hide or change its Referer; its Origin it cannot (L-18)."""
    lines = [
        *lines_of("Sec-Fetch-Site", SITES[site]),
        *lines_of("Origin", ORIGINS[origin]),
        ("Referer", referer),
    ]

    assert judge(lines) is expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "null",
        "https://",
        "https:///",
        "https:auth.example.com",
        "//auth.example.com",
        "auth.example.com",
        "https://evilexample.com",
        "https://example.com.evil.example",
        "https://evil.example/https://auth.example.com",
        "https://evil.example\\.example.com",
        "https://evil.example?.example.com",
        "https://evil.example#.example.com",
        "https://auth.example.com@evil.example",
        "https://user@auth.example.com",
        "https://auth.example.com.",
        "https://.example.com",
        "https://auth..example.com",
        "https://auth.example.com:",
        "https://auth.example.com:x",
        "https://auth.example.com:443:443",
        "https://auth.example.com, https://evil.example",
        "https://auth.example.com https://evil.example",
        "https://auth.example.com\t",
        "ftp://auth.example.com",
        "javascript://auth.example.com",
        "file://auth.example.com",
        "https://[::1]",
        "https://127.0.0.1",
        "https://com",
        "https://auth.ex\u0430mple.com",
        "https://\uff41uth.example.com",
        "https://auth.example\u3002com",
        "https://auth.example.com\udcff",
        "https://" + "a" * 300 + ".example.com",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("name", ["Origin", "Referer"])
def test_what_is_not_clearly_ours_is_foreign(name: str, value: str) -> None:
    """Whatever another parser might read as ours does not count (L-16, L-18)."""
    assert judge([(name, value)]) is Provenance.FOREIGN
    with_site = judge([("Sec-Fetch-Site", "same-origin"), (name, value)])
    is_hidden = (name, value) == ("Origin", "null")
    assert with_site is (Provenance.PROVEN if is_hidden else Provenance.FOREIGN)


@pytest.mark.parametrize("name", ["Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-User"])
def test_fetch_metadata_without_a_site_is_foreign(name: str) -> None:
    """No browser sends the rest of them without the site (L-17)."""
    assert judge([(name, "navigate")]) is Provenance.FOREIGN


def test_names_of_headers_have_no_case() -> None:
    """HTTP/2 proxies send them in lower case."""
    assert judge([("sec-fetch-site", "cross-site")]) is Provenance.FOREIGN
    assert judge([("ORIGIN", "HTTPS://APP.EXAMPLE.COM")]) is Provenance.PROVEN


@pytest.mark.parametrize(
    ("scheme", "host", "port", "expected"),
    [
        ("https", "auth.example.com", None, True),
        ("https", "example.com", None, True),
        ("https", "a.b.c.example.com", 8443, True),
        ("http", "auth.example.localhost", 8080, True),
        ("http", "app.example.com", None, False),
        ("https", "app.example.localhost", None, False),
        ("https", "badexample.com", None, False),
        ("https", "com", None, False),
        ("https", "example.com.evil.example", None, False),
    ],
    ids=str,
)
def test_origin_is_ours_below_a_cookie_domain(
    scheme: str, host: str, port: int | None, *, expected: bool
) -> None:
    """With the scheme of that domain's portal, on any port."""
    origin = Origin(scheme=scheme, host=host, port=port)

    assert is_own(origin, DOMAINS) is expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("Origin", "https://app.example.com")], "https://app.example.com"),
        ([("Origin", "https://a.example.com:8443")], "https://a.example.com:8443"),
        ([("Referer", "https://app.example.com/")], None),
        ([("Origin", "https://app.example.com/")], None),
        ([("Origin", "https://app.example.com/path")], None),
        ([("Origin", "https://evil.example")], None),
        ([("Origin", "null")], None),
        ([("Origin", "*")], None),
        ([("Origin", "https://app.example.com")] * 2, None),
        ([], None),
    ],
    ids=str,
)
def test_own_origin_is_returned_as_sent(lines: Lines, expected: str | None) -> None:
    """A browser compares the text, so it gets its own back, or nothing."""
    assert lookup_own_origin(CIMultiDict(lines), DOMAINS) == expected


MODES = ("navigate", "cors", "no-cors", "same-origin", "websocket", "nested-navigate")
DESTS = ("document", "iframe", "frame", "image", "script", "empty", "object", "embed")


@pytest.mark.parametrize(
    ("mode", "dest"), list(product((*MODES, None), (*DESTS, None)))
)
def test_only_a_window_is_a_deliberate_navigation(
    mode: str | None, dest: str | None
) -> None:
    """Images, frames and scripts are no decision of a person (L-17, L-18)."""
    headers = CIMultiDict([("Sec-Fetch-Site", "same-origin")])
    headers.update({"Sec-Fetch-Mode": mode} if mode else {})
    headers.update({"Sec-Fetch-Dest": dest} if dest else {})

    found = is_deliberate_navigation(headers)

    assert found is (mode == "navigate" and dest == "document")


def test_program_or_old_browser_counts_as_deliberate() -> None:
    """Who sends no fetch metadata at all cannot be told from curl (L-18)."""
    assert is_deliberate_navigation(CIMultiDict())


@pytest.mark.parametrize("name", ["Sec-Fetch-Mode", "Sec-Fetch-Dest"])
def test_repeated_metadata_is_no_navigation(name: str) -> None:
    """A proxy that repeats a line leaves it open which one counts."""
    headers = CIMultiDict([*NAVIGATION, (name, dict(NAVIGATION)[name])])

    assert not is_deliberate_navigation(headers)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Sec-Purpose", "prefetch;prerender", True),
        ("Purpose", "signing out", False),
    ],
)
def test_fetching_ahead_is_no_decision(
    name: str, value: str, *, expected: bool
) -> None:
    """Browsers that fetch ahead say so, in several words (L-18)."""
    headers = CIMultiDict([*NAVIGATION, (name, value)])

    assert is_deliberate_navigation(headers) is not expected


# What logout makes of it. Rows and columns as above; ``x`` ends the session.
GET_LOGOUT = """
absent       . x x x x . . . . .
same-origin  x x x . . . . . x .
same-site    x x x x x . . . x .
none         x x x x x . . . . .
cross-site   . . . . . . . . . .
"""
BARE_GET_LOGOUT = """
absent       x x x x x . . . . .
"""
POST_LOGOUT = """
absent       . x x x x . . . . .
same-origin  x x x . . . . . x .
same-site    x x x x x . . . x .
none         . x x x x . . . . .
cross-site   . . . . . . . . . .
"""
API_LOGOUT = """
absent       x x x x x . . . . .
same-origin  x x x . . . . . x .
same-site    x x x x x . . . x .
none         x x x x x . . . . .
cross-site   . . . . . . . . . .
"""


@pytest.mark.parametrize(
    ("method", "path", "rest", "expected"),
    [
        ("GET", "/logout", NAVIGATION, GET_LOGOUT),
        ("GET", "/logout", (), BARE_GET_LOGOUT),
        ("POST", "/logout", (), POST_LOGOUT),
        ("POST", "/api/logout", (), API_LOGOUT),
    ],
    ids=["get", "get without metadata", "post", "api"],
)
async def test_logout_ends_by_this_table(
    portal: Portal,
    method: str,
    path: str,
    rest: tuple[tuple[str, str], ...],
    expected: str,
) -> None:
    """A session ends in these cells and in no other (L-16, L-17, L-18, L-19)."""
    rows = [line.split()[0] for line in expected.strip().splitlines()]
    found = []
    for site in rows:
        ended = []
        for origin in ORIGINS.values():
            token, _ = await portal.create_session()
            lines = lines_of("Sec-Fetch-Site", SITES[site])
            sent = [*lines, *lines_of("Origin", origin), *rest]
            await portal.send(method, path, headers=sent, cookie=token)
            ended.append("." if (await portal.verify(token)).status == 200 else "x")
        found.append(f"{site:<13}" + " ".join(ended))

    assert "\n".join(found) == expected.strip()
