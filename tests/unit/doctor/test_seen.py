"""What the service says that it sees, and whether its clock is right."""

from datetime import timedelta
from pathlib import Path

import pytest

from forwardauth.doctor.exchange import Exchange, Reach, Silence
from forwardauth.doctor.findings import Outcome
from forwardauth.doctor.seen import ask, clock_finding
from forwardauth.web import keys
from tests.support.clock import START, FakeClock
from tests.support.portal import Portal
from tests.support.processes import free_ports
from tests.support.strangers import stranger


async def test_running_service_tells_what_it_sees(portal: Portal) -> None:
    """The answer has a form, and the forged header shows in it."""
    proofs = portal.app[keys.DOCTOR_PROOFS]
    async with Exchange(Reach()) as exchange:
        seen, _ = await ask(
            exchange,
            portal.url("/").rstrip("/"),
            proofs=proofs,
            clock=portal.clock,
            headers=[("X-Forwarded-For", "203.0.113.99")],
        )

    assert seen is not None
    assert seen.is_trusted
    assert seen.client == "203.0.113.99"
    assert seen.offset == timedelta()


async def test_clock_of_the_service_is_compared_with_ours(tmp_path: Path) -> None:
    """Its time is in the answer; ours is taken half way."""
    ours = FakeClock(START - timedelta(minutes=5))
    async with Portal(tmp_path) as portal, Exchange(Reach()) as exchange:
        seen, _ = await ask(
            exchange,
            portal.url("/").rstrip("/"),
            proofs=portal.app[keys.DOCTOR_PROOFS],
            clock=ours,
        )

    assert seen is not None
    assert seen.offset == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [
        (0, Outcome.OK),
        (2, Outcome.OK),
        (-3, Outcome.WARN),
        (29, Outcome.WARN),
        (-31, Outcome.FAIL),
        (3600, Outcome.FAIL),
    ],
)
def test_clocks_may_differ_by_seconds(seconds: int, outcome: Outcome) -> None:
    """Two seconds are nothing, half a minute is wrong; it says in which direction."""
    finding = clock_finding("Redis", timedelta(seconds=seconds))

    assert finding.outcome is outcome
    if outcome is not Outcome.OK:
        word = "ahead of" if seconds > 0 else "behind"
        assert f"{abs(seconds)} s {word} ours" in finding.detail
        assert "NTP" in finding.remedy


async def test_silence_is_no_sight(portal: Portal) -> None:
    """A port that nobody listens on is a reason, not an error."""
    (port,) = free_ports(1)
    async with Exchange(Reach()) as exchange:
        seen, reply = await ask(
            exchange,
            f"http://127.0.0.1:{port}",
            proofs=portal.app[keys.DOCTOR_PROOFS],
            clock=portal.clock,
        )

    assert seen is None
    assert isinstance(reply, Silence)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"status": "OK"}',
        b'{"data": []}',
        b'{"data": {"version": "1"}}',
        b'{"data": {"version": "1", "time": 5, "peer": 1, "is_trusted": 1}}',
        b"[" * 5000,
        b"\xff\xfe",
    ],
    ids=["empty", "page", "list", "health", "array", "some", "types", "deep", "bytes"],
)
async def test_answer_of_another_program_is_no_sight(
    portal: Portal, body: bytes
) -> None:
    """Whatever some other server says with 200, it is not taken for ours."""
    async with stranger(body=body) as url, Exchange(Reach()) as exchange:
        seen, reply = await ask(
            exchange, url, proofs=portal.app[keys.DOCTOR_PROOFS], clock=portal.clock
        )

    assert seen is None
    assert not isinstance(reply, Silence)
