"""Logout on a protected host, by the verify answer and by a location of nginx."""

from pathlib import Path

import pytest

from tests.support.client import NAVIGATION, Reply
from tests.support.portal import APP, COOKIE, Portal

OWN = [("Sec-Fetch-Site", "same-origin"), *NAVIGATION]
SIGNED_OUT = "https://auth.example.com/signed-out"
WAYS = ["traefik", "location"]


async def ask(
    portal: Portal,
    way: str,
    *,
    cookie: str | None = None,
    method: str = "GET",
    query: str = "",
    headers: list[tuple[str, str]] | None = None,
    host: str = APP,
    scheme: str = "https",
) -> Reply:
    """Ask for a logout on *host*, as Traefik or as nginx's location passes it on."""
    lines = OWN if headers is None else headers
    if way == "location":
        lines = [*lines, ("X-Forwarded-Proto", scheme)]
        return await portal.send(
            method, f"/logout{query}", host=host, headers=lines, cookie=cookie
        )
    return await portal.verify(
        cookie,
        host=host,
        method=method,
        uri=f"/logout{query}",
        headers=lines,
        scheme=scheme,
    )


@pytest.mark.parametrize("way", WAYS)
async def test_logout_on_protected_host_ends_session(portal: Portal, way: str) -> None:
    """The application's own link signs out everywhere, at once (L-1, V-52)."""
    token, _ = await portal.create_session()

    reply = await ask(portal, way, cookie=token)

    assert reply.status == 303
    assert reply.header("Location") == SIGNED_OUT
    assert (await portal.verify(token)).status == 401
    assert (await portal.verify(token, host="ops.example.com")).status == 401


@pytest.mark.parametrize("way", WAYS)
async def test_answer_clears_cookies_of_parent_domain(portal: Portal, way: str) -> None:
    """Given on that host, the answer may clear the parent domain's cookie (L-24)."""
    reply = await ask(portal, way)

    lines = reply.lines("Set-Cookie")
    assert len(lines) == 2
    assert lines[0].startswith(f"{COOKIE}=; Path=/; Domain=example.com; Max-Age=0")
    assert lines[1].startswith(f"{COOKIE}=; Path=/; Max-Age=0")


@pytest.mark.parametrize("way", WAYS)
async def test_target_of_the_original_request_counts(portal: Portal, way: str) -> None:
    """The target stands in the browser's own query, checked as everywhere (L-33)."""
    good = await ask(portal, way, query="?rd=https%3A%2F%2Fapp.example.com%2Fbye")
    bad = await ask(portal, way, query="?rd=https%3A%2F%2Fevil.example%2F")
    loop = await ask(portal, way, query="?rd=https%3A%2F%2Fapp.example.com%2Flogout")

    assert good.header("Location") == "https://app.example.com/bye"
    assert bad.header("Location") == SIGNED_OUT
    assert loop.header("Location") == SIGNED_OUT


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", [("Sec-Fetch-Site", "cross-site"), *NAVIGATION]),
        ("GET", [("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Dest", "image")]),
        ("GET", [("Referer", "https://evil.example/")]),
        ("GET", [("Purpose", "prefetch")]),
        ("HEAD", OWN),
        ("POST", []),
        ("POST", [("Origin", "https://evil.example")]),
        ("POST", [("Sec-Fetch-Site", "none")]),
    ],
    ids=str,
)
async def test_who_may_not_ask_is_sent_to_confirm(
    portal: Portal, way: str, method: str, headers: list[tuple[str, str]]
) -> None:
    """Anything else ends nothing and leads to the portal's page (L-16..L-19)."""
    token, _ = await portal.create_session()

    reply = await ask(
        portal,
        way,
        cookie=token,
        method=method,
        headers=headers,
        query="?rd=https%3A%2F%2Fapp.example.com%2Fbye",
    )

    assert reply.status == 303
    assert reply.header("Location") == (
        "https://auth.example.com/logout?rd=https%3A%2F%2Fapp.example.com%2Fbye"
    )
    assert reply.lines("Set-Cookie") == []
    assert (await portal.verify(token)).status == 200


@pytest.mark.parametrize("way", WAYS)
async def test_proven_post_ends_session(portal: Portal, way: str) -> None:
    """A form in an application below the domain may post (L-16)."""
    token, _ = await portal.create_session()
    headers = [("Origin", "https://app.example.com"), ("Sec-Fetch-Site", "same-origin")]

    reply = await ask(portal, way, cookie=token, method="POST", headers=headers)

    assert reply.status == 303
    assert (await portal.verify(token)).status == 401


UNREADABLE = {
    "raw byte": "rd=https://app.example.com/\u00e9",
    "backslash": "rd=https://app.example.com/\\",
    "bad escape": "rd=https%3A%2F%2Fapp.example.com%2",
    "fragment": "rd=https%3A%2F%2Fapp.example.com%2F#top",
    "too long": "rd=https%3A%2F%2Fapp.example.com%2F" + "a" * 20_000,
}


@pytest.mark.parametrize("query", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("adapter", ["traefik", "caddy", "haproxy"])
async def test_unreadable_query_does_not_keep_the_session_alive(
    portal: Portal, adapter: str, query: str
) -> None:
    """It is a target that is refused: the logout comes first (L-8, L-34)."""
    token, _ = await portal.create_session()
    uri = f"/logout?{query}"

    reply = await portal.verify(token, adapter=adapter, uri=uri, headers=OWN)

    assert reply.status == 303
    assert reply.header("Location") == SIGNED_OUT
    assert (await portal.verify(token)).status == 401


async def test_query_too_long_behind_our_path_ends_the_session(portal: Portal) -> None:
    """Envoy puts the client's own query behind ours (L-8)."""
    token, _ = await portal.create_session()
    uri = f"/logout?{UNREADABLE['too long']}"

    reply = await portal.verify(token, adapter="envoy", uri=uri, headers=OWN)

    assert reply.header("Location") == SIGNED_OUT
    assert (await portal.verify(token)).status == 401


async def test_unreadable_query_proves_nothing(portal: Portal) -> None:
    """Another site may not end a session by it either (L-17, L-19)."""
    token, _ = await portal.create_session()
    uri = f"/logout?{UNREADABLE['raw byte']}"
    headers = [("Sec-Fetch-Site", "cross-site"), *NAVIGATION]

    reply = await portal.verify(token, uri=uri, headers=headers)

    assert reply.header("Location") == "https://auth.example.com/logout"
    assert (await portal.verify(token)).status == 200


@pytest.mark.parametrize("query", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("path", ["/", "/logout/", "/logout\u00e9", "/x/logout"])
async def test_unreadable_query_of_another_path_is_refused(
    portal: Portal, path: str, query: str
) -> None:
    """The grammar is loosened for nobody else, open hosts included (V-18)."""
    token, _ = await portal.create_session()

    replies = [
        await portal.verify(token, host=host, uri=f"{path}?{query}", headers=OWN)
        for host in (APP, "public.example.com")
    ]

    assert [reply.status for reply in replies] == [400, 400]
    assert (await portal.verify(token)).status == 200


@pytest.mark.parametrize("query", UNREADABLE.values(), ids=UNREADABLE)
async def test_nginx_verify_refuses_an_unreadable_query(
    portal: Portal, query: str
) -> None:
    """What takes no logout over reads no other grammar for it (V-18)."""
    token, _ = await portal.create_session()

    reply = await portal.verify(
        token, adapter="nginx", uri=f"/logout?{query}", headers=OWN
    )

    assert reply.status == 403


@pytest.mark.parametrize("host", ["public.example.com", "closed.example.com"])
async def test_takeover_comes_before_any_rule(portal: Portal, host: str) -> None:
    """Bypass and deny are not asked: the logout is always there (L-45)."""
    token, _ = await portal.create_session()

    reply = await ask(portal, "traefik", cookie=token, host=host)

    assert reply.status == 303
    assert (await portal.verify(token)).status == 401


@pytest.mark.parametrize("uri", ["/logout/", "/Logout", "/%6cogout", "/logout/x", "/"])
async def test_only_the_exact_path_is_taken_over(portal: Portal, uri: str) -> None:
    """Another spelling is the application's own path."""
    token, _ = await portal.create_session()

    reply = await portal.verify(token, uri=uri, headers=OWN)

    assert reply.status == 200


async def test_nginx_verify_takes_nothing_over(portal: Portal) -> None:
    """nginx cannot pass our answer on, so its verify treats /logout like any path."""
    token, _ = await portal.create_session()

    reply = await portal.verify(token, adapter="nginx", uri="/logout", headers=OWN)

    assert reply.status == 200
    assert (await portal.verify(token)).status == 200


async def test_configured_paths_are_taken_over(tmp_path: Path) -> None:
    """``logout.paths`` names other paths, and /logout is then the application's."""
    extra = "logout: {paths: [/oauth/sign_out]}\n"
    async with Portal(tmp_path, extra=extra) as portal:
        token, _ = await portal.create_session()
        other = await portal.verify(token, uri="/logout", headers=OWN)
        reply = await portal.verify(token, uri="/oauth/sign_out?x", headers=OWN)
        after = await portal.verify(token)

    assert [other.status, reply.status, after.status] == [200, 303, 401]


async def test_only_a_logout_clears_site_data(tmp_path: Path) -> None:
    """Verify asks no browser to forget anything, unless it answers a logout (L-29)."""
    async with Portal(
        tmp_path, extra="logout: {clear_site_data: [storage]}\n"
    ) as portal:
        token, _ = await portal.create_session()

        others = [
            await portal.verify(token),
            await portal.verify(None),
            await portal.verify(token, host="closed.example.com"),
            await portal.verify(token, uri="/logout", method="DELETE"),
        ]
        taken_over = await portal.verify(token, uri="/logout")

    assert [reply.lines("Clear-Site-Data") for reply in others] == [[], [], [], []]
    assert taken_over.header("Clear-Site-Data") == '"storage"'


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_logout_by_plain_http_is_asked_again_by_https(
    portal: Portal, way: str, method: str
) -> None:
    """The Secure cookie cannot come along, so nothing is called done (V-15)."""
    token, session = await portal.create_session()
    query = "?rd=https%3A%2F%2Fapp.example.com%2F"

    reply = await ask(
        portal, way, cookie=token, method=method, query=query, scheme="http"
    )

    assert reply.status == 303
    assert reply.header("Location") == f"https://auth.example.com/logout{query}"
    assert reply.lines("Set-Cookie") == []
    assert len(await portal.store.list_owner(session.username)) == 1
