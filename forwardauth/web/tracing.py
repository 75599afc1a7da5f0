"""Spans of OpenTelemetry: one for each traced request, one for each call of the store.

    traceparent of a trusted proxy ─► span of the request ─► spans of the store ─► OTLP

This is the home of OpenTelemetry, whose packages are those of the extra ``otel``; it is
imported where tracing is wanted, and nowhere else. What is sent where is up to the
standard variables ``OTEL_*``.

Laws: a span has names of ours, a method and a status. It has no path, no query, no
header, no address and nobody's name. Nobody waits for a collector: spans are sent by a
thread of their own, and dropped when they cannot be. Verify is traced where the proxy
says that it records the trace: its short way, where everybody else is answered, has no
room for spans.
"""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)

from forwardauth.adapters.headers import is_trusted
from forwardauth.clock import Clock
from forwardauth.errors import UntrustedProxyError
from forwardauth.sessions.metered_store import StoreOutcome
from forwardauth.web import keys
from forwardauth.web.forwarded import get_peer
from forwardauth.web.trace_parent import HEADER, TraceParent, parse_trace_parent

_NAME: Final = "forwardauth"
_FLUSH_SECONDS: Final = 2.0
"""What a stop waits for the last spans to be sent."""

_VERIFY: Final = ("/verify/", "/api/authz/")
"""What the paths of all adapters begin with."""

_FAULT: Final = 500
_NANOSECONDS: Final = 1_000_000_000

_log = logging.getLogger(__name__)


class Tracing:
    """Makes and sends the spans of one worker."""

    def __init__(self, clock: Clock) -> None:
        """Send nothing before ``run``: the thread for it must not be forked."""
        self._clock = clock
        self._tracer: Tracer = trace.NoOpTracer()

    async def run(self, _app: object) -> AsyncIterator[None]:
        """Send spans while the application runs."""
        try:
            provider = _create_provider()
        except ValueError as exc:
            _log.warning("no traces are sent: a variable OTEL_* is wrong: %s", exc)
            yield
            return
        self._tracer = provider.get_tracer(_NAME, version(_NAME))
        _log.info("traces are sent")
        yield
        self._tracer = trace.NoOpTracer()
        await _shut_down(provider)

    @web.middleware
    async def trace_requests(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Answer as *handler* does, within a span where the request is traced."""
        parent = _lookup_parent(request)
        route = _route_of(request)
        if parent is None and _is_verify(request, route):
            return await handler(request)
        with self._tracer.start_as_current_span(
            f"{request.method} {route}" if route else request.method,
            context=None if parent is None else _context_of(parent),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": request.method, "http.route": route},
            record_exception=False,
        ) as span:
            response = await handler(request)
            _conclude(span, response.status)
            return response

    def observe_store(
        self, operation: str, outcome: StoreOutcome, seconds: float
    ) -> None:
        """Add the span of a call that has just ended, if its request is traced."""
        if not trace.get_current_span().is_recording():
            return
        end = round(self._clock.now().timestamp() * _NANOSECONDS)
        span = self._tracer.start_span(
            f"store {operation}",
            kind=SpanKind.CLIENT,
            start_time=end - int(seconds * _NANOSECONDS),
            attributes={"forwardauth.store.outcome": outcome.value},
        )
        if outcome is not StoreOutcome.OK:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)


def _create_provider() -> TracerProvider:
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _resource() -> Resource:
    told = {"service.version": version(_NAME)}
    named = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if "OTEL_SERVICE_NAME" not in os.environ and "service.name=" not in named:
        told["service.name"] = _NAME
    return Resource.create(told)


def _lookup_parent(request: web.Request) -> TraceParent | None:
    """Return the span of the proxy that *request* belongs to, if one may say so."""
    parent = parse_trace_parent(request.headers.getall(HEADER, []))
    if parent is None:
        return None
    try:
        peer = get_peer(request)
    except UntrustedProxyError:
        return None
    trusted = request.app[keys.SETTINGS].trusted_proxies
    return parent if is_trusted(peer, trusted) else None


def _context_of(parent: TraceParent) -> Context:
    flags = TraceFlags.SAMPLED if parent.is_sampled else TraceFlags.DEFAULT
    context = SpanContext(
        trace_id=int(parent.trace_id, 16),
        span_id=int(parent.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(flags),
    )
    return trace.set_span_in_context(NonRecordingSpan(context))


def _route_of(request: web.Request) -> str:
    """Return the pattern of the path, empty where there is none: never the path."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


def _is_verify(request: web.Request, route: str) -> bool:
    base = request.app[keys.SETTINGS].base_path
    return route.startswith(tuple(base + each for each in _VERIFY))


def _conclude(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= _FAULT:
        span.set_status(Status(StatusCode.ERROR))


async def _shut_down(provider: TracerProvider) -> None:
    """Send what is left, without waiting for a collector that does not take it."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def shut_down() -> None:
        provider.shutdown()
        with contextlib.suppress(RuntimeError):  # The loop may be closed by then.
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=shut_down, daemon=True).start()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FLUSH_SECONDS):
            await done.wait()
