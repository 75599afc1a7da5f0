"""Errors as clients see them: a status for each, and no fault that lets anybody in."""

import asyncio
import logging
import re
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from forwardauth.errors import (
    ConfigError,
    CredentialsError,
    CsrfError,
    ForwardAuthError,
    ProxyRequestError,
    StoreUnavailableError,
    ThrottledError,
    UnfitIdentityError,
    UnsafeTargetError,
    UntrustedProxyError,
)
from forwardauth.users.passwords import Passwords
from forwardauth.users.proofs import RecentProofs
from forwardauth.web import keys
from forwardauth.web.basic import BasicSignIn
from forwardauth.web.middlewares.errors import STATUS_BY_ERROR
from tests.support.client import NAVIGATION, Reply
from tests.support.faults import FaultSweep, Raise
from tests.support.html import check_page
from tests.support.portal import COOKIE, PASSWORD, Portal
from tests.support.sessions import PartlyDownStore
from tests.support.throttle import OpenThrottle
from tests.support.users import CHEAP

ADAPTERS = ["nginx", "traefik"]
TYPED = (*NAVIGATION, ("Sec-Fetch-Site", "none"))

FORESEEN: list[tuple[ForwardAuthError, int]] = [
    (ProxyRequestError("X-Forwarded-Host", "missing", "is missing"), 400),
    (UntrustedProxyError("192.0.2.9 is not in server.trusted_proxies"), 403),
    (UnfitIdentityError("identity_too_long", "Remote-Name: is too long"), 403),
    (CredentialsError("user name or password is wrong"), 401),
    (ThrottledError(timedelta(seconds=90)), 429),
    (CsrfError("the form token does not match"), 403),
    (UnsafeTargetError("host_not_allowed", "host is below no cookie domain"), 400),
    (StoreUnavailableError("the store did not answer within 2 s"), 503),
]

UNFORESEEN: list[BaseException] = [
    RuntimeError("secret detail"),
    TimeoutError("secret detail"),
    OSError(5, "secret detail"),
    ForwardAuthError("secret detail"),
    ConfigError(["secret detail"]),
    web.HTTPOk(text="secret detail"),
    web.HTTPSeeOther("https://secret.example/detail"),
]

FAULTS: dict[str, Raise] = {
    "store": lambda: StoreUnavailableError("the store did not answer"),
    "runtime": RuntimeError,
    "timeout": TimeoutError,
    "cancelled": asyncio.CancelledError,
}


def raising(portal: Portal, error: BaseException) -> None:
    """Add ``/raise`` to *portal*, which has not started yet; it raises *error*."""

    async def fail(_request: web.Request) -> web.StreamResponse:
        raise error

    portal.app.router.add_get("/raise", fail)


async def ask(folder: Path, error: BaseException, accept: str | None = None) -> Reply:
    """Return what a client gets when a handler raises *error*."""
    portal = Portal(folder)
    raising(portal, error)
    headers = [] if accept is None else [("Accept", accept)]
    async with portal:
        return await portal.send("GET", "/raise", headers=headers)


def test_every_row_of_the_table_is_tested() -> None:
    """The table below names each error that a request can meet."""
    assert {type(error) for error, _ in FORESEEN} == STATUS_BY_ERROR.keys()


@pytest.mark.parametrize(
    ("error", "status"), FORESEEN, ids=lambda value: type(value).__name__
)
async def test_error_has_its_status(
    tmp_path: Path, error: ForwardAuthError, status: int
) -> None:
    """A program gets the status and a sentence, nobody may keep it (V-2)."""
    told = error.told if isinstance(error, StoreUnavailableError) else str(error)

    reply = await ask(tmp_path, error)

    assert reply.status == status
    assert reply.json() == {"status": "KO", "message": told}
    assert reply.header("Cache-Control") == "no-store"
    assert reply.lines("Set-Cookie") == []


async def test_words_of_the_store_stay_in_the_log(tmp_path: Path) -> None:
    """Where the store is and what is wrong with it is not for clients."""
    error = StoreUnavailableError("sqlite store /srv/sessions.db: disk is full")

    reply = await ask(tmp_path, error)

    assert b"/srv" not in reply.body
    assert reply.json()["message"] == "the session store does not answer"


@pytest.mark.parametrize(
    ("error", "status"), FORESEEN, ids=lambda value: type(value).__name__
)
async def test_browser_gets_a_page(
    tmp_path: Path, error: ForwardAuthError, status: int
) -> None:
    """A browser gets a page under a strict policy, without the error's own words."""
    reply = await ask(tmp_path, error, "text/html")

    assert reply.status == status
    check_page(reply.body.decode())
    assert str(error) not in reply.body.decode()
    assert "default-src 'none'" in reply.header("Content-Security-Policy")


async def test_page_of_an_error_tells_who_sees_it(tmp_path: Path) -> None:
    """Who is signed in may leave, or come back as somebody else."""
    async with Portal(tmp_path) as portal:
        token, _ = await portal.create_session()
        cookie = ("Cookie", f"{COOKIE}={token}")
        known = await portal.send("GET", "/nowhere", headers=[*TYPED, cookie])
        unknown = await portal.send("GET", "/nowhere", headers=TYPED)

    page = check_page(known.body.decode())
    links = {link.text: link.attributes["href"] for link in page.find_all("a")}
    assert known.status == 404
    assert "Signed in as alice" in page.text
    assert links["Sign out"] == "https://auth.example.com/logout"
    assert links["Sign in with another account"] == (
        "https://auth.example.com/logout?rd=https%3A%2F%2Fauth.example.com%2F"
    )
    assert unknown.status == 404
    assert b"Signed in" not in unknown.body
    assert b"/logout" not in unknown.body


async def test_page_of_an_error_needs_no_store(tmp_path: Path) -> None:
    """Where nobody can tell who it is, the page is the one for everybody."""
    store = PartlyDownStore()
    async with Portal(tmp_path, store=store) as portal:
        token, _ = await portal.create_session()
        store.go_down()
        cookie = ("Cookie", f"{COOKIE}={token}")
        reply = await portal.send("GET", "/nowhere", headers=[*TYPED, cookie])

    assert reply.status == 404
    assert b"Signed in" not in reply.body


def shown_reference(reply: Reply) -> str:
    """Return the reference that the page of an error shows."""
    hint = check_page(reply.body.decode()).find("p", class_="hint").text
    found = re.search(r"Reference ([0-9a-f]{8})\b", hint)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "error",
    [*(error for error, _ in FORESEEN), RuntimeError("secret detail")],
    ids=lambda value: type(value).__name__,
)
async def test_reference_of_a_page_is_in_the_log(
    tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Who reads the log finds the line by what somebody saw, and what was wrong."""
    caplog.set_level(logging.INFO)

    reply = await ask(tmp_path, error, "text/html")

    reference = shown_reference(reply)
    (record,) = [r for r in caplog.records if reference in r.getMessage()]
    line = record.getMessage() + str(record.exc_info)
    assert str(error) in line


async def test_reference_of_a_missing_page_is_in_the_log(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """With status and path, and without what a query may hold."""
    caplog.set_level(logging.INFO)

    reply = await portal.send(
        "GET", "/no%0Ane?token=secret", headers=[("Accept", "text/html")]
    )

    reference = shown_reference(reply)
    (line,) = [m for m in caplog.messages if reference in m]
    assert line.startswith("event=refused status=404 method=GET path=")
    assert "/no%0Ane" in line
    assert "secret" not in caplog.text


async def test_missing_page_of_a_program_is_no_line(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """Who tries addresses fills no log, and is shown no reference."""
    caplog.set_level(logging.INFO, "forwardauth")

    reply = await portal.send("GET", "/none")

    assert reply.json() == {"status": "KO", "message": "not_found"}
    assert [m for m in caplog.messages if "refused" in m] == []


async def test_error_of_a_kind_has_the_status_of_its_kind(tmp_path: Path) -> None:
    """Who refines an error of the table keeps its status."""

    class ReplicaLostError(StoreUnavailableError):
        pass

    reply = await ask(tmp_path, ReplicaLostError("no replica"))

    assert reply.status == 503
    assert reply.header("Retry-After") == "5"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (StoreUnavailableError("down"), "5"),
        (ThrottledError(timedelta(seconds=90)), "91"),
        (ThrottledError(timedelta(0)), "2"),
    ],
    ids=["outage", "throttled", "at once"],
)
async def test_client_is_told_when_to_ask_again(
    tmp_path: Path, error: ForwardAuthError, seconds: str
) -> None:
    """An outage and a throttle say after how many whole seconds, never zero."""
    reply = await ask(tmp_path, error)

    assert reply.header("Retry-After") == seconds


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_unforeseen_error_is_500_with_a_reference(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
    accept: str,
) -> None:
    """The log has the error below a reference; the answer has the reference alone."""
    with caplog.at_level(logging.ERROR):
        reply = await ask(tmp_path, error, accept)

    (record,) = caplog.records
    reference = record.getMessage().rpartition("=")[2]
    assert reply.status == 500
    assert len(reference) == 8
    assert reference in reply.body.decode()
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    for word in ("secret", "detail", type(error).__name__, "Traceback"):
        assert word not in reply.body.decode()
    assert reply.lines("Location") == []


async def test_references_differ(tmp_path: Path) -> None:
    """Each failure can be found on its own."""
    portal = Portal(tmp_path)
    raising(portal, RuntimeError())
    async with portal:
        replies = [await portal.send("GET", "/raise") for _ in range(2)]

    first, second = (reply.json()["data"]["reference"] for reply in replies)
    assert first != second


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/login/", 404),
        ("GET", "//login", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/%00", 404),
        ("DELETE", "/login", 405),
        ("POST", "/api/health", 405),
        ("PROPFIND", "/", 405),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_framework_errors_are_answered_by_us(
    portal: Portal, method: str, path: str, status: int, accept: str
) -> None:
    """What no handler is there for looks like everything else."""
    reply = await portal.send(method, path, headers=[("Accept", accept)])

    assert reply.status == status
    assert reply.header("Cache-Control") == "no-store"
    assert reply.header("Server") == "forwardauth"
    if accept == "text/html":
        check_page(reply.body.decode())
    else:
        assert reply.json()["status"] == "KO"


async def test_refused_method_names_the_allowed(portal: Portal) -> None:
    """405 says which methods there are (RFC 9110 15.5.6)."""
    reply = await portal.send("DELETE", "/login")

    assert set(reply.header("Allow").split(",")) == {"GET", "HEAD", "POST"}


NORMAL_WAY: Final = "server: {short_way: off}\n"
"""The short way has a sweep of its own, ``unit/web/test_short_way.py``."""

LOOKED_AT_AGAIN: Final = {"call _position", "return _position"}
"""Where the disk is asked whether the journal has changed, by ``is_empty`` first. What
fails there once is not believed: the look that decides comes after it, and is sound."""


@pytest.fixture
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Keep hundreds of tracebacks out of the report."""
    caplog.set_level(logging.CRITICAL + 1, logger="forwardauth")


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("username", ["alice", None], ids=["signed in", "anonymous"])
@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_fault_in_any_place_of_verify_lets_nobody_in(
    tmp_path: Path, adapter: str, username: str | None, fault: str
) -> None:
    """Wherever an error comes up, verify answers 5xx or not at all (V-2)."""
    portal = Portal(tmp_path, extra=NORMAL_WAY)
    sweep = FaultSweep(FAULTS[fault])
    sweep.install(portal.app)
    async with portal:
        token = None if username is None else (await portal.create_session(username))[0]
        reply = await portal.verify(token, adapter=adapter)

    assert reply.status == sweep.untouched.status == (401 if username is None else 200)
    passed = [o for o in sweep.interrupted if o.status is not None and o.status < 500]
    assert [o for o in passed if o.place not in LOOKED_AT_AGAIN] == []
    places = {o.place for o in sweep.interrupted}
    assert "call create_verify.<locals>.verify" in places
    assert ("call MemoryStore.load" in places) is (username is not None)
    assert ("return MemoryStore.load" in places) is (username is not None)


_AFTER_THE_HASH = "Passwords.run.<locals>.<lambda>"
"""What gives a place in the pool back. A fault in it is the pool's, which has the hash
by then; it comes up here where the hash was quicker than the request that waits."""


def _forget_attempts(portal: Portal) -> None:
    """Let every run of a sweep go the whole way, as if it were the first.

    The throttle is no part of it: a fault in the middle of a count, which no program
    has, would spoil the count for the runs after it.
    """
    app = portal.app
    # Whose own hash needs no replacement: hundreds of runs would each write one.
    app[keys.PASSWORDS] = Passwords(hasher=CHEAP)
    app[keys.BASIC] = BasicSignIn(
        users=app[keys.USERS],
        passwords=app[keys.PASSWORDS],
        throttle=OpenThrottle(),
        proofs=RecentProofs(portal.clock, capacity=0),
        audit=app[keys.AUDIT],
    )


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("password", "status"), [(PASSWORD, 200), ("wrong", 401)], ids=["right", "wrong"]
)
@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_fault_in_any_place_of_basic_lets_nobody_in(
    tmp_path: Path, adapter: str, password: str, status: int, fault: str
) -> None:
    """Wherever an error comes up, the right password is not 2xx either (V-2, V-39)."""
    portal = Portal(tmp_path)
    _forget_attempts(portal)
    sweep = FaultSweep(FAULTS[fault])
    sweep.install(portal.app)
    token = b64encode(f"alice:{password}".encode()).decode()
    async with portal:
        reply = await portal.verify(
            None,
            adapter=adapter,
            host="scripts.example.com",
            headers=[("Authorization", f"Basic {token}")],
        )

    assert reply.status == sweep.untouched.status == status
    passed = [o for o in sweep.interrupted if o.status and o.status < 300]
    assert [o for o in passed if _AFTER_THE_HASH not in str(o.place)] == []
    places = {o.place for o in sweep.interrupted}
    assert {"call BasicSignIn.verify", "call Passwords.verify"} <= places


@pytest.mark.usefixtures("_quiet")
async def test_cancelled_verify_is_not_answered(tmp_path: Path) -> None:
    """A client that went away is told nothing, at whatever await it did (V-2)."""
    portal = Portal(tmp_path, extra=NORMAL_WAY)
    sweep = FaultSweep(asyncio.CancelledError)
    sweep.install(portal.app)
    async with portal:
        token, _ = await portal.create_session()
        await portal.verify(token)

    assert {o.status for o in sweep.interrupted} == {None}


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("fault", ["store", "runtime"])
@pytest.mark.parametrize(
    ("username", "place"),
    [
        ("alice", ("public.example.com", "/")),
        ("alice", ("closed.example.com", "/")),
        ("carol", ("app.example.com", "/")),
        ("alice", ("a..b", "/")),
        ("alice", ("app.example.com", "/logout")),
    ],
    ids=["bypass", "deny", "disabled", "malformed", "logout"],
)
@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_fault_on_a_side_way_of_verify_lets_nobody_in(
    tmp_path: Path, adapter: str, username: str, place: tuple[str, str], fault: str
) -> None:
    """No fault turns an open, closed, outdated or odd request into 2xx (V-2)."""
    host, uri = place
    portal = Portal(tmp_path, extra=NORMAL_WAY)
    sweep = FaultSweep(FAULTS[fault])
    sweep.install(portal.app)
    async with portal:
        token, _ = await portal.create_session(username)
        await portal.verify(token, adapter=adapter, host=host, uri=uri, headers=TYPED)

    assert len(sweep.interrupted) > 20
    assert [o for o in sweep.interrupted if o.status and o.status < 300] == []


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", ["/logout", "/verify"])
async def test_fault_in_any_place_of_logout_is_not_told_as_done(
    tmp_path: Path, path: str, fault: str
) -> None:
    """A logout that met an error is 5xx, on the portal and where it is taken over."""
    portal = Portal(tmp_path)
    sweep = FaultSweep(FAULTS[fault])
    sweep.install(portal.app)
    async with portal:
        token, _ = await portal.create_session()
        if path == "/logout":
            reply = await portal.send("GET", path, headers=TYPED, cookie=token)
        else:
            reply = await portal.verify(token, uri="/logout", headers=TYPED)

    assert reply.status == sweep.untouched.status == 303
    assert [
        o for o in sweep.interrupted if o.status is not None and o.status < 500
    ] == []
    assert "call SessionRevoker.revoke" in {o.place for o in sweep.interrupted}
