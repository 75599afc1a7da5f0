"""The service as a process: how it starts, shares its work, and ends."""

import os
import re
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from forwardauth.cli.main import main
from forwardauth.sessions.ids import create_session_id
from tests.support.portal import PASSWORD
from tests.support.processes import Process, free_ports, wait_for
from tests.support.repository import ROOT
from tests.support.serving import (
    Peer,
    idle_and_held,
    serving,
    workers_of,
    write_installation,
)

Spoil = Callable[[Path], None]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@contextmanager
def running(
    folder: Path, *, workers: int = 1, store: str = "sqlite:sessions.db"
) -> Iterator[tuple[Process, Peer, Peer]]:
    """Run the service; yield it, its main listener and its management listener."""
    main_port, management = free_ports(2)
    server = (
        f"  listen: 127.0.0.1:{main_port}\n"
        f"  management: 127.0.0.1:{management}\n"
        f"  workers: {workers}\n"
    )
    config = write_installation(folder, server=server, store=store)
    with serving(config, main_port, management) as process:
        yield process, Peer(address=main_port), Peer(address=management)


def _let_others_write(folder: Path) -> None:
    (folder / "users.yaml").chmod(0o666)


def _break_users(folder: Path) -> None:
    (folder / "users.yaml").write_text("users: [", encoding="utf-8")


def _make_journal_a_folder(folder: Path) -> None:
    (folder / "revocations.journal").mkdir()


def _cut_key(folder: Path) -> None:
    (folder / "secret.key").write_bytes(b"short")


def _break_config(folder: Path) -> None:
    with (folder / "config.yaml").open("a") as config:
        config.write("sesion: {}\n")


def _name_missing_folder(folder: Path) -> None:
    path = folder / "config.yaml"
    text = path.read_text()
    path.write_text(text.replace("session:\n", "session:\n  journal: no/journal\n"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "users.yaml").unlink(), "users.yaml"),
        (_let_others_write, "chmod"),
        (_break_users, "users.yaml"),
        (_make_journal_a_folder, "revocations.journal"),
        (_name_missing_folder, "config.yaml:9: session.journal: the folder"),
        (_cut_key, "remove it"),
        (_break_config, "session"),
        (lambda folder: (folder / "config.yaml").unlink(), "config.yaml"),
    ],
    ids=[
        "no users file",
        "users file of all",
        "broken users file",
        "journal is a folder",
        "no folder for the journal",
        "key cut short",
        "unknown key",
        "no configuration",
    ],
)
def test_unusable_installation_is_told_with_status_2(
    tmp_path: Path, taken: int, spoil: Spoil, words: str
) -> None:
    """What has to be put right is named in a sentence, before anything listens."""
    config = write_installation(
        tmp_path, server=f"  listen: 127.0.0.1:{taken}\n", store="sqlite:sessions.db"
    )
    spoil(tmp_path)

    result = CliRunner().invoke(main, ["serve", "--config", str(config)])

    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_everything_that_keeps_it_from_starting_is_told_at_once(
    tmp_path: Path, taken: int
) -> None:
    """Keys, folders and the users file: whoever mends it all starts it next."""
    config = write_installation(
        tmp_path, server=f"  listen: 127.0.0.1:{taken}\n", store="sqlite:sessions.db"
    )
    for spoil in (_let_others_write, _break_config, _name_missing_folder):
        spoil(tmp_path)

    result = CliRunner().invoke(main, ["serve", "--config", str(config)])

    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    keys = {line.removeprefix(f"{config}:").split(": ")[1] for line in lines}
    assert keys == {"users.file", "sesion", "session.journal"}


@pytest.mark.parametrize("workers", [1, 2])
def test_taken_port_is_told_with_status_1(
    tmp_path: Path, taken: int, workers: int
) -> None:
    """The address and the remedy, on standard error, and no traceback."""
    config = write_installation(
        tmp_path,
        server=f"  listen: 127.0.0.1:{taken}\n  workers: {workers}\n",
        store="sqlite:sessions.db",
    )

    result = CliRunner().invoke(main, ["serve", "--config", str(config)])

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        f"Error: cannot listen on 127.0.0.1:{taken}: Address already in use; "
        "stop the program that listens there, or choose another port"
    )
    assert "Traceback" not in result.stderr


def test_every_listener_serves_and_ends_with_the_service(tmp_path: Path) -> None:
    """Two ports, a unix socket and management, apart from each other (V-49)."""
    first, second, management = free_ports(3)
    path = tmp_path / "socket"
    server = (
        f"  listen: ['127.0.0.1:{first}', 'unix:{path}', '127.0.0.1:{second}']\n"
        f"  management: 127.0.0.1:{management}\n"
    )
    config = write_installation(tmp_path, server=server, store="sqlite:sessions.db")
    with serving(config, first, second, management) as process:
        mains = [Peer(address=each) for each in (first, path, second)]
        probes = Peer(address=management)
        token = mains[0].sign_in()
        verified = [each.verify(token).status for each in mains]
        anonymous = [each.verify(None).status for each in mains]
        exposed = [
            each.send("GET", path).status
            for each in mains
            for path in ("/metrics", "/healthz", "/readyz")
        ]
        hidden = [
            probes.send("GET", path).status
            for path in ("/", "/login", "/verify/nginx", "/api/health", "/static/x")
        ]
        probed = [
            probes.send("GET", path, host="anything").status
            for path in ("/metrics", "/healthz", "/readyz")
        ]
        status = process.stop()

    assert verified == [200] * 3
    assert anonymous == [401] * 3
    assert exposed == [404] * 9
    assert hidden == [404] * 5
    assert probed == [200] * 3
    assert status == 0
    assert not path.exists()
    assert "Traceback" not in process.tail()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stop_lets_a_request_in_flight_end(tmp_path: Path, how: signal.Signals) -> None:
    """Whoever was half way through a logout gets the answer; nobody else gets in."""
    with running(tmp_path) as (process, peer, _):
        token = peer.sign_in()
        head = (
            "POST /api/logout HTTP/1.1\r\nHost: auth.example.com\r\n"
            f"Cookie: forwardauth_session={token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        with peer.connect() as client:
            client.sendall(head.encode())
            assert client.recv(100).startswith(b"HTTP/1.1 100")
            os.kill(process.pid, how)
            wait_for(lambda: "stopping" in process.tail(), "the service is stopping")
            client.sendall(b"{}")
            answer = client.recv(10_000)
        status = process.wait()

    assert answer.startswith(b"HTTP/1.1 200")
    assert status == 0
    assert "Traceback" not in process.tail()


def test_service_starts_while_its_store_is_down(tmp_path: Path) -> None:
    """Until the store answers: alive, not ready, and 503 for all but open hosts."""
    with running(tmp_path, store="sqlite:later/sessions.db") as (_, peer, probes):
        unknown = create_session_id()
        verified = peer.verify(unknown)
        ready = probes.send("GET", "/readyz")
        alive = probes.send("GET", "/healthz")
        metrics = probes.send("GET", "/metrics")
        open_host = peer.verify(None, host="public.example.com")
        (tmp_path / "later").mkdir()
        wait_for(lambda: probes.send("GET", "/readyz").status == 200, "it is ready")
        after = peer.verify(unknown)
        token = peer.sign_in()

        assert peer.verify(token).status == 200
    assert (verified.status, verified.lines("Retry-After")) == (503, ["5"])
    assert verified.lines("Set-Cookie") == []
    assert (ready.status, alive.status, open_host.status) == (503, 200, 200)
    assert b"forwardauth_store_up 0.0" in metrics.body
    assert after.status == 401


def test_logout_at_one_worker_is_refused_by_the_other(tmp_path: Path) -> None:
    """The next verify refuses, whichever worker answers it (L-15).

    While one worker is held, the other has to answer.
    """
    with running(tmp_path, workers=2) as (process, peer, _):
        wait_for(lambda: process.tail().count("listening on") == 2, "both serve")
        one, other = workers_of(process)
        store = tmp_path / "sessions.db"
        token = peer.sign_in()
        statuses = []
        for busy, idle in ((one, other), (other, one)):
            with idle_and_held(idle, store):
                statuses.append((busy, peer.verify(token).status))
        with idle_and_held(other, store):
            out = peer.sign_out(token)
        for busy, idle in ((one, other), (other, one)):
            with idle_and_held(idle, store):
                statuses.append((busy, peer.verify(token).status))
        status = process.stop()

    assert statuses == [(one, 200), (other, 200), (one, 401), (other, 401)]
    assert out.status == 200
    assert status == 0
    assert "Traceback" not in process.tail()


def test_reload_reads_the_users_at_once(tmp_path: Path) -> None:
    """SIGHUP does not wait for the watch, and a broken edit changes nothing."""
    with running(tmp_path) as (process, peer, _):
        token = peer.sign_in()
        users = tmp_path / "users.yaml"
        before = users.read_text()
        users.write_text("users: [")
        os.kill(process.pid, signal.SIGHUP)
        wait_for(lambda: "stays as it was" in process.tail(), "it is refused")
        kept = peer.verify(token)
        users.write_text(before.replace("alice:", "alicia:"))
        os.kill(process.pid, signal.SIGHUP)
        wait_for(lambda: peer.verify(token).status == 401, "the user is gone")

        assert kept.status == 200
        assert process.is_running()


def test_configuration_of_the_repository_can_be_served(tmp_path: Path) -> None:
    """``config.yaml`` starts as it is, with a users file beside it."""
    config = Path(shutil.copy(ROOT / "config.yaml", tmp_path))
    added = CliRunner().invoke(
        main,
        ["users", "add", "alice", "--config", str(config)],
        input=f"{PASSWORD}\n",
    )
    port, management = free_ports(2)
    places = {
        "FORWARDAUTH_SERVER__LISTEN": f"127.0.0.1:{port}",
        "FORWARDAUTH_SERVER__MANAGEMENT": f"127.0.0.1:{management}",
    }
    with serving(config, port, management, environment=places):
        peer, probes = Peer(address=port), Peer(address=management)
        token = peer.sign_in()
        signed_in, ready = peer.verify(token), probes.send("GET", "/readyz")

    assert added.exit_code == 0, added.output
    assert ready.status == 200
    assert signed_in.status == 403


def test_start_lists_what_is_open(tmp_path: Path) -> None:
    """Once, however many workers there are (V-21)."""
    with running(tmp_path, workers=2) as (process, _, _):
        told = process.tail()

    line = "open to everybody: public.example.com (rule 1: every method, every path)"
    assert told.count(line) == 1


HEAVY = frozenset(
    {"argon2", "babel", "cryptography", "jinja2", "joserfc", "passlib"}
    | {"opentelemetry", "prometheus_client", "redis", "ua_parser", "wsgiref"}
)
"""What somebody may want later: each costs a start what five modules of ours do."""


def imported_in(text: str) -> set[str]:
    """Return the packages that ``-X importtime`` tells of in *text*."""
    lines = re.findall(r"^import time: .*[| ]([a-z0-9_]+)[.\w]*$", text, re.MULTILINE)
    return set(lines)


def test_first_answer_waits_for_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    """What signs, hashes, counts for others or draws pages is imported after it."""
    main_port, management = free_ports(2)
    server = f"  listen: 127.0.0.1:{main_port}\n  management: 127.0.0.1:{management}\n"
    config = write_installation(tmp_path, server=server, store="sqlite:sessions.db")
    # The lines of the imports and those of the log are one text, in their order.
    environment = {"PYTHONPROFILEIMPORTTIME": "1"}

    with serving(config, main_port, environment=environment) as process:
        reply = Peer(address=main_port).verify(None)
        wait_for(lambda: "jinja2" in process.log.read_text(), "pages are prepared")

    before, _, after = process.log.read_text().partition("outcome=")
    too_early = HEAVY & imported_in(before)
    assert reply.status == 401
    assert {"aiohttp", "sqlite3", "yaml"} <= imported_in(before)
    assert not too_early
    assert "jinja2" in imported_in(after)
