"""Connections whose answers wait for the store: in order, once, and not for ever."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import Found
from forwardauth.sessions.rows import NoGlanceError
from forwardauth.web import keys
from forwardauth.web.awaited_way import AwaitedWay
from forwardauth.web.limits import Limits
from forwardauth.web.metrics import VERIFICATIONS
from tests.support.deferred_store import DeferredStore
from tests.support.portal import Portal
from tests.unit.web.test_short_protocol import HEALTH, PATIENCE, Line, question

OK: Final = b"HTTP/1.1 200 OK\r\n"
ALICE: Final = b"\r\nRemote-User: alice\r\n"


class Waiting(Portal):
    """A portal whose store answers when it is told to."""

    def __init__(self, folder: Path, *, limits: Limits | None = None) -> None:
        self.deferred = DeferredStore()
        super().__init__(folder, store=self.deferred, limits=limits)

    async def hold(self) -> bytes:
        """Sign alice in, hold what the store says from now on; return a question."""
        token, _ = await self.create_session()
        self.deferred.is_held = True
        return question(token)

    async def wait_until_asked(self, number: int = 1) -> None:
        """Return when the store has been asked *number* questions."""
        async with asyncio.timeout(PATIENCE):
            while self.deferred.asked < number:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0)


async def test_answer_comes_when_the_store_has_told(tmp_path: Path) -> None:
    """Nothing is said before it, and the connection goes on after it."""
    async with Waiting(tmp_path) as portal, Line(portal) as line:
        asked = await portal.hold()
        await line.send(asked)
        await portal.wait_until_asked()
        before = line.has_received()

        portal.deferred.answer()
        answers = [await line.read()]
        portal.deferred.is_held = False
        for sent in (asked, HEALTH, asked):
            await line.send(sent)
            answers.append(await line.read())

    assert not before
    assert [answer.startswith(OK) for answer in answers] == [True] * 4
    assert [ALICE in answer for answer in answers] == [True, True, False, True]


async def test_what_comes_meanwhile_is_answered_after_it(tmp_path: Path) -> None:
    """Of pipelined requests each waits for those before, whichever way it goes."""
    async with Waiting(tmp_path) as portal, Line(portal) as line:
        asked = await portal.hold()
        await line.send(asked)
        await portal.wait_until_asked()
        await line.send(HEALTH + asked[:30])
        await line.send(asked[30:] + HEALTH + question(None))
        before = line.has_received()
        portal.deferred.is_held = False

        portal.deferred.answer()
        answers = [await line.read() for _ in range(5)]

    statuses = [answer.split(b" ", 2)[1] for answer in answers]
    assert not before
    assert statuses == [b"200", b"200", b"200", b"200", b"401"]
    assert [ALICE in answer for answer in answers] == [1, 0, 1, 0, 0]


async def test_flood_behind_a_waiting_request_is_not_read(tmp_path: Path) -> None:
    """Who sends on meanwhile fills the buffers of the system, not our memory (V-42)."""
    async with Waiting(tmp_path) as portal, Line(portal) as line:
        asked = await portal.hold()
        await line.send(asked)
        await portal.wait_until_asked()

        is_stuck = await line.flood(HEALTH * 1_000, megabytes=64)
        portal.deferred.answer()
        answer = await line.read()

    assert is_stuck
    assert ALICE in answer


async def test_lost_connection_is_not_answered(tmp_path: Path) -> None:
    """What the store says then is nobody's, and the next connection's is its own."""
    async with Waiting(tmp_path) as portal:
        asked = await portal.hold()
        async with Line(portal) as line:
            await line.send(asked)
            await portal.wait_until_asked()
        async with Line(portal) as other:
            await other.send(question(None))
            await other.read()

            portal.deferred.answer()
            await other.send(HEALTH)
            answer = await other.read()

    assert answer.startswith(OK)
    assert ALICE not in answer


async def test_waiting_is_not_idle(tmp_path: Path) -> None:
    """The time that a connection may be idle for begins with the answer."""
    limits = Limits(idle_seconds=0.4)
    async with Waiting(tmp_path, limits=limits) as portal, Line(portal) as line:
        asked = await portal.hold()
        await line.send(question(None))
        await line.read()
        await line.send(asked)
        await portal.wait_until_asked()

        rest = asyncio.create_task(line.rest())
        await asyncio.wait([rest], timeout=0.8)
        was_open = not rest.done()
        portal.deferred.answer()
        received = await rest

    assert was_open
    assert ALICE in received


async def test_waiting_makes_no_room_for_others(tmp_path: Path) -> None:
    """A request in hand is not ended for a newcomer (V-42)."""
    limits = Limits(max_connections=2)
    async with Waiting(tmp_path, limits=limits) as portal:
        asked = await portal.hold()
        async with Line(portal) as first, Line(portal) as second:
            await first.send(asked)
            await second.send(asked)
            await portal.wait_until_asked(2)
            async with Line(portal) as newcomer:
                ended = await newcomer.rest()

            portal.deferred.answer()
            answers = [await first.read(), await second.read()]

    assert ended == b""
    assert all(ALICE in answer for answer in answers)


async def test_stop_waits_for_the_answer(tmp_path: Path) -> None:
    """Who asked before the stop is answered, and the connection ends."""
    async with Waiting(tmp_path) as portal, Line(portal) as line:
        asked = await portal.hold()
        await line.send(asked)
        await portal.wait_until_asked()

        await portal.__aexit__(None, None, None)
        received = await line.rest()
        portal.deferred.answer()

    assert received.startswith(OK)
    assert ALICE in received


async def test_store_that_cannot_tell_sends_the_normal_way(tmp_path: Path) -> None:
    """It is asked once more there, with all that this entails."""
    async with Waiting(tmp_path) as portal, Line(portal) as line:
        asked = await portal.hold()
        portal.deferred.fault = NoGlanceError
        await line.send(asked)
        await portal.wait_until_asked()
        await line.send(HEALTH)

        portal.deferred.answer()
        answers = [await line.read() for _ in range(2)]

    assert ALICE in answers[0]
    assert answers[1].startswith(OK)


async def test_user_who_is_disabled_meanwhile_does_not_pass(tmp_path: Path) -> None:
    """Users and rules are those of the moment of the answer (V-7)."""
    async with Waiting(tmp_path) as portal, Line(portal) as line:
        asked = await portal.hold()
        await line.send(asked)
        await portal.wait_until_asked()
        text = portal.users.read_text("utf-8")
        portal.users.write_text(
            text.replace("displayname: Alice Liddell", "disabled: true"), "utf-8"
        )
        await portal.app[keys.USERS].reload()

        portal.deferred.answer()
        answer = await line.read()

    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("fault", [RuntimeError, TimeoutError])
@pytest.mark.parametrize("when", ["asked", "told"])
async def test_fault_is_500_and_the_end(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    fault: type[Exception],
    when: str,
) -> None:
    """No fault is a reason to try until somebody passes (V-2)."""
    portal = Waiting(tmp_path)
    way = portal.app[keys.SHORT_WAY]
    assert isinstance(way, AwaitedWay)
    failing = _failing(fault)
    if when == "asked":
        way._readings.read = failing  # type: ignore[method-assign]  # noqa: SLF001
    async with portal, Line(portal) as line:
        asked = await portal.hold()
        if when == "told":
            way._recognize = failing  # type: ignore[assignment, method-assign]  # noqa: SLF001
        with caplog.at_level(logging.ERROR):
            await line.send(asked)
            await line.send(HEALTH)
            portal.deferred.answer()
            received = await line.rest()

    assert received.startswith(b"HTTP/1.1 500 ")
    assert received.count(b"HTTP/1.1") == 1
    assert b"secret" not in received
    assert [record.getMessage() for record in caplog.records] == ["verify failed"]


def _failing(fault: type[Exception]) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise fault("secret")

    return fail


@pytest.mark.parametrize("adapter_path", ["/verify/nginx", "/api/authz/auth-request"])
async def test_outage_is_told_as_the_normal_way_tells_it(
    tmp_path: Path, adapter_path: str
) -> None:
    """503 with ``Retry-After``, the same bytes but for the date, and counted (V-33)."""
    async with Waiting(tmp_path) as portal, Line(portal) as line:
        asked = (await portal.hold()).replace(b"/verify/nginx", adapter_path.encode())
        portal.deferred.is_held = False
        portal.deferred.go_down()
        portal.deferred.fault = _outage
        await line.send(asked)
        short = await line.read()
        portal.deferred.fault = NoGlanceError
        await line.send(asked)
        normal = await line.read()
        counted = dict(portal.app[keys.METRICS].samples(VERIFICATIONS))

    assert short.startswith(b"HTTP/1.1 503 ")
    assert _undated(short) == _undated(normal)
    assert counted == {("nginx", "refused"): 2}


def _outage() -> Found:
    return StoreUnavailableError("the store is away")


def _undated(answer: bytes) -> list[bytes]:
    return [line for line in answer.splitlines() if not line.startswith(b"Date: ")]
