"""What one connection may do, tried byte by byte on the real application."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from forwardauth.web.limits import (
    IDLE_SECONDS,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_LINE_BYTES,
    MAX_RAW_BODY_BYTES,
    Limits,
)
from tests.support.connections import Connection, connected
from tests.support.portal import COOKIE, PORTAL, Portal

Connect = Callable[..., AbstractAsyncContextManager[Connection]]

ASK: Final = (
    b"GET /verify/nginx HTTP/1.1\r\nHost: forwardauth\r\nX-Original-Method: GET\r\n"
    b"X-Original-URL: https://app.example.com/\r\n"
)
ASK_OPEN: Final = ASK.replace(b"//app.", b"//public.") + b"\r\n"
"""The one request here that is answered with 200."""

SHORT: Final = 0.05


@pytest.fixture
def connect(tmp_path: Path) -> Connect:
    """Connects to a service of which each limit of time can be made short."""

    @asynccontextmanager
    async def open_one(
        *, receive_bytes: int | None = None, **seconds: float
    ) -> AsyncIterator[Connection]:
        limits = Limits(**seconds)  # type: ignore[arg-type]  # names of times alone
        async with (
            Portal(tmp_path, limits=limits) as portal,
            connected(portal.url("/"), receive_bytes=receive_bytes) as connection,
        ):
            yield connection

    return open_one


def _fill(size: int) -> bytes:
    """Return headers of *size* bytes, none of which is too long by itself."""
    line = b"x: " + b"a" * (MAX_LINE_BYTES // 2 - 5) + b"\r\n"
    lines = line * (size // len(line))
    return lines + b"y: " + b"a" * (size - len(lines) - 5) + b"\r\n"


@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "bit by bit"])
async def test_head_is_read_up_to_its_limit(connect: Connect, *, is_late: bool) -> None:
    """Many headers are as bounded as a long one, however they arrive (V-42)."""
    near = ASK + _fill(MAX_HEAD_BYTES - len(ASK) - 10) + b"\r\n"
    beyond = ASK + _fill(MAX_HEAD_BYTES + 2000) + b"\r\n"

    async with connect() as connection:
        if is_late:
            await connection.write(near[:50_000])
            await connection.write(near[50_000:])
        else:
            await connection.write(near)
        read = await connection.answer()
        if is_late:
            await connection.write(beyond[:50_000])
            await connection.write(beyond[50_000:-1000])
        else:
            await connection.write(beyond)
        refused = await connection.rest()

    assert read.startswith(b"HTTP/1.1 401 ")
    assert refused.startswith(b"HTTP/1.0 400 ")


async def test_empty_lines_before_a_request_are_bounded(connect: Connect) -> None:
    """They count as the head of the request that never comes (V-42)."""
    async with connect() as connection:
        await connection.write(b"\r\n" * MAX_HEAD_BYTES)
        answer = await connection.rest()

    assert answer.startswith(b"HTTP/1.0 400 ")


@pytest.mark.parametrize(
    ("count", "status"),
    [(MAX_HEADERS, b"HTTP/1.1 401 "), (MAX_HEADERS + 1, b"HTTP/1.0 400 ")],
    ids=["as many as possible", "one more"],
)
async def test_headers_are_counted(connect: Connect, count: int, status: bytes) -> None:
    """More fields than any proxy passes on are refused (V-42)."""
    async with connect() as connection:
        await connection.write(ASK + b"x: 1\r\n" * (count - 3) + b"\r\n")
        answer = await connection.answer()

    assert answer.startswith(status)


@pytest.mark.parametrize("is_second", [False, True], ids=["first", "second"])
async def test_slow_head_ends_the_connection(
    connect: Connect, caplog: pytest.LogCaptureFixture, *, is_second: bool
) -> None:
    """Time counts from the first byte, for each request of a connection (V-42)."""
    caplog.set_level("INFO")

    async with connect(head_seconds=SHORT) as connection:
        if is_second:
            await connection.write(ASK + b"\r\n")
            await connection.answer()
        await connection.write(ASK)
        answer = await connection.rest()

    assert answer == b""
    assert "a request was too slow" in caplog.text


async def test_byte_now_and_then_gains_no_time(connect: Connect) -> None:
    """Whoever drips a head for ever is ended like who says nothing more (V-42)."""
    dripped = 0

    async with connect(head_seconds=SHORT) as connection:
        await connection.write(ASK + b"x: ")
        async with asyncio.timeout(10):
            while not connection.is_ended:
                await connection.write(b"a")
                await asyncio.sleep(0)
                dripped += 1

    assert dripped > 1


async def test_whole_request_is_not_ended_as_slow(connect: Connect) -> None:
    """The time for a head does not count against a connection that waits."""
    async with connect(head_seconds=0.2, idle_seconds=0.4) as connection:
        loop = asyncio.get_running_loop()
        await connection.write(ASK + b"x: 1")
        await connection.write(b"\r\n\r\n")
        await connection.answer()
        since = loop.time()
        answer = await connection.rest()

    assert answer == b""
    assert loop.time() - since > 0.3


@pytest.mark.parametrize("is_second", [False, True], ids=["unused", "used"])
async def test_idle_connection_ends(connect: Connect, *, is_second: bool) -> None:
    """Idle ones do not pile up for ever (V-42)."""
    # It is idle from the start, and a busy machine may pause before it asks.
    async with connect(idle_seconds=0.3) as connection:
        if is_second:
            await connection.write(ASK + b"\r\n")
            await connection.answer()
        answer = await connection.rest()

    assert answer == b""


def test_idle_connection_outlives_that_of_any_proxy() -> None:
    """The proxy closes first, so no request meets a connection that we just closed."""
    envoy_seconds = 3600

    assert Limits().idle_seconds == IDLE_SECONDS > envoy_seconds


async def test_slow_body_does_not_keep_the_session_alive(tmp_path: Path) -> None:
    """The session ends first, and the handler stops waiting in time (L-8, V-42)."""
    async with Portal(tmp_path, limits=Limits(body_seconds=SHORT)) as portal:
        token, _ = await portal.create_session()
        async with connected(portal.url("/")) as connection:
            await connection.write(
                f"POST /api/logout HTTP/1.1\r\nHost: {PORTAL}\r\n"
                f"Cookie: {COOKIE}={token}\r\nContent-Type: application/json\r\n"
                "Content-Length: 40\r\n\r\n{".encode()
            )
            answer = await connection.rest()
        after = await portal.verify(token)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Max-Age=0" in answer
    assert after.status == 401


async def test_endless_framing_of_a_body_is_bounded(connect: Connect) -> None:
    """Extensions of chunks hold no data, and count all the same (V-42)."""
    head = (
        f"POST /login HTTP/1.1\r\nHost: {PORTAL}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )

    async with connect() as connection:
        await connection.write(head.encode())
        await connection.write(b"1;" + b"a" * 2 * MAX_RAW_BODY_BYTES)
        answer = await connection.rest()

    assert not answer.startswith(b"HTTP/1.1 200 ")


UNREAD = {
    "no body": b"Content-Length: 100\r\n\r\n",
    "half a body": b"Content-Length: 1000\r\n\r\nhalf",
    "no chunk": b"Transfer-Encoding: chunked\r\n\r\n",
    "half a chunk": b"Transfer-Encoding: chunked\r\n\r\n400\r\nhalf",
    "no trailer": b"Transfer-Encoding: chunked\r\n\r\n0\r\nx: ",
    "expected": b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
}


@pytest.mark.parametrize("body", UNREAD.values(), ids=UNREAD)
async def test_nothing_follows_a_body_that_has_not_come(
    connect: Connect, body: bytes
) -> None:
    """The next request on the connection would be read from its middle (V-37).

    A proxy that passes on ``Content-Length`` and keeps the body does just this.
    """
    async with connect(drain_seconds=SHORT) as connection:
        await connection.write(ASK + body)
        first = await connection.answer()
        if first.startswith(b"HTTP/1.1 100 "):
            first = await connection.answer()
        await connection.write(ASK_OPEN * 2)
        rest = await connection.rest()

    assert first.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nConnection: close\r\n" in first
    assert rest == b""


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 4\r\n\r\nfull",
        b"Transfer-Encoding: chunked\r\n\r\n4;x=y\r\nfull\r\n0\r\nx: 1\r\n\r\n",
    ],
    ids=["length", "chunks"],
)
async def test_whole_body_is_skipped(connect: Connect, body: bytes) -> None:
    """Verify answers without a look at it, and reads the next request right (V-37)."""
    async with connect() as connection:
        await connection.write(ASK + body + ASK_OPEN)
        first = await connection.answer()
        second = await connection.answer()

    assert first.startswith(b"HTTP/1.1 401 ")
    assert second.startswith(b"HTTP/1.1 200 ")


async def test_huge_body_is_not_read_to_its_end(connect: Connect) -> None:
    """Verify has answered long before, and throws away a bounded part (V-37, V-42)."""
    async with connect() as connection:
        await connection.write(ASK + b"Content-Length: 1000000000\r\n\r\n")
        first = await connection.answer()
        async with asyncio.timeout(10):
            while not connection.is_ended:
                await connection.write(b"a" * 65536)
                await asyncio.sleep(0)

    assert first.startswith(b"HTTP/1.1 401 ")


SMUGGLED = {
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
    b"0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 9\r\n\r\n",
    "list of lengths": b"Content-Length: 0, 0\r\n\r\n",
    "signed length": b"Content-Length: +0\r\n\r\n",
    "chunks by another name": b"Transfer-Encoding: xchunked\r\n\r\n",
    "chunks and more": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\n",
    "space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "tab in the coding": b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "folded coding": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "negative chunk": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "chunk in hexadecimal": b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "chunk that overflows": b"Transfer-Encoding: chunked\r\n\r\n"
    b"10000000000000000\r\n\r\n0\r\n\r\n",
    "bare line feed in chunks": b"Transfer-Encoding: chunked\r\n\r\n0\n\n",
    "bare line feed": b"x: 1\n\n",
    "bare carriage return": b"x: 1\r\r",
    "other protocol": b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HTTP/2": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
}


@pytest.mark.parametrize("rest", SMUGGLED.values(), ids=SMUGGLED)
async def test_request_whose_end_is_arguable_is_the_last(
    connect: Connect, rest: bytes
) -> None:
    """What parsers read differently is followed by nothing that passes (V-2, V-9)."""
    async with connect(
        head_seconds=SHORT, body_seconds=SHORT, drain_seconds=SHORT
    ) as connection:
        await connection.write(ASK + rest + ASK_OPEN)
        answers = await connection.rest()

    assert answers.count(b"HTTP/1.") <= 1
    assert b" 200 OK" not in answers


async def test_pipelined_requests_are_answered_in_their_order(
    connect: Connect,
) -> None:
    """However many come at once, few wait, and none is lost or mixed up."""
    async with connect() as connection:
        await connection.write((ASK + b"\r\n" + ASK_OPEN) * 100)
        answers = [await connection.answer() for _ in range(200)]

    statuses = [answer.partition(b"\r\n")[0][9:12] for answer in answers]
    assert statuses == [b"401", b"200"] * 100


async def test_answer_that_nobody_takes_ends_the_connection(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that asks and does not read holds nothing for ever (V-42)."""
    caplog.set_level("INFO")
    ask = f"GET /login HTTP/1.1\r\nHost: {PORTAL}\r\n\r\n".encode()

    async with connect(answer_seconds=SHORT, receive_bytes=4096) as connection:
        async with asyncio.timeout(20):
            while not connection.is_ended:
                await connection.write(ask * 100)

    assert "an answer was not taken in time" in caplog.text
