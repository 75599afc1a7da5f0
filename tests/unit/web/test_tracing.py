"""Spans, as a collector gets them: whose they are, and what they do not hold."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import NAVIGATION
from tests.support.collector import Collector, attributes_of
from tests.support.log_lines import parse
from tests.support.portal import PASSWORD, Portal
from tests.support.stores import DownStore

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = ("traceparent", f"00-{TRACE}-{SPAN}-01")
UNSAMPLED = ("traceparent", f"00-{TRACE}-{SPAN}-00")
SERVER, CLIENT, ERROR = 2, 3, 2


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the service is told of as operators tell it."""
    with Collector() as listening:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", listening.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield listening


async def test_verify_is_traced_below_the_span_of_the_proxy(
    tmp_path: Path, collector: Collector
) -> None:
    """One span for the request, one for the look-up in the store below it."""
    async with Portal(tmp_path) as portal:
        token, _ = await portal.create_session()
        reply = await portal.verify(token, headers=[SAMPLED])

    assert reply.status == 200
    load, request = collector.spans()
    assert request.trace_id.hex() == load.trace_id.hex() == TRACE
    assert request.parent_span_id.hex() == SPAN
    assert load.parent_span_id == request.span_id
    assert (request.name, request.kind) == ("GET /verify/traefik", SERVER)
    assert (load.name, load.kind) == ("store load", CLIENT)
    assert attributes_of(request) == {
        "http.request.method": "GET",
        "http.route": "/verify/traefik",
        "http.response.status_code": 200,
    }
    assert attributes_of(load) == {"forwardauth.store.outcome": "ok"}


async def test_collector_is_told_who_sends(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the name of the program, or by the one that operators give."""
    for name in ("forwardauth", "login"):
        if name == "login":
            monkeypatch.setenv("OTEL_SERVICE_NAME", name)
        async with Portal(tmp_path) as portal:
            await portal.verify(None, headers=[SAMPLED])

    names = [attributes_of(each.resource) for each in collector.resources()]
    assert [each["service.name"] for each in names] == ["forwardauth", "login"]
    assert all(each["service.version"] for each in names)
    assert set(collector.content_types) == {"application/x-protobuf"}


async def test_verify_of_no_recorded_trace_has_no_span(
    tmp_path: Path, collector: Collector
) -> None:
    """Neither one that is not sampled nor one without a trace costs its short way."""
    async with Portal(tmp_path) as portal:
        token, _ = await portal.create_session()
        for headers in ([UNSAMPLED], []):
            for adapter in ("traefik", "nginx", "envoy"):
                await portal.verify(token, adapter=adapter, headers=headers)
                await portal.verify("junk", adapter=adapter, headers=headers)

    assert collector.spans() == []


async def test_portal_begins_traces_of_its_own(
    tmp_path: Path, collector: Collector
) -> None:
    """By route, never by path; what the store did for it stands below."""
    body = f'{{"username": "alice", "password": "{PASSWORD}"}}'.encode()
    async with Portal(tmp_path) as portal:
        await portal.post_json("/api/firstfactor", body)
        await portal.send("GET", "/secret-path?secret-query")

    login, missing = [each for each in collector.spans() if each.kind == SERVER]
    below = [each for each in collector.spans() if each.kind == CLIENT]
    assert login.name == "POST /api/firstfactor"
    assert attributes_of(login)["http.response.status_code"] == 200
    assert not login.parent_span_id
    assert "store create" in {each.name for each in below}
    assert {each.trace_id for each in below} == {login.trace_id}
    assert missing.name == "GET"
    assert attributes_of(missing)["http.route"] == ""


async def test_stranger_is_of_no_trace(tmp_path: Path, collector: Collector) -> None:
    """What an untrusted peer says about traces is not believed."""
    extra = "server: {trusted_proxies: [192.0.2.1/32]}\n"
    async with Portal(tmp_path, extra=extra) as portal:
        await portal.send("GET", "/login", headers=[SAMPLED])

    (span,) = [each for each in collector.spans() if each.kind == SERVER]
    assert span.trace_id.hex() != TRACE
    assert not span.parent_span_id


async def test_outage_is_an_error_of_both_spans(
    tmp_path: Path, collector: Collector
) -> None:
    """Whoever looks at the trace sees where it failed."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        token, _ = await portal.create_session()
        store.go_down()
        reply = await portal.verify(token, headers=[SAMPLED])
        store.come_back()

    assert reply.status == 503
    load, request = (each for each in collector.spans() if each.trace_id.hex() == TRACE)
    assert (load.status.code, request.status.code) == (ERROR, ERROR)
    assert attributes_of(load) == {"forwardauth.store.outcome": "unavailable"}
    assert [*load.events, *request.events] == []


async def test_no_span_holds_a_secret(tmp_path: Path, collector: Collector) -> None:
    """Neither who, nor what for, nor by which session (V-48)."""
    body = f'{{"username": "alice", "password": "{PASSWORD}"}}'.encode()
    async with Portal(tmp_path) as portal:
        token, session = await portal.create_session()
        await portal.verify(
            token, adapter="envoy", uri="/hidden?key=s3cret", headers=[SAMPLED]
        )
        await portal.verify(
            token, host="ops.example.com", headers=[*NAVIGATION, SAMPLED]
        )
        await portal.post_json("/api/firstfactor", body, headers=[SAMPLED])
        await portal.send("DELETE", f"/api/sessions/{session.handle}", cookie=token)
        await portal.send("GET", "/logout?rd=https://evil.test/", cookie=token)

    sent = b"".join(collector.bodies)
    assert len(collector.spans()) > 5
    for word in (token, session.handle, PASSWORD, "alice", "ops.", "hidden", "s3cret"):
        assert word.encode() not in sent
    assert b"evil" not in sent
    assert b"127.0.0.1" not in sent


async def test_lines_carry_the_id_of_the_trace(
    tmp_path: Path, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """From a line to its trace; a name that the proxy gives comes first."""
    named = ("X-Request-ID", "7f00-1")
    caplog.set_level(logging.INFO, "forwardauth.verify")
    async with Portal(tmp_path) as portal:
        await portal.verify(None, headers=[*NAVIGATION, SAMPLED])
        await portal.verify(None, headers=[*NAVIGATION, UNSAMPLED])
        await portal.verify(None, headers=[*NAVIGATION, SAMPLED, named])

    told = [parse(message).get("request_id") for message in caplog.messages]
    assert told == [TRACE, TRACE, "7f00-1"]
    assert collector.spans()


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_BSP_MAX_QUEUE_SIZE", "0"), ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many")],
)
async def test_variable_that_is_wrong_is_told(
    tmp_path: Path,
    collector: Collector,
    caplog: pytest.LogCaptureFixture,
    name: str,
    value: str,
) -> None:
    """The service serves without traces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        async with Portal(tmp_path) as portal:
            reply = await portal.verify(None, headers=[SAMPLED])

    assert reply.status == 401
    assert "no traces are sent" in caplog.text
    assert collector.spans() == []


async def test_nobody_waits_for_a_collector_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests are answered, and a stop takes seconds at most."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    began = time.monotonic()
    async with Portal(tmp_path) as portal:
        reply = await portal.verify(None, headers=[SAMPLED])

    assert reply.status == 401
    assert time.monotonic() - began < 8
