"""Connections on which plain requests are answered the short way."""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple, Self

import pytest

from forwardauth.web import keys
from forwardauth.web.limits import Limits
from forwardauth.web.protocol import Protocol
from forwardauth.web.runner import ServiceRunner
from forwardauth.web.short_way import ShortWay
from tests.support.portal import APP, COOKIE, PORTAL, Portal

PATIENCE: Final = 5.0


class Line:
    """A connection to a portal, and what came back on it."""

    def __init__(self, portal: Portal) -> None:
        self._port = int(portal.url("/").rpartition(":")[2].rstrip("/"))

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def send(self, *pieces: bytes) -> None:
        """Send *pieces*, each so that it arrives by itself."""
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            for _ in range(20):
                await asyncio.sleep(0)

    def write(self, data: bytes) -> None:
        """Send *data* with what else happens in this turn of the loop."""
        self._writer.write(data)

    async def flood(self, data: bytes, *, megabytes: int) -> bool:
        """Send *data* again and again; whether it is no longer taken before the end."""
        for _ in range(megabytes * 1_000_000 // len(data)):
            self._writer.write(data)
            try:
                async with asyncio.timeout(0.5):
                    await self._writer.drain()
            except TimeoutError:
                return True
        return False

    def has_received(self) -> bool:
        """Whether anything has come back that was not read."""
        return bool(self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001

    async def read(self) -> bytes:
        """Return the next answer, with its body."""
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            return head + await self._reader.readexactly(int(length))

    async def rest(self) -> bytes:
        """Return what comes until the connection ends."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()


def question(token: str | None, path: str = "/", *more: str) -> bytes:
    """Return what nginx would ask."""
    lines = [
        "GET /verify/nginx HTTP/1.1",
        "Host: auth",
        f"X-Original-URL: https://{APP}{path}",
        "X-Original-Method: GET",
        "Accept: text/html",
        *more,
    ]
    lines += [] if token is None else [f"Cookie: {COOKIE}={token}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


HEALTH: Final = f"GET /api/health HTTP/1.1\r\nHost: {PORTAL}\r\n\r\n".encode()
BODY: Final = (
    f"POST /api/checks/safe-redirection HTTP/1.1\r\nHost: {PORTAL}\r\n"
    "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n"
).encode()


async def test_short_and_long_answers_keep_their_order(tmp_path: Path) -> None:
    """Of two requests at once the first is answered first, whichever way it goes."""
    async with Portal(tmp_path) as portal, Line(portal) as line:
        token, _ = await portal.create_session()
        await line.send(HEALTH + question(token) + HEALTH)
        answers = [await line.read() for _ in range(3)]

    assert [answer.split(b" ", 2)[1] for answer in answers] == [b"200"] * 3
    assert [b"Remote-User: alice" in answer for answer in answers] == [0, 1, 0]


async def test_connection_goes_on_after_each_way(tmp_path: Path) -> None:
    """A proxy keeps its connection open for whatever comes next."""
    async with Portal(tmp_path) as portal, Line(portal) as line:
        token, _ = await portal.create_session()
        found = []
        for sent in (question(token), HEALTH, question(None), question(token), HEALTH):
            await line.send(sent)
            found.append((await line.read()).split(b" ", 2)[1])

    assert found == [b"200", b"200", b"401", b"200", b"200"]


@pytest.mark.parametrize("cut", [1, 20, 60, -4, -2, -1])
async def test_request_in_pieces_is_answered(tmp_path: Path, cut: int) -> None:
    """Wherever the network cuts it, the answer is the same, and comes once."""
    async with Portal(tmp_path) as portal, Line(portal) as line:
        token, _ = await portal.create_session()
        whole = question(token)
        await line.send(whole[:cut], whole[cut:] + question(None)[:30])
        first = await line.read()
        await line.send(question(None)[30:])
        second = await line.read()

    assert b"Remote-User: alice" in first
    assert second.startswith(b"HTTP/1.1 401 ")


async def test_body_is_never_taken_for_a_request(tmp_path: Path) -> None:
    """What a body holds is not asked about, though it looks like a question."""
    async with Portal(tmp_path) as portal, Line(portal) as line:
        token, _ = await portal.create_session()
        smuggled = question(token)
        head = BODY.replace(b"13", str(len(smuggled)).encode())
        await line.send(head + smuggled + HEALTH)
        received = await line.read() + await line.read()

    assert received.startswith(b"HTTP/1.1 401 ")
    assert b"Remote-User" not in received


async def test_value_is_never_taken_for_a_request(tmp_path: Path) -> None:
    """What a header holds is not asked about, wherever the network cuts it off.

    The head begins behind a whole request, in the same data, and its rest looks like a
    question: "X: GET /verify/nginx HTTP/1.1", which is a plain value.
    """
    async with Portal(tmp_path) as portal, Line(portal) as line:
        token, _ = await portal.create_session()
        begun = HEALTH[:-2] + b"X: "
        await line.send(HEALTH + begun)
        first = await line.read()
        await line.send(question(token))
        second = await line.read()

    # The rest has a second Host.
    assert [each.split(b" ", 2)[1] for each in (first, second)] == [b"200", b"400"]
    assert b"Remote-User" not in second


async def test_fault_of_the_short_way_is_500_and_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No fault is a reason to try until somebody passes (V-2)."""
    portal = Portal(tmp_path)
    short_way = portal.app[keys.SHORT_WAY]
    portal.app[keys.SHORT_WAY] = _Failing(short_way)
    async with portal, Line(portal) as line:
        token, _ = await portal.create_session()
        with caplog.at_level(logging.ERROR):
            await line.send(question(token))
            answer = await line.rest()

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"Connection: close\r\n" in answer
    assert b"secret" not in answer
    assert [record.getMessage() for record in caplog.records] == ["verify failed"]


class _Failing(ShortWay):
    """Fails, as no part of it should."""

    def __init__(self, other: ShortWay) -> None:
        self.lookup_peer = other.lookup_peer  # type: ignore[method-assign]
        self.tell_crowd = other.tell_crowd  # type: ignore[method-assign]

    def answer(self, *_: object) -> bytes | None:
        raise RuntimeError("secret")


async def test_idle_connection_is_closed_after_its_time(tmp_path: Path) -> None:
    """A connection that was used for plain questions alone does not stay for ever."""
    limits = Limits(idle_seconds=0.2)
    async with Portal(tmp_path, limits=limits) as portal, Line(portal) as line:
        await line.send(question(None))
        answer = await line.read()
        rest = await line.rest()

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert rest == b""


class _Wire(asyncio.Transport):
    """A connection from this machine that keeps what is sent, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self._socket = socket.socket()

    def get_extra_info(self, name: str, default: object = None) -> object:
        known = {"socket": self._socket, "peername": ("127.0.0.1", 9)}
        return known.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def writelines(
        self, list_of_data: Iterable[bytes | bytearray | memoryview]
    ) -> None:
        self.sent.append(b"".join(list_of_data))

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass

    def close(self) -> None:
        self._socket.close()

    @property
    def answers(self) -> list[str]:
        """Whether each answer is that to a question about a user, in order."""
        heads = re.findall(rb"HTTP/1\.1 .*?\r\n\r\n", b"".join(self.sent), re.DOTALL)
        return ["user" if b"Remote-User: alice" in each else "other" for each in heads]

    async def wait(self, number: int) -> None:
        """Let the loop turn until *number* answers are there, and no further."""
        for _ in range(1_000):
            if len(self.answers) >= number:
                return
            await asyncio.sleep(0)
        raise AssertionError(self.sent)


class _Wired(NamedTuple):
    """What takes the bytes of a connection that has just begun, and its other end."""

    receive: Callable[[bytes], None]
    connection: Protocol
    wire: _Wire
    asked: bytes


@pytest.fixture
async def wired(tmp_path: Path) -> AsyncIterator[_Wired]:
    """A connection on which no turn of the loop passes but those of the test."""
    portal, wire = Portal(tmp_path), _Wire()
    token, _ = await portal.create_session()
    runner = ServiceRunner(portal.app)
    await runner.setup()
    assert runner.server is not None
    protocol = runner.server()
    assert isinstance(protocol, Protocol)
    protocol.connection_made(wire)
    yield _Wired(protocol.data_received, protocol, wire, question(token))
    protocol.connection_lost(None)
    await runner.cleanup()
    wire.close()


async def test_first_request_is_answered_before_aiohttp_waits(wired: _Wired) -> None:
    """A connection need not have gone the normal way to go the short one."""
    wired.receive(wired.asked)

    assert wired.wire.answers == ["user"]


async def test_request_right_behind_an_answer_goes_the_short_way(
    wired: _Wired,
) -> None:
    """A busy connection does not stay on the normal way once it was there."""
    wired.receive(HEALTH)
    await wired.wire.wait(1)

    wired.receive(wired.asked)

    assert wired.wire.answers == ["other", "user"]


@pytest.mark.parametrize("before", [1, 2, 3])
@pytest.mark.parametrize("turns", range(8))
async def test_no_answer_overtakes_another(
    wired: _Wired, before: int, turns: int
) -> None:
    """However far aiohttp has come with what came before, that is answered first."""
    wired.receive(HEALTH * before)
    for _ in range(turns):
        await asyncio.sleep(0)

    wired.receive(wired.asked)
    await wired.wire.wait(before + 1)

    assert wired.wire.answers == ["other"] * before + ["user"]


async def test_nothing_is_answered_behind_the_last_answer(wired: _Wired) -> None:
    """Who has been told that the connection ends gets no other answer on it."""
    wired.receive(HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    await wired.wire.wait(1)

    for _ in range(3):
        wired.receive(wired.asked)
        await asyncio.sleep(0)

    assert wired.wire.answers == ["other"]


async def test_what_comes_between_is_answered_between(wired: _Wired) -> None:
    """A connection that was at rest is so no longer once aiohttp has something."""
    wired.receive(wired.asked)
    wired.receive(HEALTH)

    wired.receive(wired.asked)
    await wired.wire.wait(3)

    assert wired.wire.answers == ["user", "other", "user"]


async def test_who_takes_no_answers_gets_no_more(wired: _Wired) -> None:
    """Answers that nobody takes do not pile up, however quick they are."""
    wired.receive(wired.asked)
    wired.connection.pause_writing()
    for _ in range(3):
        wired.receive(wired.asked)
        await asyncio.sleep(0)
    before = wired.wire.answers

    wired.connection.resume_writing()
    await wired.wire.wait(4)

    # aiohttp writes one before it waits.
    assert before == ["user"] * 2
    assert wired.wire.answers == ["user"] * 4


@pytest.mark.parametrize("end", ["close", "force_close"])
async def test_nothing_is_answered_on_a_connection_that_ends(
    wired: _Wired, end: str
) -> None:
    """A stop takes no request that comes after it."""
    wired.receive(wired.asked)
    getattr(wired.connection, end)()

    wired.receive(wired.asked)
    await asyncio.sleep(0)

    assert wired.wire.answers == ["user"]
