"""A service that is told to stop while it is asked something."""

import os
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from http.client import NotConnected
from pathlib import Path
from typing import Final

import pytest

from tests.support.certificates import Certificates
from tests.support.installation import Installation, installation
from tests.support.processes import Process, free_ports, wait_for
from tests.support.serving import Peer, serving, workers_of, write_installation
from tests.support.steady_traffic import KeptConnection
from tests.support.steady_visits import SteadyVisits

LOGOUT: Final = (
    b"POST /api/logout HTTP/1.1\r\nHost: auth.example.com\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\n"
    b"Expect: 100-continue\r\n\r\n"
)
CONNECTIONS: Final = 4
WORKERS: Final = 2
VISITS: Final = 20
ASKED: Final = (signal.SIGHUP, signal.SIGUSR1)
"""What asks a service for something, and is not to end it."""


@contextmanager
def running(
    folder: Path, *, workers: int = 1, drain: str = "10s"
) -> Iterator[tuple[Process, Peer, Peer]]:
    """Run the service; yield it, its main listener and its management listener."""
    main, management = free_ports(2)
    server = (
        f"  listen: 127.0.0.1:{main}\n  management: 127.0.0.1:{management}\n"
        f"  workers: {workers}\n  drain: {drain}\n"
    )
    config = write_installation(folder, server=server, store="sqlite:sessions.db")
    with serving(config, main, management) as process:
        wait_for(
            lambda: process.log.read_text().count("listening on") == workers,
            "all workers serve",
        )
        yield process, Peer(address=main), Peer(address=management)


@contextmanager
def asking(peer: Peer) -> Iterator[socket.socket]:
    """Be half way through a request."""
    with peer.connect() as client:
        client.sendall(LOGOUT)
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        yield client


def test_stop_accepts_nobody_and_is_not_ready(tmp_path: Path) -> None:
    """Whoever comes goes elsewhere, and whoever was half way through is answered."""
    with running(tmp_path) as (process, peer, probes), asking(peer) as client:
        os.kill(process.pid, signal.SIGTERM)
        wait_for(lambda: "stopping" in process.tail(), "the service is stopping")
        ready = probes.send("GET", "/readyz")
        alive = probes.send("GET", "/healthz")
        with pytest.raises(ConnectionRefusedError):
            peer.connect()
        client.sendall(b"{}")
        answer = client.recv(10_000)
        status = process.wait()

    assert (ready.status, alive.status) == (503, 200)
    assert b"the service is stopping" in ready.body
    assert answer.startswith(b"HTTP/1.1 200")
    assert status == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_stop_waits_no_longer_than_was_said(tmp_path: Path, workers: int) -> None:
    """A request that never ends is dropped after ``server.drain``."""
    with (
        running(tmp_path, workers=workers, drain="1s") as (process, peer, _),
        asking(peer) as client,
    ):
        begun = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        status = process.wait()
        took = time.monotonic() - begun
        rest = client.recv(100)

    assert status == 0
    assert took >= 1
    assert rest == b""


@pytest.mark.parametrize(("workers", "status"), [(1, -signal.SIGTERM), (2, 0)])
def test_second_signal_ends_at_once(tmp_path: Path, workers: int, status: int) -> None:
    """Whoever asks twice waits for no request."""
    with (
        running(tmp_path, workers=workers, drain="1h") as (process, peer, _),
        asking(peer),
    ):
        os.kill(process.pid, signal.SIGTERM)
        wait_for(lambda: "stopping" in process.tail(), "the service is stopping")
        os.kill(process.pid, signal.SIGTERM)
        ended = process.wait()

    assert ended == status


def test_kept_connections_are_told_before_they_end(tmp_path: Path) -> None:
    """Who asks on has a last answer, which says that it is; who is quiet needs none."""
    with (
        running(tmp_path, drain="1h") as (process, peer, _),
        peer.connect() as quiet,
        asking(peer) as client,
        ExitStack() as stack,
    ):
        assert isinstance(peer.address, int)
        port, token = peer.address, peer.sign_in()
        kept = [
            stack.enter_context(KeptConnection(port, token)) for _ in range(CONNECTIONS)
        ]
        quiet.sendall(b"GET /api/health HTTP/1.1\r\nHost: any\r\n\r\n")
        greeting = quiet.recv(10_000)
        for each in kept:
            each.wait_for_more(10)
        os.kill(process.pid, signal.SIGTERM)
        wait_for(lambda: all(each.error for each in kept), "they are told to end")
        client.sendall(b"{}")
        status = process.wait()
        rest = quiet.recv(100)

    # Whoever was hung up on instead would say so.
    assert [type(each.error) for each in kept] == [NotConnected] * CONNECTIONS
    assert {told.status for each in kept for told in each.told} == {200}
    assert greeting.startswith(b"HTTP/1.1 200")
    assert rest == b""
    assert status == 0


@pytest.fixture(scope="module")
def behind_nginx(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Installation]:
    """Run nginx as shipped, which keeps its connections to two instances."""
    folder = tmp_path_factory.mktemp("nginx")
    stores = (f"sqlite:{folder / 'sessions.db'}",) * 2
    settings = {"FORWARDAUTH_SERVER__WORKERS": "2"}
    with installation(
        "nginx", folder, certificates, stores=stores, settings=settings
    ) as site:
        yield site


def test_restart_of_workers_loses_no_request(behind_nginx: Installation) -> None:
    """Each worker is told to end while visitors come, and another takes its place."""
    service = behind_nginx.services[0]
    with SteadyVisits(behind_nginx) as visits:
        for pid in workers_of(service):
            visits.wait_for_more(VISITS)
            _replace(service, pid)
        visits.wait_for_more(VISITS)

    assert set(visits.answered) == {"200"}


def test_stop_of_one_of_two_instances_loses_no_request(
    behind_nginx: Installation,
) -> None:
    """Visitors go on with the other one."""
    service = behind_nginx.services[1]
    with SteadyVisits(behind_nginx) as visits:
        visits.wait_for_more(VISITS)
        status = service.stop()
        visits.wait_for_more(VISITS)

    assert status == 0
    assert set(visits.answered) == {"200"}


@pytest.mark.parametrize(("workers", "is_sheltered"), [(1, False), (2, True)])
def test_signals_of_the_start_end_nothing(
    tmp_path: Path, *, workers: int, is_sheltered: bool
) -> None:
    """Who is asked to reload and to rotate all the time comes to serve, and reloads.

    From the first moment where it is started so that it ignores both, as ``env`` or
    ``nohup`` do it, else from when the interpreter has come to the command.
    """
    server = f"  listen: 'unix:socket'\n  management: null\n  workers: {workers}\n"
    config = write_installation(tmp_path, server=server, store="sqlite:sessions.db")
    process = serving(config)
    with ignoring(ASKED) if is_sheltered else nullcontext():
        process.start()
    with closing(process):
        wait_for(lambda: _hears(process.pid, ASKED), "the command has begun")
        while process.tail().count("listening on") < workers:
            for number in ASKED:
                os.kill(process.pid, number)
            time.sleep(0.001)
            assert process.is_running(), process.tail()
        before = process.log.read_text().count("generation=")
        os.kill(process.pid, signal.SIGHUP)
        wait_for(
            lambda: process.log.read_text().count("generation=") > before,
            "it has reloaded",
        )
        status = process.stop()

    assert status == 0


@contextmanager
def ignoring(numbers: Iterable[signal.Signals]) -> Iterator[None]:
    """Start processes that ignore *numbers* until they say otherwise."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _replace(service: Process, worker: int) -> None:
    """Tell *worker* to end, and return when another has its place."""
    os.kill(worker, signal.SIGTERM)
    wait_for(
        lambda: len({*workers_of(service)} - {worker}) == WORKERS,
        "another has its place",
    )


def _hears(pid: int, numbers: Iterable[signal.Signals]) -> bool:
    """Whether the process has said what becomes of all *numbers*."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    masks = [int(x.split()[1], 16) for x in lines if x.startswith(("SigIgn", "SigCgt"))]
    return all(any(mask >> (each - 1) & 1 for mask in masks) for each in numbers)
