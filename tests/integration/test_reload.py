"""SIGHUP to a service that is busy: another configuration everywhere, or nowhere."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.support.portal import USERS
from tests.support.processes import free_ports, wait_for
from tests.support.serving import Peer, serving, workers_of, write_installation
from tests.support.steady_traffic import KeptConnection, Told

CONNECTIONS: Final = 4
STORES: Final = {1: "'memory:'", 2: "sqlite:sessions.db"}

BEFORE: Final = Told(status=200, groups=("X-Groups-One", "dev"))
AFTER: Final = Told(status=200, groups=("X-Groups-Two", "ops"))
"""What is told by the rules, the users and the headers of each; any other is a mix."""


class Service:
    """A running service whose configuration can be exchanged."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        main, management = free_ports(2)
        self.port = main
        self.peer, self.probes = Peer(address=main), Peer(address=management)
        server = (
            f"  listen: 127.0.0.1:{main}\n  management: 127.0.0.1:{management}\n"
            f"  workers: {workers}\n"
        )
        self.config = write_installation(
            folder, server=server, store=STORES[workers], extra=""
        )
        self._written = yaml.safe_load(self.config.read_text())
        for name, group in (("one", "dev"), ("two", "ops")):
            users = folder / f"{name}.yaml"
            users.write_text(USERS.replace("[dev, ops]", f"[{group}]"))
            users.chmod(0o600)
        self.write("one", "dev")
        self.process = serving(self.config, main, management)

    def write(self, name: str, group: str, **more: object) -> None:
        """Write a configuration with its own users file, rules and headers."""
        written = {
            **self._written,
            "users": {"file": f"{name}.yaml"},
            "headers": {"groups": f"X-Groups-{name.title()}"},
            "access_control": {
                "rules": [
                    {
                        "domain": "app.example.com",
                        "policy": "one_factor",
                        "groups": [group],
                    },
                    {"domain": "app.example.com", "policy": "deny"},
                ]
            },
            **more,
        }
        self.config.write_text(yaml.safe_dump(written))

    def reload(self, line: str) -> None:
        """Send the signal, and return when the log has one more line that says so."""
        before = self.process.log.read_text().count(line)
        os.kill(self.process.pid, signal.SIGHUP)
        wait_for(lambda: self.process.log.read_text().count(line) > before, line)

    def metric(self, name: str) -> float:
        """Return the value of a gauge without labels."""
        body = self.probes.send("GET", "/metrics").body.decode()
        (line,) = (x for x in body.splitlines() if x.startswith(f"{name} "))
        return float(line.split()[1])


@contextmanager
def running(folder: Path, workers: int) -> Iterator[tuple[Service, str]]:
    """Run the service with the first configuration; yield it and a session."""
    service = Service(folder, workers)
    with service.process as process:
        wait_for(
            lambda: process.log.read_text().count("listening on") == workers,
            "all workers serve",
        )
        yield service, service.peer.sign_in()


@pytest.fixture(params=[1, 2], ids=["alone", "two workers"])
def workers(request: pytest.FixtureRequest) -> int:
    """How many processes serve."""
    count: int = request.param
    return count


def test_reload_under_load_loses_and_mixes_nothing(
    tmp_path: Path, workers: int
) -> None:
    """Rules, users and headers change together on every connection (V-47)."""
    with running(tmp_path, workers) as (service, token), ExitStack() as stack:
        kept = [
            stack.enter_context(KeptConnection(service.port, token))
            for _ in range(CONNECTIONS)
        ]
        for each in kept:
            each.wait_until(lambda told: told == BEFORE, "it is busy")
        service.write("two", "ops")
        service.reload("configuration reloaded: generation=2")
        seen = [len(each.told) for each in kept]
        for each, count in zip(kept, seen, strict=True):
            each.wait_for_more(count + 20)
        generation = service.metric("forwardauth_config_generation")
        ready = service.probes.send("GET", "/readyz").status
        process = service.process
        stack.close()
        status = process.stop()

    assert [each.error for each in kept] == [None] * CONNECTIONS
    for each, count in zip(kept, seen, strict=True):
        assert set(each.told) == {BEFORE, AFTER}
        changed = each.told.index(AFTER)
        assert set(each.told[changed:]) == {AFTER}
        # One that was asked when the line was written may still have been on its way.
        assert changed <= count + 1
    assert (generation, ready, status) == (2, 200, 0)
    assert "Traceback" not in process.tail()


def _break_rules(service: Service) -> None:
    rules = {"rules": [{"domain": "app.example.com", "policy": "allow"}]}
    service.write("two", "ops", access_control=rules)


def _break_users(service: Service) -> None:
    service.write("two", "ops")
    (service.folder / "two.yaml").write_text("users: [")


def _cut_file(service: Service) -> None:
    service.config.write_bytes(service.config.read_bytes()[:40] + b"\xff")


def _remove_file(service: Service) -> None:
    service.config.unlink()


def _remove_users(service: Service) -> None:
    service.write("three", "ops")


def _move_listener(service: Service) -> None:
    server = {"listen": f"127.0.0.1:{free_ports(1)[0]}"}
    service.write("one", "dev", server=server)


BROKEN: Final = {
    "broken rules": (_break_rules, "access_control.rules.0.policy"),
    "broken users": (_break_users, "two.yaml"),
    "no text": (_cut_file, "is not UTF-8"),
    "no file": (_remove_file, "cannot be read"),
    "no users": (_remove_users, "three.yaml"),
    "another listener": (
        _move_listener,
        "server.listen: cannot be changed while the service runs; restart it",
    ),
}


def test_refused_reload_changes_nothing(tmp_path: Path, workers: int) -> None:
    """The old rules and users count, the log says why, and metrics tell (V-47)."""
    with running(tmp_path, workers) as (service, token), ExitStack() as stack:
        connection = stack.enter_context(closing(KeptConnection(service.port, token)))
        first = service.metric(
            "forwardauth_config_last_reload_success_timestamp_seconds"
        )
        told = {}
        for name, (spoil, words) in BROKEN.items():
            spoil(service)
            service.reload(words)
            told[name] = connection.ask()
        successful = service.metric("forwardauth_config_last_reload_successful")
        since = service.metric(
            "forwardauth_config_last_reload_success_timestamp_seconds"
        )
        ready = service.probes.send("GET", "/readyz").status
        (service.folder / "two.yaml").write_text(USERS.replace("[dev, ops]", "[ops]"))
        service.write("two", "ops")
        service.reload("configuration reloaded: generation=2")
        mended = connection.ask()

    assert told == dict.fromkeys(BROKEN, BEFORE)
    assert (successful, ready) == (0, 503)
    assert since == first
    assert mended == AFTER


def test_successor_of_a_worker_serves_what_was_accepted_last(tmp_path: Path) -> None:
    """Not what the file says by then, nor what the service was started with."""
    with running(tmp_path, 2) as (service, token):
        service.write("two", "ops")
        service.reload("configuration reloaded: generation=2")
        service.config.write_text("cookies: [")
        victim, other = workers_of(service.process)
        os.kill(victim, signal.SIGKILL)
        wait_for(
            lambda: len(set(workers_of(service.process)) - {victim, other}) == 1,
            "there is a successor",
        )
        wait_for(
            lambda: service.process.log.read_text().count("listening on") == 3,
            "it serves",
        )
        os.kill(other, signal.SIGSTOP)
        try:
            with closing(KeptConnection(service.port, token)) as connection:
                told = connection.ask()
        finally:
            os.kill(other, signal.SIGCONT)

    assert told == AFTER


def test_killed_worker_costs_its_own_connections_alone(tmp_path: Path) -> None:
    """The others are answered on, and no session is lost."""
    with running(tmp_path, 2) as (service, token), ExitStack() as stack:
        pids = workers_of(service.process)
        kept: list[KeptConnection] = []
        # The kernel spreads them as it likes; some of each are wanted.
        while {each.worker(pids) for each in kept} != set(pids) or len(kept) < 6:
            assert len(kept) < 100
            connection = KeptConnection(service.port, token)
            connection.ask()
            kept.append(connection)
        victim = pids[0]
        theirs = [each for each in kept if each.worker(pids) == victim]
        for each in kept:
            stack.enter_context(each)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: all(each.error for each in theirs), "it is noticed")
        wait_for(
            lambda: service.process.log.read_text().count("listening on") == 3,
            "there is a successor",
        )
        after = [service.peer.verify(token).status for _ in range(10)]
        restarts = service.probes.send("GET", "/metrics").body.decode()

    assert [each.error for each in kept if each not in theirs] == [None] * (
        len(kept) - len(theirs)
    )
    assert {told for each in kept for told in each.told} == {BEFORE}
    assert after == [200] * 10
    assert "forwardauth_worker_restarts_total 1.0" in restarts
