"""Whether a Redis set-up can lose what it has acknowledged, and what to change.

Laws: a finding says what could happen and the line that prevents it. What the server
did not tell is a finding of its own, never silence. Nothing here does I/O;
``redis_durability`` asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

_NO_EVICTION: Final = "noeviction"
_LOST_BY_FSYNC: Final = {"everysec": "second", "no": "half minute"}
_BYTES_FOR_A_SESSION: Final = "about 2 KB"


class Risk(StrEnum):
    """What a finding is about, the worst first."""

    REVOCATIONS = "revocations"
    """A session that was ended, and told to be, could live again."""

    SESSIONS = "sessions"
    """Live sessions could be gone: people sign in again."""

    OUTAGE = "outage"
    """The store could refuse to serve."""

    UNKNOWN = "unknown"
    """The server does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about a server that works, and is seldom meant.

    Attributes:
        risk: What could happen.
        server: Host and port.
        reason: What is so, and what comes of it: lower case, no full stop.
        remedy: What to do about it, in the imperative.
    """

    risk: Risk
    server: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        """Return ``server: reason; remedy``, on one line."""
        return f"{self.server}: {self.reason}; {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryFacts:
    """What a primary tells of itself; ``None`` is what it did not tell.

    Attributes:
        server: Host and port.
        is_replaceable: Whether something promotes a replica when it is gone.
        awaited: How many replicas we wait for, before an end is told as done.
        replicas: How many follow it now.
        is_logging: ``appendonly``.
        fsync: ``appendfsync``.
        save: When snapshots are taken, as ``save`` spells it; empty for never.
        max_memory: ``maxmemory`` in bytes, 0 for no limit.
        eviction: ``maxmemory-policy``.
        min_replicas: ``min-replicas-to-write``.
    """

    server: str
    is_replaceable: bool
    awaited: int = 0
    replicas: int | None = None
    is_logging: bool | None = None
    fsync: str | None = None
    save: str | None = None
    max_memory: int | None = None
    eviction: str | None = None
    min_replicas: int | None = None


def judge(facts: PrimaryFacts) -> list[Finding]:
    """Return what to know about one primary, the worst first."""
    found = [
        Finding(risk=risk, server=facts.server, reason=reason, remedy=remedy)
        for part in (_judge_memory, _judge_disk, _judge_replicas, _judge_silence)
        for risk, reason, remedy in part(facts)
    ]
    return sorted(found, key=lambda finding: list(Risk).index(finding.risk))


_Part: TypeAlias = Iterator[tuple[Risk, str, str]]


def _judge_memory(facts: PrimaryFacts) -> _Part:
    if facts.max_memory and facts.eviction not in (None, _NO_EVICTION):
        reason = (
            f"maxmemory-policy is {facts.eviction}: when memory is short, the index "
            "goes by which the sessions of a user are ended, and they live on"
        )
        remedy = (
            f"set maxmemory-policy {_NO_EVICTION}, and maxmemory to more than "
            f"{_BYTES_FOR_A_SESSION} for each session"
        )
        yield Risk.REVOCATIONS, reason, remedy


def _judge_disk(facts: PrimaryFacts) -> _Part:
    if facts.is_logging is False and facts.save == "":
        reason = "appendonly is no and save is empty: a restart signs everybody out"
        yield Risk.SESSIONS, reason, "set appendonly yes"
    elif facts.is_logging is False:
        reason = (
            "appendonly is no: after a restart, the sessions that ended since the last "
            "snapshot live again"
        )
        yield Risk.REVOCATIONS, reason, "set appendonly yes"
    elif facts.fsync in _LOST_BY_FSYNC:
        reason = (
            f"appendfsync is {facts.fsync}: after a loss of power, the sessions that "
            f"ended in the last {_LOST_BY_FSYNC[facts.fsync]} live again"
        )
        yield Risk.REVOCATIONS, reason, "set appendfsync always"


def _judge_replicas(facts: PrimaryFacts) -> _Part:
    replicas, wanted = facts.replicas, facts.min_replicas
    if replicas is not None and wanted is not None and wanted > replicas:
        reason = (
            f"min-replicas-to-write is {wanted} and {replicas} follow: the server "
            "refuses to write, so that nobody can sign in or out"
        )
        yield Risk.OUTAGE, reason, "bring the replicas back"
    if replicas is not None and facts.awaited > replicas:
        reason = (
            f"session.store waits for replicas={facts.awaited} and {replicas} follow: "
            "every logout is told as pending"
        )
        yield Risk.OUTAGE, reason, "bring the replicas back, or lower the number"
    if facts.is_replaceable and replicas == 0:
        reason = "no replica follows: nothing takes the place of this server"
        yield Risk.OUTAGE, reason, "add a replica"
    if (facts.is_replaceable or replicas) and wanted == 0:
        reason = (
            "min-replicas-to-write is 0: a primary that is cut off from its replicas "
            "goes on to end sessions, which live again when it has been replaced"
        )
        remedy = "set min-replicas-to-write 1 and min-replicas-max-lag 10"
        yield Risk.REVOCATIONS, reason, remedy
    if (facts.is_replaceable or replicas) and facts.awaited == 0:
        reason = (
            "an end is told as done before a replica has it: if the primary is lost at "
            "that moment, the session lives until it is ended again, seconds later"
        )
        yield Risk.REVOCATIONS, reason, "add replicas=1 to the URL of session.store"


def _judge_silence(facts: PrimaryFacts) -> _Part:
    asked = {
        "INFO": (facts.replicas, facts.is_logging, facts.max_memory, facts.eviction),
        "CONFIG GET": (facts.fsync, facts.save, facts.min_replicas),
    }
    silent = [command for command, told in asked.items() if None in told]
    if silent:
        reason = (
            f"does not answer {' and '.join(silent)}, so nobody can tell whether "
            "sessions that have ended could live again"
        )
        remedy = (
            "let the user of session.store have +info and +config|get, or compare "
            "the server's settings with docs/scaling.md"
        )
        yield Risk.UNKNOWN, reason, remedy
