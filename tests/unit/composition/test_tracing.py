"""Whether traces are sent: the standard variables decide."""

import sys

import pytest

from forwardauth.composition.tracing import lookup_tracing
from tests.support.clock import FakeClock

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    "environ",
    [
        ENDPOINT,
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"},
        {"OTEL_TRACES_EXPORTER": "otlp"},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "false"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": ""},
        {**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
    ],
    ids=repr,
)
def test_variables_ask_for_traces(environ: dict[str, str]) -> None:
    """An endpoint, or the exporter by name."""
    assert lookup_tracing(environ, FakeClock()) is not None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_SERVICE_NAME": "login"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_TRACES_EXPORTER": "none", **ENDPOINT},
        {"OTEL_TRACES_EXPORTER": "console", **ENDPOINT},
        {"OTEL_SDK_DISABLED": "TRUE", **ENDPOINT},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:4318/v1/metrics"},
    ],
    ids=repr,
)
def test_other_variables_do_not(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither those of other signals nor a switch that says no."""
    assert lookup_tracing(environ, FakeClock()) is None
    assert caplog.messages == []


def test_another_protocol_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """The service serves, and says why nothing comes."""
    environ = {**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}

    assert lookup_tracing(environ, FakeClock()) is None
    (message,) = caplog.messages
    assert "http/protobuf" in message


def test_packages_that_are_missing_are_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The service serves, and says what to install."""
    monkeypatch.delitem(sys.modules, "forwardauth.web.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    assert lookup_tracing(ENDPOINT, FakeClock()) is None
    (message,) = caplog.messages
    assert "forwardauth[otel]" in message
