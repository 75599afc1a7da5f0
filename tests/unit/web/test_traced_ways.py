"""Which requests leave the short way where traces are sent."""

from pathlib import Path

import pytest

from forwardauth.web import keys
from forwardauth.web.traced_ways import TracedAwaitedWay, TracedShortWay
from tests.support.deferred_store import DeferredStore
from tests.support.portal import Portal
from tests.support.ways import NAVIGATION, question

PARENT = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"
PEER = "127.0.0.1"


@pytest.fixture(autouse=True)
def _asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let operators ask for traces; nothing is sent, as nothing is recorded."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")


def ask(*more: str) -> bytes:
    """Return what a proxy asks for somebody who has to sign in."""
    return question("traefik", "app.example.com", "/", "GET", *NAVIGATION, *more)


async def test_recorded_request_takes_the_normal_way(tmp_path: Path) -> None:
    """Everybody else is answered at once, as without traces."""
    async with Portal(tmp_path) as portal:
        way = portal.app[keys.SHORT_WAY]

        assert isinstance(way, TracedShortWay)
        assert way.answer(ask(PARENT + "01"), PEER) is None
        assert way.answer(ask(PARENT + "00"), PEER) is not None
        assert way.answer(ask(), PEER) is not None


async def test_recorded_request_takes_the_normal_way_on_a_network(
    tmp_path: Path,
) -> None:
    """The same where the store answers later."""
    async with Portal(tmp_path, store=DeferredStore()) as portal:
        way = portal.app[keys.SHORT_WAY]

        assert isinstance(way, TracedAwaitedWay)
        assert way.ask(ask(PARENT + "01"), PEER, lambda *_: None) is None
        assert way.ask(ask(PARENT + "00"), PEER, lambda *_: None) is not None
        assert way.ask(ask(), PEER, lambda *_: None) is not None
