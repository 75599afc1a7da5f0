"""Counters in the text format of Prometheus, as its client library writes it.

Apart from the handler, which imports this with the first scrape: what only a scrape
needs is no part of a start.
"""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forwardauth.web.metrics import HELP, Metrics

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


def expose(counted: Metrics, sessions: int | None) -> bytes:
    """Return all metrics as the body of an answer of ``CONTENT_TYPE``.

    Args:
        counted: What this worker has counted.
        sessions: How many the store holds, ``None`` when it does not answer.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(counted, sessions))
    return generate_latest(registry)


class _Collector(Collector):
    """Our counters in the client library's terms."""

    def __init__(self, counted: Metrics, sessions: int | None) -> None:
        self._counted = counted
        self._sessions = sessions

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its samples."""
        for name, (text, labels) in HELP.items():
            family = CounterMetricFamily(name, text, labels=labels)
            for values, count in self._counted.samples(name):
                family.add_metric(values, count)
            yield family
        up = GaugeMetricFamily("forwardauth_store_up", "Whether the store answers.")
        up.add_metric((), 0 if self._sessions is None else 1)
        yield up
        if self._sessions is not None:
            kept = GaugeMetricFamily(
                "forwardauth_sessions", "Sessions that the store holds."
            )
            kept.add_metric((), self._sessions)
            yield kept
