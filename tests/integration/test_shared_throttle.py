"""Real processes that slow down guessing together, as if they were one."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from forwardauth.users.throttle import ACCOUNT_LIMIT
from tests.support.processes import Process, free_ports, wait_for
from tests.support.redis_server import RedisServer
from tests.support.serving import (
    SECRET,
    Peer,
    idle_and_held,
    serving,
    workers_of,
    write_installation,
)

AT_ONCE: Final = ACCOUNT_LIMIT.free + 1
"""Guesses that are let in before anybody waits."""


class Guesser:
    """Guesses at one account, each time from another address, at whoever it is told to.

    Attributes:
        let_in: How many guesses were judged.
    """

    def __init__(self) -> None:
        self.let_in = 0
        self._began = time.monotonic()
        self._addresses = itertools.count(1)

    def guess(self, peer: Peer) -> None:
        """Send as many guesses at once as one alone would let in."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            statuses = list(pool.map(self._try, [peer] * AT_ONCE))
        assert set(statuses) <= {401, 429}
        self.let_in += statuses.count(401)

    def most(self) -> int:
        """Return how many a single process would have let in by now."""
        left, most = time.monotonic() - self._began, AT_ONCE
        while left > 0:
            left -= ACCOUNT_LIMIT.wait_after_ms(most) / 1000
            most += left > 0
        return most

    def _try(self, peer: Peer) -> int:
        address = f"2001:db8:{next(self._addresses):x}::1"
        return peer.send(
            "POST",
            "/api/firstfactor",
            headers=[
                ("Content-Type", "application/json"),
                ("X-Forwarded-For", address),
            ],
            body=b'{"username": "alice", "password": "a guess"}',
        ).status


def service(folder: Path, port: int, *, store: str, workers: int = 1) -> Process:
    """Return a service that has a folder of its own, not yet started."""
    folder.mkdir(exist_ok=True)
    server = f"  listen: 127.0.0.1:{port}\n  management: null\n  workers: {workers}\n"
    config = write_installation(folder, server=server, store=store)
    return serving(config, port, environment={"FORWARDAUTH_SESSION__SECRET": SECRET})


def test_workers_let_in_no_more_than_one_and_remember(tmp_path: Path) -> None:
    """Two workers on SQLite, of which one is held; then the service, started anew."""
    (port,) = free_ports(1)
    guesser, peer = Guesser(), Peer(address=port)
    with service(tmp_path, port, store="sqlite:sessions.db", workers=2) as process:
        wait_for(lambda: process.tail().count("listening on") == 2, "both serve")
        for idle in workers_of(process):
            with idle_and_held(idle, tmp_path / "sessions.db"):
                guesser.guess(peer)
    with service(tmp_path, port, store="sqlite:sessions.db", workers=2):
        guesser.guess(peer)

    assert AT_ONCE <= guesser.let_in <= guesser.most() < 2 * AT_ONCE


def test_machines_let_in_no_more_than_one(tmp_path: Path) -> None:
    """Two instances on one Redis, each with folders of its own."""
    ports = free_ports(2)
    guesser = Guesser()
    with RedisServer(tmp_path / "redis") as redis:
        machines = [
            service(tmp_path / str(port), port, store=redis.url) for port in ports
        ]
        with machines[0], machines[1]:
            for port in (*ports, *ports):
                guesser.guess(Peer(address=port))

    assert AT_ONCE <= guesser.let_in <= guesser.most() < 2 * AT_ONCE
