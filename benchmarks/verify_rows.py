"""The rows of ``verify``: what is held to what, and to which goal."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from benchmarks.figures import Row
from benchmarks.goals import Goal
from benchmarks.shares import OF_A_WORKER

Series = dict[str, list[float]]
"""What was measured of each subject, round by round."""

Pairs = dict[tuple[str, str], list[tuple[float, float]]]
"""Answers per second of a subject and, around it, of what it is held to, by round."""

OWN_TIME: Final = ", by its processor time"
"""Behind the name of a subject: answers for each second of that."""

_MEMORY_STORE: Final = Goal(must=0.40, aim=0.60)
_SQLITE: Final = Goal(must=0.30, aim=0.45)
_REDIS: Final = Goal(must=0.25, aim=0.45)
_BEHIND: Final = Goal(must=0.85, aim=0.95)
_PLAIN: Final = Goal(must=1.5, aim=2.5)
_WAIT: Final = Goal(must=3, aim=2, is_most=True)
_MEGABYTES: Final = Goal(must=70, aim=50, is_most=True)
_START: Final = Goal(must=0.7, aim=0.4, is_most=True)

# Title, subject, what it is held to, goal: each the answers per second.
_RATES: Final = (
    ("verify, memory store", "memory", "empty", _MEMORY_STORE),
    ("verify, memory store, each URL new", "memory, new", "empty, new", _MEMORY_STORE),
    ("verify, memory store, Traefik's headers", "traefik", "empty", _MEMORY_STORE),
    ("verify, SQLite store", "sqlite", "empty", _SQLITE),
    ("verify, SQLite store, each URL new", "sqlite, new", "empty, new", _SQLITE),
    ("verify, SQLite store, 100 commits a second", "sqlite, commits", "empty", None),
    ("verify, Redis store", "redis", "empty", _REDIS),
    ("verify, Redis store, each URL new", "redis, new", "empty, new", _REDIS),
    ("verify, memory store", "memory", "plain", _PLAIN),
    ("verify, SQLite store", "sqlite", "plain", _PLAIN),
    ("verify, Redis store", "redis", "plain", _PLAIN),
    ("anonymous, to the portal", "anonymous", "empty", Goal(must=0.35, aim=0.60)),
    ("behind auth_request, memory store", "before memory", "before empty", _BEHIND),
    ("behind auth_request, SQLite store", "before sqlite", "before empty", _BEHIND),
    ("behind auth_request, Redis store", "before redis", "before empty", _BEHIND),
    ("two workers, SQLite store", "two workers", "sqlite", Goal(must=1.8, aim=1.95)),
    (
        "two workers, SQLite store, by processor time",
        "two workers" + OWN_TIME,
        "sqlite" + OWN_TIME,
        None,
    ),
    (
        f"two workers, each with {OF_A_WORKER} of a core",
        "two workers' shares",
        "one worker's share",
        Goal(must=1.8, aim=1.95),
    ),
    ("two plain aiohttp applications", "two plain", "plain", None),
    ("client: requests in turn", "empty", "empty, one request", None),
)
_AGAINST: Final = {
    "empty": "nginx `return 204`",
    "empty, new": "nginx `return 204`",
    "plain": "plain aiohttp with a dict",
    "before empty": "the same nginx, asking the 204 server",
    "sqlite": "one worker",
    "sqlite" + OWN_TIME: "one worker",
    "one worker's share": "one worker with as much",
    "empty, one request": "one request again and again",
}
_WAITS: Final = (
    ("p99 at half the highest rate", "service", "empty", "the 204 server's p99"),
    ("p99 while logins hash", "logins", "quiet", "its p99 without logins"),
)


def held_to(names: Iterable[str]) -> dict[str, list[str]]:
    """Return which of the subjects *names* are held to each of them, in order."""
    known = {*names}
    found: dict[str, list[str]] = {}
    for _, subject, reference, _ in _RATES:
        if {subject, reference} <= known:
            found.setdefault(reference, []).append(subject)
    return found


def rate_rows(pairs: Pairs) -> list[Row]:
    """Return the rows about answers per second; none about what was not measured."""
    rows: list[Row] = []
    for title, subject, reference, goal in _RATES:
        found = pairs.get((subject, reference))
        if not found:
            continue
        rates, references = zip(*found, strict=True)
        rows.append(
            Row(
                title=title,
                against=_AGAINST[reference],
                values=_ratios(rates, references),
                goal=goal,
                measured=f"{_median(rates):,.0f} of {_median(references):,.0f}"
                " a second",
            )
        )
    return rows


def wait_rows(waits: Series) -> list[Row]:
    """Return the rows about the p99, which is measured in milliseconds."""
    return [
        Row(
            title=title,
            against=against,
            values=_ratios(waits[subject], waits[reference]),
            goal=_WAIT,
            measured=f"{_median(waits[subject]):.2f} of {_median(waits[reference]):.2f}"
            " ms",
        )
        for title, subject, reference, against in _WAITS
    ]


def memory_rows(megabytes: Mapping[str, float], sessions: int) -> list[Row]:
    """Return the rows about the memory of the service on each store."""
    return [
        Row(
            title=f"memory of a worker, {sessions:,} sessions, {name}",
            against="",
            values=[found],
            unit="MB",
            goal=_MEGABYTES,
        )
        for name, found in megabytes.items()
    ]


def start_row(seconds: Sequence[float], of_aiohttp: Sequence[float]) -> Row:
    """Return the row about the start, with what importing aiohttp takes of it."""
    return Row(
        title="start to first answer",
        against="",
        values=seconds,
        unit="s",
        goal=_START,
        measured=f"{_median(of_aiohttp):.2f} s of it to import aiohttp",
    )


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [each / other for each, other in zip(ours, theirs, strict=True)]


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)
