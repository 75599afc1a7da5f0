"""What verify answers, as one table: every adapter, method, kind of request and state.

The expectations are written down by hand from what is promised, and from nothing that
the service computes: ``STATES`` has the host that is asked for, and ``expected`` the
few sentences that the table consists of.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.support.client import FETCH, NAVIGATION, Headers, Reply
from tests.support.html import check_page
from tests.support.portal import Portal, write_enabled_users
from tests.support.stores import DownStore

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADAPTERS: Final = ("nginx", "traefik", "caddy", "haproxy", "envoy")
METHODS: Final = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"),
)
HTML: Final = ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")

KINDS: Final[Mapping[str, Headers]] = {
    "window": NAVIGATION,
    "old-window": (HTML,),
    "frame": (HTML, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")),
    "fetch": FETCH,
    "xhr": (HTML, ("X-Requested-With", "XMLHttpRequest")),
    "program": (),
    "preflight": (
        ("Origin", "https://other.example.com"),
        ("Access-Control-Request-Method", "PUT"),
        ("Sec-Fetch-Mode", "cors"),
    ),
    "websocket": (
        *(HTML, ("Connection", "Upgrade"), ("Upgrade", "websocket")),
        *(("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),),
        ("Sec-WebSocket-Version", "13"),
    ),
    "ahead": (*NAVIGATION, ("Sec-Purpose", "prefetch;prerender")),
    "continued": (*NAVIGATION, ("Expect", "100-continue")),
}
"""Who waits for the answer, by what the browser or the program says."""

WINDOWS: Final = frozenset({"window", "old-window", "frame", "continued"})
WINDOW_METHODS: Final = frozenset({"GET", "HEAD", "POST"})

STATES: Final = {
    "anonymous": ("app.example.com", None),
    "signed-in": ("app.example.com", "alice"),
    "forbidden": ("ops.example.com", "bob"),
    "bypass": ("public.example.com", None),
    "store-down": ("app.example.com", "alice"),
}
"""The host that is asked for, and whose session cookie comes along."""

URI: Final = "/inbox/7?tab=new&q=a%20b"

ALICE: Final = ("alice", "dev,ops", "Alice Liddell", "alice@example.com")
NOBODY: Final = ("", "", "", "")
IDENTITY: Final = ("Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One cell of the table.

    Attributes:
        status: Of the answer.
        identity: The four headers; ``None`` where none of them may be.
        location: The one ``Location``; ``None`` for none.
        body: ``none``, ``page`` or ``json``.
        login_url: What the JSON names; ``None`` for nothing.
    """

    status: int
    identity: tuple[str, ...] | None = None
    location: str | None = None
    body: str = "none"
    login_url: str | None = None


def expected(adapter: str, method: str, kind: str, state: str) -> Expected:
    """Return what is promised; the first sentence that fits counts."""
    is_window = kind in WINDOWS and method in WINDOW_METHODS
    is_nginx = adapter == "nginx"
    # Who is asking cannot be told, whatever is asked for.
    if state == "store-down":
        return Expected(status=503, body="json")
    # A preflight is forbidden by itself, whoever sends it. nginx would drop a body.
    if state == "forbidden" or (kind == "preflight" and method == "OPTIONS"):
        body = "page" if is_window else "json"
        return Expected(status=403, body="none" if is_nginx else body)
    if state != "anonymous":
        identity = {"signed-in": ALICE, "bypass": NOBODY}[state]
        return Expected(status=200, identity=identity)
    way_back = quote(f"https://app.example.com{URI}", safe="")
    login = f"https://auth.example.com/login?rd={way_back}&rm={method}"
    # nginx makes a redirect of it by itself, or does not.
    if is_nginx:
        return Expected(status=401, location=login)
    if not is_window:
        return Expected(status=401, body="json", login_url=login)
    return Expected(status=303 if method == "POST" else 302, location=login)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The service, with one session for each person, and its twin without a store."""

    up: Portal
    down: Portal
    tokens: Mapping[str, str]

    async def ask(self, adapter: str, method: str, kind: str, state: str) -> Reply:
        """Return the answer of one cell."""
        host, username = STATES[state]
        portal = self.down if state == "store-down" else self.up
        return await portal.verify(
            None if username is None else self.tokens[username],
            host=host,
            adapter=adapter,
            method=method,
            uri=URI,
            headers=KINDS[kind],
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Run both for the whole table."""
    folders = [tmp_path_factory.mktemp(name) for name in ("up", "down")]
    for folder in folders:
        write_enabled_users(folder)
    store = DownStore()
    async with Portal(folders[0]) as up, Portal(folders[1], store=store) as down:
        tokens = {name: (await up.create_session(name))[0] for name in ("alice", "bob")}
        store.go_down()
        yield Stage(up=up, down=down, tokens=tokens)
        store.come_back()


def lasting(reply: Reply) -> list[tuple[str, str]]:
    """Return the header lines but the time, and the length that HEAD may leave out."""
    return [h for h in reply.headers if h[0] not in {"Date", "Content-Length"}]


def assert_headers(reply: Reply, cell: Expected) -> None:
    """Check what each answer has, and what none has."""
    found = [reply.lines(name) for name in IDENTITY]
    assert found == [[value] for value in cell.identity or ()] or (
        cell.identity is None and found == [[]] * len(IDENTITY)
    )
    assert reply.lines("Location") == ([cell.location] if cell.location else [])
    for name in ("Set-Cookie", "WWW-Authenticate", "ETag", "Last-Modified"):
        assert reply.lines(name) == []
    assert reply.header("Cache-Control") == "no-store"
    assert {"Cookie", "Authorization"} <= set(reply.header("Vary").split(", "))
    assert reply.header("X-Content-Type-Options") == "nosniff"
    assert len(reply.lines("Retry-After")) == (cell.status == 503)


def assert_body(reply: Reply, cell: Expected, *, is_head: bool) -> None:
    """Check the body, or what HEAD says of it."""
    kinds = {"none": [], "json": ["application/json"], "page": ["text/html"]}
    found = [each.partition(";")[0] for each in reply.lines("Content-Type")]
    assert found == kinds[cell.body]
    assert bool(reply.lines("Content-Security-Policy")) == (cell.body == "page")
    if is_head or cell.body == "none":
        assert reply.body == b""
    elif cell.body == "page":
        check_page(reply.body.decode())
    else:
        content = json.loads(reply.body)
        assert content["status"] == "KO"
        assert content.get("data", {}).get("redirect") == cell.login_url
        assert content.keys() <= {"status", "message", "data"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_status_table(
    stage: Stage, adapter: str, method: str, kind: str, state: str
) -> None:
    """Status, headers and body are what is promised (V-25, V-26, V-28, V-29, V-33)."""
    cell = expected(adapter, method, kind, state)

    reply = await stage.ask(adapter, method, kind, state)

    assert reply.status == cell.status
    assert_headers(reply, cell)
    assert_body(reply, cell, is_head=adapter == "envoy" and method == "HEAD")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", ["window", "fetch"])
@pytest.mark.parametrize("adapter", [name for name in ADAPTERS if name != "envoy"])
async def test_asking_by_head_is_asking_by_get(
    stage: Stage, adapter: str, kind: str, state: str
) -> None:
    """Same status and same headers, without the body (V-37)."""
    host, username = STATES[state]
    portal = stage.down if state == "store-down" else stage.up
    forwarded = (
        *(("X-Original-URL", f"https://{host}{URI}"), ("X-Original-Method", "GET")),
        *(("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", host)),
        *(("X-Forwarded-Uri", URI), ("X-Forwarded-Method", "GET")),
    )

    by_get, by_head = [
        await portal.send(
            method,
            f"/verify/{adapter}",
            headers=[*forwarded, *KINDS[kind]],
            cookie=None if username is None else stage.tokens[username],
        )
        for method in ("GET", "HEAD")
    ]

    assert by_head.status == by_get.status
    assert by_head.body == b""
    assert lasting(by_head) == lasting(by_get)
