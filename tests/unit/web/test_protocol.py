"""What is answered and logged below the applications, byte by byte, by the service."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession, web
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy
from yarl import URL

from forwardauth.sessions.ids import create_session_id
from forwardauth.web.answers import SERVER_NAME
from forwardauth.web.limits import MAX_LINE_BYTES
from tests.support.client import NAVIGATION
from tests.support.portal import COOKIE, PORTAL, Portal, ServiceServer
from tests.support.processes import Process, free_ports, wait_for
from tests.support.serving import Peer, serving, write_installation

SECRET = create_session_id()
"""Stands for a live session: nothing that refuses a request knows which ones live."""

HEAD = f"Host: auth.example.com\r\nCookie: {COOKIE}={SECRET}\r\n".encode()
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
FORM = b"username=alice&password=" + SECRET.encode()
LONG = b"x" * (MAX_LINE_BYTES + 1)

UNREADABLE = {
    "long line": b"GET /" + LONG + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "long header": b"GET / HTTP/1.1\r\n" + HEAD[:-2] + b"; j=" + LONG + b"\r\n\r\n",
    "long name": b"GET / HTTP/1.1\r\n" + HEAD + LONG + b": 1\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HEAD + b"x: 1\r\n" * 200 + b"\r\n",
    "space in a name": b"GET / HTTP/1.1\r\n" + HEAD + b"x y: " + FORM + b"\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\n" + HEAD + FORM + b"\r\n\r\n",
    "control character": b"GET / HTTP/1.1\r\n" + HEAD + b"x: \x01" + FORM + b"\r\n\r\n",
    "NUL": b"GET / HTTP/1.1\r\n" + HEAD + b"x: \0" + FORM + b"\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\n" + HEAD + b"x: a\r\n " + FORM + b"\r\n\r\n",
    "bare line feed": b"GET / HTTP/1.1\n" + HEAD.replace(b"\r", b"") + b"\n",
    "two lengths": b"POST /login HTTP/1.1\r\nContent-Length: 0\r\n"
    + CHUNKED
    + b"0\r\n",
    "length of words": b"POST /login HTTP/1.1\r\nContent-Length: " + FORM + b"\r\n\r\n",
    "size of a chunk": b"POST /login HTTP/1.1\r\n" + CHUNKED + FORM + b"\r\n",
    "end of a chunk": b"POST /login HTTP/1.1\r\n" + CHUNKED + b"1\r\n" + FORM + b"\r\n",
    "method": b"G\xc3T /" + FORM + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "unknown method": b"STEAL /" + FORM + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "version": b"GET /?" + FORM + b" HTTP/9.1\r\n" + HEAD + b"\r\n",
    "version 0.9": b"GET /?" + FORM + b" HTTP/0.9\r\n" + HEAD + b"\r\n",
    "version 2.0": b"GET /?" + FORM + b" HTTP/2.0\r\n" + HEAD + b"\r\n",
    "no version": b"GET /?" + FORM + b" please\r\n" + HEAD + b"\r\n",
    "absolute target": b"GET http://[::" + FORM + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "bytes in a target": b"GET /logout?rd=\xc3\xa9" + FORM + b" HTTP/1.1\r\n" + HEAD,
    "two hosts": b"GET / HTTP/1.1\r\nHost: " + FORM + b"\r\n" + HEAD + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\nCookie: " + FORM + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01" + FORM,
    "no HTTP": FORM + b"\r\n\r\n",
}


TYPES = {
    "/logout": "application/x-www-form-urlencoded",
    "/api/logout": "application/json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service that all these tests share: each spoils its own connection alone."""

    process: Process
    peer: Peer

    def exchange(self, data: bytes) -> bytes:
        """Send *data*; return everything until the service closes the connection."""
        with self.peer.connect() as client:
            client.sendall(data)
            with client.makefile("rb") as answer:
                return answer.read()

    def log(self) -> str:
        """Return everything that has been logged."""
        return self.process.log.read_text("utf-8", "surrogateescape")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """``forwardauth serve``, with its log at hand."""
    (port,) = free_ports(1)
    config = write_installation(
        tmp_path_factory.mktemp("service"),
        server=f"  listen: 127.0.0.1:{port}\n  management: null\n",
        store='"memory:"',
    )
    with serving(config, port) as process:
        running = Service(process=process, peer=Peer(address=port))
        wait_for(lambda: "listening on" in running.log(), "it has said so")
        yield running


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_request_is_quoted_nowhere(service: Service, data: bytes) -> None:
    """A cookie that scripts must not read comes back in no answer and in no log."""
    before = service.log()

    answer = service.exchange(data)

    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    names = {line.partition(b":")[0] for line in lines}
    logged = service.log().removeprefix(before)
    assert status == b"HTTP/1.0 400 Bad Request"
    assert body == b'{"status": "KO", "message": "bad_request"}'
    assert f"Server: {SERVER_NAME}".encode() in lines
    assert b"Cache-Control: no-store" in lines
    assert b"X-Content-Type-Options: nosniff" in lines
    assert b"Set-Cookie" not in names
    assert logged.count("\n") == 1
    assert " INFO forwardauth.web.protocol: unreadable request from 127.0.0.1" in logged
    assert "password" not in logged
    assert SECRET[:8] not in logged
    assert service.peer.send("GET", "/api/health").status == 200


def test_fault_behind_a_good_request_is_quoted_nowhere(service: Service) -> None:
    """The connection ends, and nothing of either comes back."""
    before = service.log()

    answer = service.exchange(
        b"GET /api/health HTTP/1.1\r\n" + HEAD + b"\r\n" + UNREADABLE["no colon"]
    )

    assert SECRET.encode() not in answer
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert SECRET[:8] not in service.log().removeprefix(before)
    assert "Traceback" not in service.log()


@pytest.mark.parametrize("wish", [FORM, b"1\xa50-continue"], ids=["words", "bytes"])
def test_unknown_expectation_is_not_quoted(service: Service, wish: bytes) -> None:
    """What aiohttp answers before any middleware is said in our words, too."""
    answer = service.exchange(
        b"GET / HTTP/1.1\r\n" + HEAD + b"Expect: " + wish + b"\r\n\r\n"
    )

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 417 ")
    assert "Traceback" not in service.log()
    assert b"\r\nCache-Control: no-store" in head
    assert body == b'{"status": "KO", "message": "bad_request"}'


def _stuffed(token: str, size: int) -> tuple[str, str]:
    """Return a ``Cookie`` header of *size* kilobytes before the one of *token*."""
    stuffing = "; ".join(f"j{number}=" + "x" * 1000 for number in range(size))
    return ("Cookie", f"{stuffing}; {COOKIE}={token}")


@pytest.mark.parametrize("size", [5, 20, 63, 120])
async def test_stuffed_cookie_jar_does_not_lock_out(portal: Portal, size: int) -> None:
    """A browser with kilobytes of cookies is known, and can sign out (V-4, V-42)."""
    token, _ = await portal.create_session()
    cookie = _stuffed(token, size)
    navigation = [*NAVIGATION, ("Sec-Fetch-Site", "none")]

    signed_in = await portal.verify(None, headers=[cookie])
    reply = await portal.send("GET", "/logout", headers=[cookie, *navigation])

    assert signed_in.status == 200
    assert reply.status == 303
    assert (await portal.verify(token)).status == 401


async def test_long_target_does_not_keep_the_session_alive(portal: Portal) -> None:
    """What proxies pass on as an address is read, and its session ends (L-8)."""
    token, _ = await portal.create_session()
    target = "https://app.example.com/" + "a" * 60_000

    reply = await portal.send("GET", f"/logout?rd={target}", cookie=token)

    assert reply.header("Location") == f"https://{PORTAL}/signed-out"
    assert (await portal.verify(token)).status == 401


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "gzip", "deflate", "GZIP", "x-own", "identity, gzip"]
)
@pytest.mark.parametrize("path", ["/logout", "/api/logout"])
async def test_packed_body_does_not_keep_the_session_alive(
    portal: Portal,
    caplog: pytest.LogCaptureFixture,
    path: str,
    encoding: str,
) -> None:
    """It is as unreadable as junk: the session ends first, without alarm (L-8)."""
    token, _ = await portal.create_session()

    reply = await portal.send(
        "POST",
        path,
        headers=[
            ("Content-Type", TYPES[path]),
            ("Content-Encoding", encoding),
            ("Origin", f"https://{PORTAL}"),
            ("Sec-Fetch-Site", "same-origin"),
        ],
        cookie=token,
        body=b"{}",
    )

    assert reply.status == (303 if path == "/logout" else 400)
    assert [line for line in reply.lines("Set-Cookie") if "Max-Age=0" in line]
    assert (await portal.verify(token)).status == 401
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


PARSERS = {"compiled": HttpRequestParser, "pure": HttpRequestParserPy}


@pytest.mark.parametrize("rest", [b"", b"5\r\nab"], ids=["first", "later"])
@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
async def test_broken_chunk_behind_a_head_is_quoted_nowhere(
    portal: Portal,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    parser: type[HttpRequestParser],
    rest: bytes,
) -> None:
    """The handler waits for the body by then: it hears of it, and answers (V-42).

    aiohttp has a second parser, for machines that it is not compiled for.
    """
    monkeypatch.setattr("aiohttp.web_protocol.HttpRequestParser", parser)
    target = URL(portal.url("/"))
    reader, writer = await asyncio.open_connection(target.host, target.port)
    head = b"POST /logout HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded"

    writer.write(head + b"\r\n" + CHUNKED + rest)
    await portal.send("GET", "/api/health")
    writer.write(FORM + b"\r\n" + FORM + b"\r\n\r\n")
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.")
    assert b"password" not in answer
    assert "password" not in caplog.text
    assert "Traceback" not in caplog.text
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_broken_body_does_not_keep_the_session_alive(portal: Portal) -> None:
    """The session ends first, and the answer says what was wrong (L-8)."""
    token, _ = await portal.create_session()
    target = URL(portal.url("/"))
    reader, writer = await asyncio.open_connection(target.host, target.port)
    head = (
        f"POST /api/logout HTTP/1.1\r\nHost: {PORTAL}\r\nCookie: {COOKIE}={token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )

    writer.write(head.encode())
    await portal.send("GET", "/api/health")
    writer.write(FORM)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Max-Age=0" in answer
    assert (await portal.verify(token)).status == 401


async def test_fault_of_ours_is_logged_and_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Outside of all middlewares, too, an error tells its client nothing."""

    async def fail(_request: web.Request) -> web.StreamResponse:
        message = f"ours: {SECRET}"
        raise RuntimeError(message)

    app = web.Application()
    app.router.add_get("/", fail)
    async with (
        ServiceServer(app) as server,
        ClientSession() as client,
        client.get(server.make_url("/")) as response,
    ):
        body = await response.text()

    assert (response.status, body) == (500, '{"status": "KO", "message": "internal"}')
    assert response.headers["Server"] == SERVER_NAME
    assert "Traceback" in caplog.text
