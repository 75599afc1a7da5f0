"""Counters in the text format of Prometheus, as its client library writes it.

Apart from the handler, which imports this with the first scrape: what only a scrape
needs is no part of a start.
"""

import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import accumulate
from operator import attrgetter
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from forwardauth.web.metrics import Family, Metrics, Totals
from forwardauth.web.readiness import ConfigState
from forwardauth.web.shared_counts import SUPERVISOR, CountingProcess

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_INFINITY: Final = "+Inf"
_SUPERVISOR_LABEL: Final = "supervisor"
_VERSION: Final = version("forwardauth")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is so at the moment of a scrape.

    Attributes:
        is_ready: What ``/readyz`` answers.
        sessions: How many the store holds, ``None`` when it does not answer.
        revocations: How many it has still to confirm, ``None`` when nobody can tell.
        config: What became of the configuration.
    """

    is_ready: bool
    sessions: int | None
    revocations: int | None
    config: ConfigState


def expose(counted: Metrics, state: State) -> bytes:
    """Return all metrics as the body of an answer of ``CONTENT_TYPE``.

    Args:
        counted: What the workers have counted.
        state: What is so at this moment.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(counted, state))
    return generate_latest(registry)


class _Collector(Collector):
    """Our counters in the client library's terms."""

    def __init__(self, counted: Metrics, state: State) -> None:
        self._counted = counted
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its samples."""
        totals = self._counted.totals()
        for name, family in self._counted.families.items():
            yield _sum_up(name, family, totals)
        yield from _describe(self._state)
        processes = self._counted.processes()
        workers = sum(each.worker != SUPERVISOR for each in processes)
        yield _gauge("forwardauth_workers", "Workers that live.", workers)
        yield _build_info()
        yield from _measure(processes)


def _sum_up(name: str, family: Family, totals: Totals) -> Metric:
    if not family.bounds:
        counter = CounterMetricFamily(name, family.text, labels=family.labels)
        for labels, count in totals.samples(name):
            counter.add_metric(labels, count)
        if not family.labels and not counter.samples:
            counter.add_metric((), 0)
        return counter
    histogram = HistogramMetricFamily(name, family.text, labels=family.labels)
    bounds = [*map(str, family.bounds), _INFINITY]
    for labels, found in totals.histograms(name):
        buckets = list(zip(bounds, accumulate(found.counts), strict=True))
        histogram.add_metric(labels, buckets, sum_value=found.seconds)
    return histogram


def _describe(state: State) -> Iterator[Metric]:
    yield _gauge("forwardauth_ready", "What /readyz answers.", state.is_ready)
    up = state.sessions is not None
    yield _gauge("forwardauth_store_up", "Whether the store answers.", up)
    if state.sessions is not None:
        text = "Sessions that the store holds."
        yield _gauge("forwardauth_sessions", text, state.sessions)
    if state.revocations is not None:
        text = "Logouts that the store has still to confirm."
        yield _gauge("forwardauth_revocations_waiting", text, state.revocations)
    text = "Whether the configuration was taken when it was last read."
    taken = state.config.refused is None
    yield _gauge("forwardauth_config_last_reload_successful", text, taken)
    text = "When the configuration that counts was taken, in seconds since 1970."
    since = state.config.since.timestamp()
    yield _gauge(
        "forwardauth_config_last_reload_success_timestamp_seconds", text, since
    )
    text = "The number of the configuration that counts, more with each that is taken."
    yield _gauge("forwardauth_config_generation", text, state.config.generation)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _build_info() -> Metric:
    built = GaugeMetricFamily(
        "forwardauth_build_info",
        "Always 1; the labels say what runs.",
        labels=("version", "python"),
    )
    built.add_metric((_VERSION, platform.python_version()), 1)
    return built


def _measure(processes: Iterable[CountingProcess]) -> Iterable[Metric]:
    """Return what the system knows of each process, with a label that says which.

    Nothing where the system has no ``/proc``, or does not let us look.
    """
    families: dict[str, Metric] = {}
    for process in sorted(processes, key=attrgetter("worker")):
        is_parent = process.worker == SUPERVISOR
        labels = {"worker": _SUPERVISOR_LABEL if is_parent else str(process.worker)}
        for each in ProcessCollector(
            pid=partial(int, process.pid), registry=None
        ).collect():
            empty = Metric(each.name, each.documentation, each.type)
            family = families.setdefault(each.name, empty)
            for sample in each.samples:
                family.add_sample(sample.name, labels, sample.value)
    return families.values()
