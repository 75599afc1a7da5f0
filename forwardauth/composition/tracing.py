"""Whether traces are sent, by the variables that OpenTelemetry has for it.

Law: where they are not wanted nothing of OpenTelemetry is imported.

Source: OpenTelemetry Environment Variable Specification, General SDK Configuration and
Exporter Selection.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from importlib import import_module
from typing import Final, Protocol, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from forwardauth.clock import Clock
from forwardauth.sessions.metered_store import StoreOutcome

_EXPORTER: Final = "OTEL_TRACES_EXPORTER"
_ENDPOINTS: Final = (
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
)
_PROTOCOLS: Final = (
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
)
_PROTOCOL: Final = "http/protobuf"
_OTLP: Final = "otlp"

_log = logging.getLogger(__name__)


class Tracing(Protocol):
    """What makes spans; see ``web.tracing``."""

    def run(self, _app: object) -> AsyncIterator[None]:
        """Send spans while the application runs."""
        ...

    async def trace_requests(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Answer within a span; a middleware."""
        ...

    def observe_store(
        self, operation: str, outcome: StoreOutcome, seconds: float
    ) -> None:
        """Add the span of a call of the store."""
        ...


def lookup_tracing(environ: Mapping[str, str], clock: Clock) -> Tracing | None:
    """Return what makes spans, ``None`` where *environ* does not ask for them.

    What asks for them and cannot be had is told in the log: nobody is refused for it.
    """
    if not _is_wanted(environ):
        return None
    said = next((environ[name] for name in _PROTOCOLS if environ.get(name)), _PROTOCOL)
    if said != _PROTOCOL:
        _log.warning("no traces are sent: they are sent by %s alone", _PROTOCOL)
        return None
    try:
        module = import_module("forwardauth.web.tracing")
    except ImportError:
        _log.warning("no traces are sent: pip install 'forwardauth[otel]' brings them")
        return None
    except ValueError as exc:
        _log.warning("no traces are sent: a variable OTEL_* is wrong: %s", exc)
        return None
    return cast("Tracing", module.Tracing(clock))


def _is_wanted(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environ.get(_EXPORTER)
    if exporter:
        return exporter == _OTLP
    return any(environ.get(name) for name in _ENDPOINTS)
