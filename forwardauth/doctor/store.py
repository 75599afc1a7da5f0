"""The session store: whether it answers, how fast, and what it may lose.

Laws: what is not there is not made. Redis is imported only where there is one.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from forwardauth.clock import Clock
from forwardauth.config.session import SQLITE
from forwardauth.doctor.case import Case
from forwardauth.doctor.findings import Finding, fail, ok, skip, warn
from forwardauth.doctor.seen import clock_finding
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.durability import Finding as RiskFinding
from forwardauth.sessions.stores.durability import Risk
from forwardauth.sessions.stores.factory import build_store, list_durability_findings

CHECK: Final = "session store"
DURABILITY: Final = "durability of Redis"
_MEMORY: Final = "memory:"
_SLOW_SECONDS: Final = 0.05
_ROUNDS: Final = 5


async def check_store(case: Case) -> list[Finding]:
    """Return how the store of the configuration does."""
    url = case.settings.session.store
    if url == _MEMORY:
        return [
            skip(
                CHECK,
                "memory: is seen by the service alone",
                f"set {case.place_of('session.store')} to sqlite: or redis: to keep"
                " people signed in over a restart",
            )
        ]
    path = Path(url.removeprefix(SQLITE))
    if url.startswith(SQLITE) and not await asyncio.to_thread(path.exists):
        # Opened, it would be made, and be the file of whoever runs the command.
        detail = f"{path} does not exist: the service has not run with this file"
        return [fail(CHECK, detail, "start the service, or name its configuration")]
    try:
        findings = [_judge_latency(await _latency(url, case.clock))]
        if not url.startswith(SQLITE):
            findings += await _check_redis(url, case.clock)
    except StoreUnavailableError as exc:
        remedy = f"see to it, or correct {case.place_of('session.store')}"
        return [fail(CHECK, str(exc), remedy)]
    return findings


async def _latency(url: str, clock: Clock) -> float:
    """Return the seconds of a write and its confirmation, in the middle of a few."""
    store, loop = build_store(url, clock), asyncio.get_running_loop()
    try:
        await store.ping()
        taken: list[float] = []
        for _ in range(_ROUNDS):
            start = loop.time()
            await store.ping()
            taken.append(loop.time() - start)
        return sorted(taken)[_ROUNDS // 2]
    finally:
        await store.close()


def _judge_latency(seconds: float) -> Finding:
    detail = f"writes and reads in {seconds * 1000:.1f} ms"
    if seconds < _SLOW_SECONDS:
        return ok(CHECK, detail)
    remedy = "move it nearer, or to a faster disk: verify asks it at every request"
    return warn(CHECK, detail, remedy)


async def _check_redis(url: str, clock: Clock) -> list[Finding]:
    """Return what is to be said of a store that has servers of its own."""
    from forwardauth.sessions.stores.redis_clocks import read_clocks  # noqa: PLC0415 - see laws

    before = clock.now()
    clocks = await read_clocks(url)
    now = before + (clock.now() - before) / 2
    findings = [
        clock_finding(f"Redis {server}", _moment_of(seconds) - now)
        for server, seconds in clocks.items()
    ]
    risks = await list_durability_findings(url)
    if not risks:
        findings.append(
            ok(DURABILITY, "no end of a session can be lost by its settings")
        )
    return [*findings, *map(judge_risk, risks)]


def judge_risk(risk: RiskFinding) -> Finding:
    """Return what could be lost as one of our findings; ends of sessions weigh most."""
    check = f"{DURABILITY} at {risk.server}"
    match risk.risk:
        case Risk.UNKNOWN:
            return skip(check, risk.reason, risk.remedy)
        case Risk.REVOCATIONS | Risk.SESSIONS | Risk.OUTAGE:
            return warn(check, risk.reason, risk.remedy)


def _moment_of(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
