"""What a figure has to reach, and what it aims at."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Two bounds of one figure.

    Attributes:
        must: What it has to reach.
        aim: What it would rather reach.
        is_most: Whether they are the most that it may be, instead of the least.
    """

    must: float
    aim: float
    is_most: bool = False

    def verdict(self, values: Sequence[float]) -> str:
        """Return in a word what the median of *values* reaches."""
        median = statistics.median(values)
        if self._is_met(median, self.aim):
            return "aim"
        return "yes" if self._is_met(median, self.must) else "no"

    def _is_met(self, value: float, bound: float) -> bool:
        return value <= bound if self.is_most else value >= bound
