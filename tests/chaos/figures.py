"""What the kernel tells of the processes of a service, and whether it is flat."""

import re
import statistics
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

_PSS: Final = re.compile(r"^Pss: +([0-9]+) kB$", re.MULTILINE)
_SETTLING: Final = 1 / 3
"""The part of a run in which caches and pools fill; what comes after has to be flat."""


def pss_megabytes(pids: Sequence[int]) -> float:
    """Return the memory of *pids* together; what they share counts once."""
    return sum(_pss_kilobytes(pid) for pid in pids) / 1_000


def _pss_kilobytes(pid: int) -> int:
    found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8"))
    assert found is not None, f"the kernel does not tell the memory of {pid}"
    return int(found[1])


def count_files(pids: Sequence[int]) -> int:
    """Return how many files *pids* have open."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)


def count_threads(pids: Sequence[int]) -> int:
    """Return how many threads *pids* have."""
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in pids)


def settled(series: Sequence[float]) -> Sequence[float]:
    """Return *series* without its first third."""
    return series[int(len(series) * _SETTLING) :]


def growth(series: Sequence[float]) -> float:
    """Return by how much *series* grew from its first third to its end.

    The slope is the median of all slopes between two of its points (Theil and Sen): a
    single sample that was taken at a bad moment changes nothing.
    """
    rest = settled(series)
    slopes = [
        (later - earlier) / (second - first)
        for (first, earlier), (second, later) in combinations(enumerate(rest), 2)
    ]
    return statistics.median(slopes) * (len(rest) - 1) if slopes else 0.0


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value below which *part* of *values* lies, 0 without any."""
    return sorted(values)[int(len(values) * part)] if values else 0.0
