"""What a service manager is told, by the datagrams that it gets."""

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from forwardauth.cli.service_manager import ServiceManager
from tests.support.notifications import Listener

WATCHED: Final = timedelta(microseconds=20_000)


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    """A manager that listens, on either kind of socket."""
    name = (
        str(tmp_path / "notify")
        if request.param == "path"
        else f"@forwardauth-{os.getpid()}-{tmp_path.name}"
    )
    with Listener(name) as opened:
        yield opened


def test_every_state_is_told(listener: Listener) -> None:
    """One datagram each, with a line for people, whatever kind the socket is of."""
    manager = ServiceManager.from_environment({"NOTIFY_SOCKET": listener.name})

    manager.status("starting")
    manager.ready("2 workers\nserve")
    manager.alive()
    manager.stopping()

    assert listener.received() == [
        {"STATUS": "starting"},
        {"READY": "1", "STATUS": "2 workers serve"},
        {"WATCHDOG": "1"},
        {"STOPPING": "1", "STATUS": "stopping"},
    ]


def test_reload_tells_when_it_began(listener: Listener) -> None:
    """The monotonic time, in microseconds, is in the message that says so."""
    manager = ServiceManager.from_environment({"NOTIFY_SOCKET": listener.name})
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

    manager.reloading()

    (told,) = listener.received()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert told["RELOADING"] == "1"
    assert before <= int(told["MONOTONIC_USEC"]) <= after


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "@"},
        {"NOTIFY_SOCKET": "relative/notify"},
        {"NOTIFY_SOCKET": "vsock:2:1234"},
        {"NOTIFY_SOCKET": "/nonexistent/notify"},
        {"NOTIFY_SOCKET": "/" + "x" * 200},
    ],
    ids=["none", "empty", "no name", "relative", "vsock", "nobody there", "too long"],
)
def test_nobody_who_listens_ends_nothing(environment: dict[str, str]) -> None:
    """Where there is no manager, or it is gone, the service goes on."""
    manager = ServiceManager.from_environment(environment)

    manager.ready("serving")
    manager.stopping()

    assert manager.watchdog is None


def test_manager_that_takes_nothing_is_not_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full queue costs a second, and a warning instead of the service."""
    with Listener(str(tmp_path / "notify")) as listener:
        manager = ServiceManager.from_environment({"NOTIFY_SOCKET": listener.name})
        listener.fill()
        before = time.monotonic()

        manager.ready("serving")

    assert time.monotonic() - before < 5
    assert "was not told READY=1" in caplog.text


def test_names_are_taken_from_the_environment() -> None:
    """No program that the service starts can speak to the manager in its place."""
    environment = {
        "NOTIFY_SOCKET": "@forwardauth",
        "WATCHDOG_USEC": "5000000",
        "WATCHDOG_PID": str(os.getpid()),
        "LANG": "C",
    }

    manager = ServiceManager.from_environment(environment)

    assert environment == {"LANG": "C"}
    assert manager.address == "\0forwardauth"
    assert manager.watchdog == timedelta(seconds=5)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "-1"},
        {"WATCHDOG_USEC": "five"},
        {"WATCHDOG_USEC": "٣"},
        {"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"},
    ],
    ids=["none", "zero", "negative", "word", "other digits", "another process"],
)
async def test_watchdog_that_is_for_nobody_is_not_fed(
    environment: dict[str, str],
) -> None:
    """It ends at once where the manager does not watch this process."""
    manager = ServiceManager.from_environment(environment)

    await manager.keep_watched()

    assert manager.watchdog is None


async def test_watchdog_is_fed_until_told_to_end(listener: Listener) -> None:
    """Twice in the time that it waits, and no more once it is cancelled."""
    manager = ServiceManager.from_environment(
        {"NOTIFY_SOCKET": listener.name, "WATCHDOG_USEC": "20000"}
    )
    feeding = asyncio.create_task(manager.keep_watched())

    told = [await asyncio.to_thread(listener.next) for _ in range(3)]

    feeding.cancel()
    await asyncio.wait([feeding])
    listener.received()
    assert manager.watchdog == WATCHED
    assert told == 3 * [{"WATCHDOG": "1"}]
    assert listener.received() == []
