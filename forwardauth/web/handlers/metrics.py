"""``/metrics`` on the management listener, for Prometheus."""

from collections.abc import Iterator

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forwardauth.errors import StoreUnavailableError
from forwardauth.web import keys
from forwardauth.web.metrics import HELP, Metrics


async def metrics(request: web.Request) -> web.StreamResponse:
    """Answer what this worker has counted, and how many sessions the store holds."""
    try:
        sessions = await request.app[keys.STORE].count()
    except StoreUnavailableError:
        sessions = None
    registry = CollectorRegistry()
    registry.register(_Collector(request.app[keys.METRICS], sessions))
    return web.Response(
        body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


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
