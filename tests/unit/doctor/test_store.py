"""The session store, as the doctor finds it."""

import asyncio
from pathlib import Path

import pytest

from forwardauth.doctor.findings import Outcome
from forwardauth.doctor.store import check_store, judge_risk
from forwardauth.sessions.stores.durability import Finding, Risk
from tests.support.cases import make_case
from tests.support.processes import free_ports
from tests.support.stored_sessions import StoredSessions


async def test_memory_is_seen_by_nobody_else(tmp_path: Path) -> None:
    """It is no failure, and cannot be looked at."""
    (finding,) = await check_store(make_case(tmp_path, 'session: {store: "memory:"}\n'))

    assert finding.outcome is Outcome.SKIP
    assert "config.yaml:6: session.store" in finding.remedy


async def test_missing_file_is_not_made(tmp_path: Path) -> None:
    """It would be the file of whoever looks."""
    (finding,) = await check_store(make_case(tmp_path))

    assert finding.outcome is Outcome.FAIL
    assert not (tmp_path / "sessions.db").exists()


def test_answering_store_says_how_fast(tmp_path: Path) -> None:
    """A write and its confirmation, in milliseconds."""
    StoredSessions(tmp_path / "sessions.db")

    (finding,) = asyncio.run(check_store(make_case(tmp_path)))

    assert "writes and reads in" in finding.detail
    assert finding.detail.endswith(" ms")


async def test_dead_redis_is_told_without_its_password(tmp_path: Path) -> None:
    """With the place of the key, and not what stands there."""
    (port,) = free_ports(1)
    url = f"redis://user:hunter2@127.0.0.1:{port}/0"
    case = make_case(tmp_path, f"session: {{store: '{url}'}}\n")

    (finding,) = await check_store(case)

    assert finding.outcome is Outcome.FAIL
    assert f"127.0.0.1:{port}" in finding.detail
    assert "hunter2" not in finding.detail + finding.remedy
    assert "session.store" in finding.remedy


@pytest.mark.parametrize(
    ("risk", "outcome"),
    [(each, Outcome.WARN) for each in (Risk.REVOCATIONS, Risk.SESSIONS, Risk.OUTAGE)]
    + [(Risk.UNKNOWN, Outcome.SKIP)],
)
def test_risk_is_a_warning(risk: Risk, outcome: Outcome) -> None:
    """The service works, and somebody may be surprised; what is not told is no risk."""
    risky = Finding(risk=risk, server="h:1", reason="why", remedy="what to do")

    finding = judge_risk(risky)

    assert (finding.outcome, finding.detail, finding.remedy) == (
        outcome,
        "why",
        "what to do",
    )
