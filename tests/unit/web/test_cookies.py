"""Cookies byte by byte: set, cleared, and read from hostile headers."""

from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from multidict import CIMultiDict

from forwardauth.domains import CookieDomain, Origin
from forwardauth.sessions.ids import MAX_PRESENTED, create_session_id
from forwardauth.web.cookies import (
    CookieShape,
    clear_lines,
    presession_cookie,
    read_cookies,
    session_cookie,
)
from tests.support.cookies import CookieJar
from tests.support.portal import COOKIE, PASSWORD, PORTAL, Portal
from tests.support.stores import DownStore

DOMAIN = CookieDomain(
    name="example.com", portal=Origin(scheme="https", host="auth.example.com")
)
LOCAL = CookieDomain(
    name="example.localhost",
    portal=Origin(scheme="http", host="auth.example.localhost", port=8080),
)
GONE = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
HOUR = timedelta(hours=1)

SHAPES = {
    "session": session_cookie("sid", DOMAIN, "Lax"),
    "session strict": session_cookie("sid", DOMAIN, "Strict"),
    "session local": session_cookie("sid", LOCAL, "Lax"),
    "presession": presession_cookie("sid", DOMAIN),
    "presession local": presession_cookie("sid", LOCAL),
}


@pytest.mark.parametrize(
    ("name", "max_age", "expected"),
    [
        (
            "session",
            None,
            "sid=v; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            "session",
            timedelta(days=30),
            (
                "sid=v; Path=/; Domain=example.com; Max-Age=2592000; "
                "Secure; HttpOnly; SameSite=Lax"
            ),
        ),
        (
            "session strict",
            None,
            "sid=v; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Strict",
        ),
        (
            "session local",
            None,
            "sid=v; Path=/; Domain=example.localhost; HttpOnly; SameSite=Lax",
        ),
        (
            "presession",
            HOUR,
            "__Host-sid_login=v; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            "presession local",
            HOUR,
            "sid_login=v; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax",
        ),
    ],
)
def test_cookie_is_set_by_this_line(
    name: str, max_age: timedelta | None, expected: str
) -> None:
    """Each cookie has exactly these attributes, in this order."""
    assert SHAPES[name].set_line("v", max_age=max_age) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "session",
            f"sid=; Path=/; Domain=example.com; {GONE}; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            "presession",
            f"__Host-sid_login=; Path=/; {GONE}; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            "session local",
            f"sid=; Path=/; Domain=example.localhost; {GONE}; HttpOnly; SameSite=Lax",
        ),
    ],
)
def test_cookie_is_cleared_by_this_line(name: str, expected: str) -> None:
    """An empty value, no age and a past date tell every browser (L-25)."""
    assert SHAPES[name].clear_line() == expected


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_deletion_has_the_attributes_of_creation(shape: CookieShape) -> None:
    """But for value and time, both lines are the same (L-25, L-26)."""
    times = ("Max-Age=", "Expires=")

    lines = shape.set_line("v", max_age=HOUR), shape.clear_line()

    created, deleted = (
        [part for part in line.split("; ")[1:] if not part.startswith(times)]
        for line in lines
    )
    assert created == deleted
    assert lines[0].split("=")[0] == lines[1].split("=")[0]


@pytest.mark.parametrize("domain", [DOMAIN, LOCAL], ids=["https", "http"])
def test_every_variant_has_its_own_line(domain: CookieDomain) -> None:
    """One line for the parent domain and one for the host alone (L-24)."""
    lines = list(clear_lines(["sid", "grafana"], domain, "Lax"))

    assert [line.split("; ")[:3] for line in lines] == [
        ["sid=", "Path=/", f"Domain={domain.name}"],
        ["sid=", "Path=/", "Max-Age=0"],
        ["grafana=", "Path=/", f"Domain={domain.name}"],
        ["grafana=", "Path=/", "Max-Age=0"],
    ]


@pytest.mark.parametrize("domain", [DOMAIN, LOCAL], ids=["https", "http"])
def test_host_prefix_is_cleared_on_the_host_alone(domain: CookieDomain) -> None:
    """Browsers ignore a ``__Host-`` line with a domain or without Secure (L-26)."""
    (line,) = clear_lines(["__Host-app"], domain, "Lax")

    assert line == f"__Host-app=; Path=/; {GONE}; Secure; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize("domain", [DOMAIN, LOCAL], ids=["https", "http"])
def test_secure_prefix_is_cleared_with_secure(domain: CookieDomain) -> None:
    """Browsers ignore a ``__Secure-`` line without Secure (L-26)."""
    lines = list(clear_lines(["__Secure-app"], domain, "Lax"))

    end = "Secure; HttpOnly; SameSite=Lax"
    assert lines == [
        f"__Secure-app=; Path=/; Domain={domain.name}; {GONE}; {end}",
        f"__Secure-app=; Path=/; {GONE}; {end}",
    ]


@pytest.mark.parametrize("domain", [DOMAIN, LOCAL], ids=["https", "http"])
def test_nothing_is_left_in_the_jar(domain: CookieDomain) -> None:
    """What we set, and what an old version may have set, is all forgotten (L-27)."""
    host = domain.portal.host
    shape = session_cookie("sid", domain, "Lax")
    host_only = CookieShape(name="sid", is_secure=True, same_site="Lax")
    jar = CookieJar()
    jar.update(host, [s.set_line("v", max_age=None) for s in (shape, host_only)])
    assert jar.header(host) == "sid=v; sid=v"

    jar.update(host, clear_lines(["sid"], domain, "Lax"))

    assert jar.names() == set()


@pytest.mark.parametrize("same_site", ["lax", "strict"])
async def test_no_cookie_is_ever_same_site_none(tmp_path: Path, same_site: str) -> None:
    """Login and logout keep the attribute they were configured with (L-20, L-26)."""
    own = ("Sec-Fetch-Site", "same-origin")
    fields = [("username", "alice"), ("password", PASSWORD)]
    async with Portal(tmp_path, session=f"  same_site: {same_site}\n") as portal:
        form = await portal.post_form("/login", [])
        login = await portal.post_form("/login", fields, headers=[own])
        logout = await portal.post_form("/logout", [], headers=[own])

    session, presession = f"SameSite={same_site.title()}", "SameSite=Lax"
    ends = [
        [line.split("; ")[-1] for line in reply.lines("Set-Cookie")]
        for reply in (form, login, logout)
    ]
    assert ends == [[presession], [session, presession], [session, session, presession]]


async def test_login_and_logout_fill_and_empty_a_browser(portal: Portal) -> None:
    """A browser holds nothing of ours after logout, on any host (L-22, L-27)."""
    own = ("Sec-Fetch-Site", "same-origin")
    fields = [("username", "alice"), ("password", PASSWORD), ("remember_me", "true")]
    jar = CookieJar()
    names = []
    for path, form, headers in (
        ("/login", [], []),
        ("/login", fields, [own]),
        ("/logout", [], [own]),
    ):
        sent = [*headers, ("Cookie", jar.header(PORTAL))] if jar.names() else headers
        reply = await portal.post_form(path, form, headers=sent)
        jar.update(PORTAL, reply.lines("Set-Cookie"))
        names.append(jar.names())

    assert names == [{f"__Host-{COOKIE}_login"}, {COOKIE}, set()]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], ()),
        ([""], ()),
        (["sid=a"], ("a",)),
        (["x=1; sid=a; y=2"], ("a",)),
        (["sid=a; sid=b"], ("a", "b")),
        (["sid=b", "sid=a"], ("b", "a")),
        (["sid=a; sid=a", "sid=a"], ("a",)),
        (["x=1", "sid=a"], ("a",)),
        (["sid="], ("",)),
        (["sid"], ()),
        (["SID=a; Sid=b"], ()),
        (["xsid=a; sid2=b; sid_login=c"], ()),
        (["sid=a=b=c"], ("a=b=c",)),
        (['sid="a"'], ('"a"',)),
        (["sid=a, sid=b"], ("a, sid=b",)),
        ([" \tsid\t = a\t "], ("a",)),
        ([";;; ;sid=a;;"], ("a",)),
        (["x=sid=a"], ()),
        (["x=sid; sid=a"], ("a",)),
        (["sid sid=a;sid=b;sid"], ("b",)),
        (["xsid=sid=a;;sid=b; sid"], ("b",)),
        (["=sid=a"], ()),
        (["a b=1; sid=a"], ("a",)),
        (['x="; sid=a; y="'], ("a",)),
        (["$Version=1; sid=a; $Path=/"], ("a",)),
        (["sid=\udcff\udcfe"], ("\udcff\udcfe",)),
        (["s\u00a0id=a; \u00a0sid=b"], ()),
    ],
)
def test_every_value_of_the_name_is_read(
    headers: list[str], expected: tuple[str, ...]
) -> None:
    """From every header, each once, in order, whatever stands beside (V-4, V-5)."""
    source = CIMultiDict([("Cookie", header) for header in headers])

    assert read_cookies(source, "sid") == expected


@pytest.mark.parametrize(
    "spread", [True, False], ids=["a header each", "in one header"]
)
def test_every_cookie_is_read(*, spread: bool) -> None:
    """None is left out, however many there are and wherever they stand (L-1)."""
    pairs = [f"sid={number}" for number in range(5_000)]
    headers = pairs if spread else ["; ".join(pairs)]

    values = read_cookies(CIMultiDict([("cookie", line) for line in headers]), "sid")

    assert values == tuple(str(number) for number in range(5_000))


async def test_logout_finds_the_session_behind_many_cookies(portal: Portal) -> None:
    """Whatever stands before it, what is told as done is done (L-1, L-2)."""
    session_id, _ = await portal.create_session()
    crowd = "; ".join(f"c{number}=1" for number in range(600))
    headers = [("Cookie", f"{crowd}; {COOKIE}={session_id}")]

    reply = await portal.send("GET", "/logout", headers=headers)

    assert reply.status == 303
    assert (await portal.verify(session_id)).status == 401
    assert await portal.store.count() == 0


async def test_flood_of_cookies_in_an_outage_is_promised_nothing(
    tmp_path: Path,
) -> None:
    """It is answered 503, fills no journal, and the browser keeps its cookie (L-9)."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        session_id, _ = await portal.create_session()
        flood = [create_session_id() for _ in range(MAX_PRESENTED)]
        pairs = [f"{COOKIE}={each}" for each in (session_id, *flood)]
        headers = [("Cookie", "; ".join(each)) for each in (pairs[:99], pairs[99:])]
        store.go_down()

        refused = await portal.send("GET", "/logout", headers=headers)
        promised = await portal.send("GET", "/logout", cookie=session_id)

    assert (refused.status, promised.status) == (503, 503)
    assert not refused.lines("Set-Cookie")
    assert promised.lines("Set-Cookie")
    assert (tmp_path / "revocations.journal").read_bytes().count(b'"add"') == 1


async def test_planted_cookies_lock_nobody_out(portal: Portal) -> None:
    """As long as one cookie is live, a sibling host's dead ones do not matter (V-5)."""
    session_id, _ = await portal.create_session()
    planted = [f"{COOKIE}={create_session_id()}" for _ in range(MAX_PRESENTED - 1)]
    lines = [*planted[:90], f"{COOKIE}={session_id}"], planted[90:]

    reply = await portal.verify(
        None, headers=[("Cookie", "; ".join(line)) for line in lines]
    )

    assert reply.status == 200


HOSTILE = {
    "semicolons": ";" * 400,
    "equal signs": "=" * 4000,
    "long": f"{COOKIE}=" + "A" * 4000,
    "truncated": f"{COOKIE}=" + "A" * 42,
    "not base64url": f"{COOKIE}=" + "/" * 43,
    "other last bits": f"{COOKIE}=" + "A" * 42 + "B",
    "quotes": f'{COOKIE}="',
    "escapes": f"{COOKIE}=%00%0d%0a",
    "not ascii": f"{COOKIE}=" + "ü" * 43,
    "json": '{"a": [1, 2]}',
}


@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_cookie_is_no_cookie(portal: Portal, header: str) -> None:
    """Malformed cookies are like none, and hide no good one beside them (V-4)."""
    token, _ = await portal.create_session()

    alone = await portal.verify(None, headers=[("Cookie", header)])
    before = await portal.verify(token, headers=[("Cookie", header)])

    assert alone.status == 401
    assert before.status == 200


async def test_one_live_session_among_several_cookies_counts(portal: Portal) -> None:
    """A dead cookie that a sibling planted changes nothing, in any order (V-5)."""
    token, _ = await portal.create_session()
    dead = create_session_id()
    orders = [
        [f"{COOKIE}={token}; {COOKIE}={dead}"],
        [f"{COOKIE}={dead}; {COOKIE}={token}"],
        [f"{COOKIE}={dead}", f"{COOKIE}={token}"],
        [f"{COOKIE}={token}", f"{COOKIE}={dead}"],
    ]

    statuses = [
        (await portal.verify(None, headers=[("Cookie", line) for line in lines])).status
        for lines in orders
    ]

    assert statuses == [200, 200, 200, 200]


async def test_two_live_sessions_count_as_none(portal: Portal) -> None:
    """Nobody can tell whose request that is, whichever comes first (V-5)."""
    one, _ = await portal.create_session("alice")
    other, _ = await portal.create_session("bob")

    statuses = [
        (await portal.verify(None, headers=[("Cookie", line)])).status
        for line in (
            f"{COOKIE}={one}; {COOKIE}={other}",
            f"{COOKIE}={other}; {COOKIE}={one}",
        )
    ]

    assert statuses == [401, 401]


def test_set_line_is_what_browsers_read_back() -> None:
    """A token passes through a cookie unquoted and unchanged."""
    token = create_session_id()
    found: SimpleCookie = SimpleCookie()

    found.load(session_cookie("sid", DOMAIN, "Lax").set_line(token, max_age=None))

    assert found["sid"].value == token
    assert read_cookies(CIMultiDict([("Cookie", f"sid={token}")]), "sid") == (token,)
