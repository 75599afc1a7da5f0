"""Settings that can lose what was acknowledged are named, with the line to change."""

from dataclasses import replace
from typing import Any, Final, TypeAlias

import pytest

from forwardauth.sessions.stores.durability import (
    Finding,
    PrimaryFacts,
    Risk,
    judge,
)

SAFE: Final = PrimaryFacts(
    server="redis:6379",
    is_replaceable=True,
    awaited=1,
    replicas=1,
    is_logging=True,
    fsync="always",
    save="",
    max_memory=0,
    eviction="noeviction",
    min_replicas=1,
)
ALONE: Final = replace(
    SAFE, is_replaceable=False, awaited=0, replicas=0, min_replicas=0
)

Case: TypeAlias = tuple[PrimaryFacts, dict[str, Any], list[tuple[Risk, str]]]

OTHERS: Final[dict[str, Case]] = {
    "evicts": (
        SAFE,
        {"max_memory": 1 << 30, "eviction": "allkeys-lru"},
        [(Risk.REVOCATIONS, "maxmemory-policy noeviction")],
    ),
    "would-evict-but-has-no-limit": (SAFE, {"eviction": "allkeys-lru"}, []),
    "limit-without-eviction": (SAFE, {"max_memory": 1 << 30}, []),
    "snapshots-alone": (
        ALONE,
        {"is_logging": False, "save": "3600 1 300 100"},
        [(Risk.REVOCATIONS, "appendonly yes")],
    ),
    "nothing-on-disk": (
        ALONE,
        {"is_logging": False},
        [(Risk.SESSIONS, "appendonly yes")],
    ),
    "fsync-every-second": (
        ALONE,
        {"fsync": "everysec"},
        [(Risk.REVOCATIONS, "appendfsync always")],
    ),
    "fsync-never": (
        SAFE,
        {"fsync": "no"},
        [(Risk.REVOCATIONS, "appendfsync always")],
    ),
    "cut-off-primary-writes": (
        SAFE,
        {"min_replicas": 0},
        [(Risk.REVOCATIONS, "min-replicas-to-write 1")],
    ),
    "replica-behind-one-address": (
        ALONE,
        {"replicas": 1},
        [
            (Risk.REVOCATIONS, "min-replicas-to-write 1"),
            (Risk.REVOCATIONS, "replicas=1"),
        ],
    ),
    "nothing-to-promote": (
        SAFE,
        {"replicas": 0, "min_replicas": 0},
        [
            (Risk.REVOCATIONS, "min-replicas-to-write"),
            (Risk.OUTAGE, "bring the replicas back"),
            (Risk.OUTAGE, "add a replica"),
        ],
    ),
    "nobody-waits-for-replicas": (
        SAFE,
        {"awaited": 0},
        [(Risk.REVOCATIONS, "replicas=1")],
    ),
    "writes-refused": (
        ALONE,
        {"min_replicas": 1},
        [(Risk.OUTAGE, "bring the replicas back")],
    ),
    "settings-hidden": (
        SAFE,
        {"fsync": None, "save": None, "min_replicas": None},
        [(Risk.UNKNOWN, "+config|get")],
    ),
    "snapshots-unknown": (
        ALONE,
        {"is_logging": False, "save": None},
        [(Risk.REVOCATIONS, "appendonly yes"), (Risk.UNKNOWN, "+config|get")],
    ),
}


@pytest.mark.parametrize("facts", [SAFE, ALONE], ids=["replaceable", "alone"])
def test_nothing_is_said_about_what_loses_nothing(facts: PrimaryFacts) -> None:
    """A finding is worth reading."""
    assert judge(facts) == []


@pytest.mark.parametrize(
    ("facts", "changes", "expected"), OTHERS.values(), ids=OTHERS.keys()
)
def test_what_can_be_lost_is_named_with_its_remedy(
    facts: PrimaryFacts, changes: dict[str, Any], expected: list[tuple[Risk, str]]
) -> None:
    """Each finding says what could happen and which line prevents it."""
    found = judge(replace(facts, **changes))

    assert [each.risk for each in found] == [risk for risk, _ in expected]
    for finding, (_, remedy) in zip(found, expected, strict=True):
        assert remedy in finding.remedy


def test_server_that_tells_nothing_is_a_finding() -> None:
    """Silence is told as such, once, with every command that was refused."""
    (finding,) = judge(PrimaryFacts(server="redis:6379", is_replaceable=False))

    assert finding.risk is Risk.UNKNOWN
    assert "INFO and CONFIG GET" in finding.reason


def test_worst_comes_first() -> None:
    """Ended sessions that could live again come before everything else."""
    facts = replace(SAFE, replicas=0, fsync="no", max_memory=1, eviction="volatile-lru")

    risks = [finding.risk for finding in judge(facts)]

    assert risks == sorted(risks, key=list(Risk).index)
    assert risks[0] is Risk.REVOCATIONS


def test_finding_reads_as_one_line() -> None:
    """Whoever prints it has the server, the reason and the remedy."""
    finding = Finding(
        risk=Risk.OUTAGE, server="a:1", reason="it stops", remedy="start it"
    )

    assert str(finding) == "a:1: it stops; start it"
