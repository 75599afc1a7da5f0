"""``/metrics`` of a service with several workers, whose processes come and go."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from forwardauth.cli.workers import SETTLED_SECONDS
from tests.support.binaries import require_binary
from tests.support.processes import Process, free_ports, held, wait_for
from tests.support.serving import Peer, serving, workers_of, write_installation

VERIFICATIONS = "forwardauth_verifications_total"
RESTARTS = "forwardauth_worker_restarts_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service with two workers, of which the first answers scrapes."""

    process: Process
    peer: Peer
    management: Peer

    def scrape(self) -> bytes:
        """Return the metrics as text."""
        reply = self.management.send("GET", "/metrics")
        assert reply.status == 200, reply
        return reply.body

    def sum(self, name: str) -> float:
        """Return the sum of the samples of *name*."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.scrape().decode())
            for sample in family.samples
            if sample.name == name
        )

    def verify(self, times: int) -> None:
        """Ask so often whether somebody may pass who is not signed in."""
        for _ in range(times):
            assert self.peer.verify(None).status == 401

    def replace(self, worker: int) -> None:
        """Kill a worker, and return when its successor counts."""
        victim = workers_of(self.process)[worker]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: self._has_two_workers_but(victim), "there is a successor")

    def _has_two_workers_but(self, victim: int) -> bool:
        workers = workers_of(self.process)
        is_gone = victim not in workers and len(workers) == 2
        return is_gone and self.sum("forwardauth_workers") == 2


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """Run the service once both workers answer."""
    port, management = free_ports(2)
    server = (
        f"  listen: 127.0.0.1:{port}\n"
        f"  management: 127.0.0.1:{management}\n"
        "  workers: 2\n"
    )
    config = write_installation(folder, server=server, store="sqlite:sessions.db")
    with serving(config, port, management) as process:
        wait_for(lambda: process.tail().count("listening on") == 2, "both serve")
        yield Service(
            process=process,
            peer=Peer(address=port),
            management=Peer(address=management),
        )


def test_scrape_sums_workers_that_live_and_that_died(tmp_path: Path) -> None:
    """A hundred verify requests are a hundred, whoever answered and whoever ended.

    While one worker is held, the other has to answer.
    """
    with running(tmp_path) as service:
        settled = time.monotonic() + SETTLED_SECONDS
        for idle in workers_of(service.process):
            with held(idle):
                service.verify(50)
        spread = service.sum(VERIFICATIONS)
        # A worker that dies sooner could not start, which ends the service.
        wait_for(lambda: time.monotonic() > settled, "the workers have settled")
        service.replace(1)
        after_one = service.sum(VERIFICATIONS)
        service.verify(10)
        counted = service.sum(VERIFICATIONS)
        restarts = service.sum(RESTARTS)

    assert spread == 100
    assert after_one == 100
    assert counted == 110
    assert restarts == 1


def test_prometheus_accepts_what_is_told(tmp_path: Path) -> None:
    """The tool of Prometheus finds nothing to say about names, types and values."""
    promtool = require_binary("promtool")
    with running(tmp_path) as service:
        service.peer.sign_in()
        service.verify(2)
        exposed = service.scrape()

    checked = subprocess.run(  # noqa: S603 - a fixed program of the tests
        [promtool, "check", "metrics"], input=exposed, capture_output=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert b'process_resident_memory_bytes{worker="1"}' in exposed
    assert b'process_resident_memory_bytes{worker="supervisor"}' in exposed
