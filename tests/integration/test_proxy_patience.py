"""A service that takes questions and never answers, behind every proxy as shipped.

All proxies ask one frozen service at the same time: the slowest gives up after half a
minute, and nobody waits for five of them in turn.
"""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.support.certificates import create_certificates
from tests.support.installation import COOKIE, Installation
from tests.support.journal import Arrival, Journal
from tests.support.processes import Process, free_ports
from tests.support.proxies import PROXIES, SITES, Backends, prepare_gateway
from tests.support.service import prepare_service, write_users

GIVES_UP_SECONDS: Final = {
    "nginx": 10,
    "traefik": 30,
    "caddy": 10,
    "haproxy": 10,
    "envoy": 5,
}
"""As the files of ``deploy/`` say; Traefik's patience is its own, and no option."""

_MARGIN_SECONDS: Final = 8
"""For two busy cores, and far from the minute after which a client gives up."""
_CLIENT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one request that depends on a service that is silent.

    Attributes:
        status: That the client got in the end.
        seconds: How long it waited.
    """

    status: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What became of all of them.

    Attributes:
        outcomes: By proxy: of bob at app1, and of nobody at the open site.
        arrivals: What reached an application meanwhile.
    """

    outcomes: Mapping[str, tuple[Outcome, Outcome]]
    arrivals: tuple[Arrival, ...]


@pytest.fixture(scope="module")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silence]:
    """Freeze the service, and ask for two sites through each proxy."""
    folder = tmp_path_factory.mktemp("patience")
    with ExitStack() as stack:
        service, sites = _start(folder, stack)
        token = sites["nginx"].signed_in("bob").jar.value(COOKIE)
        journal = Journal(path=folder / "applications.log")
        with ThreadPoolExecutor(2 * len(sites)) as pool, journal.watch() as arrivals:
            os.killpg(service.pid, signal.SIGSTOP)
            stack.callback(os.killpg, service.pid, signal.SIGCONT)
            waiting = {
                name: (
                    pool.submit(_ask, site, "app1", f"Cookie: {COOKIE}={token}"),
                    pool.submit(_ask, site, "www", "Accept: text/html"),
                )
                for name, site in sites.items()
            }
            outcomes = {
                name: (bob.result(), nobody.result())
                for name, (bob, nobody) in waiting.items()
            }
        yield Silence(outcomes=outcomes, arrivals=tuple(arrivals))


def _start(
    folder: Path, stack: ExitStack
) -> tuple[Process, Mapping[str, Installation]]:
    """Start one service and the applications, and every proxy in front of them."""
    certificates = create_certificates(
        folder / "certificates", "example.com", "*.example.com"
    )
    port, *others = free_ports(1 + len(SITES))
    ports = dict(zip(SITES, others, strict=True))
    backends = Backends(services=(port,), sites=ports)
    gateways = {
        name: prepare_gateway(name, folder / name, certificates, backends)
        for name in PROXIES
    }
    service = prepare_service(
        folder / "service",
        port=port,
        portal=gateways["nginx"].url("auth", ""),
        users=write_users(folder),
    )
    names = [f"{name}={number}" for name, number in ports.items()]
    applications = Process(
        "sample applications",
        [sys.executable, "-m", "tests.support.sample_app", *names],
        log=folder / "applications.log",
        ports=others,
    )
    for process in (applications, service):
        stack.enter_context(process)
    for gateway in gateways.values():
        stack.callback(gateway.process.close)
        gateway.start(certificates.authority)
    return service, {
        name: Installation(
            gateway=gateway, services=(service,), certificates=certificates
        )
        for name, gateway in gateways.items()
    }


def _ask(site: Installation, name: str, line: str) -> Outcome:
    """Ask for the site *name* and wait for any answer."""
    parts = urlsplit(site.url(name))
    assert parts.hostname is not None
    head = f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\n{line}\r\nConnection: close"
    start = monotonic()
    address = ("127.0.0.1", site.gateway.port)
    with (
        create_connection(address, timeout=_CLIENT_SECONDS) as plain,
        site.client()
        .context()
        .wrap_socket(plain, server_hostname=parts.hostname) as connection,
    ):
        connection.sendall(f"{head}\r\n\r\n".encode())
        answer = connection.recv(65536)
    return Outcome(status=int(answer.split()[1]), seconds=monotonic() - start)


@pytest.mark.parametrize("proxy", list(PROXIES))
def test_silent_service_closes(silence: Silence, proxy: str) -> None:
    """Who is signed in and who need not be get an error, and in time (V-2)."""
    outcomes = silence.outcomes[proxy]

    assert all(500 <= each.status < 600 for each in outcomes)
    limit = GIVES_UP_SECONDS[proxy] + _MARGIN_SECONDS
    assert max(each.seconds for each in outcomes) < limit


def test_nothing_arrives_while_the_service_is_silent(silence: Silence) -> None:
    """No proxy lets a request through because the answer is late (V-2)."""
    assert not silence.arrivals
