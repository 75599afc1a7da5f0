"""Counters of all workers: plain integers, exported when somebody asks.

Laws: no label holds a user, an address or a host; every label has few values. To count
is to add to an integer in memory that the workers share (``shared_counts``), by the
event loop of the worker alone: it costs nothing else and waits for nobody. What was
counted stays counted, also when the worker ends.
"""

import logging
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from forwardauth.web.shared_counts import (
    CountingProcess,
    NoPlaceError,
    Part,
    SharedCounts,
)

VERIFICATIONS: Final = "forwardauth_verifications"
LOGINS: Final = "forwardauth_logins"
BASIC: Final = "forwardauth_basic"
ENDED: Final = "forwardauth_sessions_ended"
PENDING: Final = "forwardauth_revocations_pending"
REFUSED_TARGETS: Final = "forwardauth_targets_refused"
NOTIFICATIONS: Final = "forwardauth_logout_notifications"
LOGOUTS: Final = "forwardauth_logouts"
STORE_LATENCY: Final = "forwardauth_store_operation_seconds"
RESTARTS: Final = "forwardauth_worker_restarts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What a metric counts.

    Attributes:
        text: For people who read the exposition.
        labels: Names of its labels, in the order in which they are given.
        bounds: Of a histogram: the upper bounds of its buckets in seconds, ascending,
            without infinity. Empty for a counter.
    """

    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


_STORE_BOUNDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
"""Memory answers below the first; the slowest store is given up after some seconds."""

FAMILIES: Final[Mapping[str, Family]] = {
    VERIFICATIONS: Family(
        text="Verify requests by adapter and outcome.", labels=("adapter", "outcome")
    ),
    LOGINS: Family(text="Sign-in attempts by result.", labels=("result",)),
    BASIC: Family(
        text="Basic credentials that were looked at, by result.", labels=("result",)
    ),
    ENDED: Family(text="Sessions ended by cause.", labels=("cause",)),
    PENDING: Family(text="Logouts that met a store that did not answer."),
    REFUSED_TARGETS: Family(
        text="Redirect targets refused by reason.", labels=("reason",)
    ),
    NOTIFICATIONS: Family(
        text="Applications told of a logout, by result.", labels=("result",)
    ),
    LOGOUTS: Family(text="Logout requests by what was answered.", labels=("result",)),
    STORE_LATENCY: Family(
        text="How long the session store took, by operation and outcome.",
        labels=("operation", "outcome"),
        bounds=_STORE_BOUNDS,
    ),
    RESTARTS: Family(text="Workers that died and were replaced."),
}

_NANOSECONDS: Final = 1_000_000_000
_SEPARATOR: Final = "\0"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How long something took, over all workers.

    Attributes:
        counts: How many fell into each bucket and no lower one, the one without a bound
            last.
        seconds: All together.
    """

    counts: tuple[int, ...]
    seconds: float


class Metrics:
    """What this worker counts, and what all have counted."""

    def __init__(
        self, part: Part | None = None, *, families: Mapping[str, Family] = FAMILIES
    ) -> None:
        """Count in *part*, or in memory of its own where no other process counts."""
        self._part = part or SharedCounts().claim(0)
        self._families = families
        self._words = self._part.counts.words
        self._places: dict[tuple[str, ...], int] = {}
        self._is_full = False

    @property
    def families(self) -> Mapping[str, Family]:
        """What may be counted, by name."""
        return self._families

    def count(self, name: str, *labels: str) -> None:
        """Add one to the counter *name* with *labels* in the order of its family."""
        try:
            self._words[self._places[name, *labels]] += 1
        except KeyError:
            place = self._place((name, *labels), 1)
            if place is not None:
                self._words[place] += 1

    def observe(self, name: str, seconds: float, *labels: str) -> None:
        """Add what took *seconds* to the histogram *name* with *labels*."""
        bounds = self._families[name].bounds
        place = self._places.get((name, *labels))
        if place is None:
            # A number for each bound, one for what is beyond them, and the sum.
            place = self._place((name, *labels), len(bounds) + 2)
            if place is None:
                return
        self._words[place + bisect_left(bounds, seconds)] += 1
        self._words[place + len(bounds) + 1] += int(max(seconds, 0) * _NANOSECONDS)

    def observe_store(self, operation: str, outcome: str, seconds: float) -> None:
        """Add a call of the session store that took *seconds*."""
        self.observe(STORE_LATENCY, seconds, operation, outcome)

    def totals(self) -> "Totals":
        """Return what all workers have counted until now."""
        return Totals(self._part.counts)

    def samples(self, name: str) -> list[tuple[tuple[str, ...], int]]:
        """Return the samples of one counter alone; see ``Totals``."""
        return self.totals().samples(name)

    def histograms(self, name: str) -> list[tuple[tuple[str, ...], Histogram]]:
        """Return the samples of one histogram alone; see ``Totals``."""
        return self.totals().histograms(name)

    def processes(self) -> list[CountingProcess]:
        """Return the processes that count together and live."""
        return self._part.counts.processes()

    def _place(self, key: tuple[str, ...], numbers: int) -> int | None:
        """Return where *key* is counted, ``None`` when there is no room for it."""
        if self._is_full:
            return None
        try:
            place = self._part.place(_SEPARATOR.join(key), numbers)
        except NoPlaceError:
            # A label has more values than our law allows; nobody is refused for that.
            _log.exception("no room for more labels, of %s for one", key[0])
            self._is_full = True
            return None
        self._places[key] = place
        return place


class Totals:
    """The sums of all workers, of one moment: read once, however much is asked."""

    def __init__(self, counts: SharedCounts) -> None:
        """Read *counts*."""
        found: defaultdict[str, list[tuple[int, ...]]] = defaultdict(list)
        for counted in counts.read():
            found[counted.name].append(counted.numbers)
        self._sums: defaultdict[str, dict[tuple[str, ...], list[int]]]
        self._sums = defaultdict(dict)
        for key, numbers in sorted(found.items()):
            name, *labels = key.split(_SEPARATOR)
            summed = [sum(each) for each in zip(*numbers, strict=True)]
            self._sums[name][tuple(labels)] = summed

    def samples(self, name: str) -> list[tuple[tuple[str, ...], int]]:
        """Return the label values of a counter with its counts, sorted."""
        return [(labels, numbers[0]) for labels, numbers in self._sums[name].items()]

    def histograms(self, name: str) -> list[tuple[tuple[str, ...], Histogram]]:
        """Return the label values of a histogram with what it holds, sorted."""
        return [
            (
                labels,
                Histogram(
                    counts=tuple(numbers[:-1]), seconds=numbers[-1] / _NANOSECONDS
                ),
            )
            for labels, numbers in self._sums[name].items()
        ]
