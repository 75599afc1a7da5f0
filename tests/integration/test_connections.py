"""Many connections, slow ones and greedy ones, against the service as a process."""

import os
import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.support.processes import Process, free_ports, wait_for
from tests.support.serving import Peer, serving, write_installation


def _write_config(folder: Path, port: int) -> Path:
    return write_installation(
        folder,
        server=f"  listen: 127.0.0.1:{port}\n  management: null\n  drain: 2s\n",
        store="sqlite:sessions.db",
    )


@contextmanager
def running(folder: Path) -> Iterator[tuple[Process, Peer]]:
    """Run the service; yield it and its listener."""
    (port,) = free_ports(1)
    with serving(_write_config(folder, port), port) as process:
        yield process, Peer(address=port)


def _open(peer: Peer, stack: ExitStack, *data: bytes) -> list[socket.socket]:
    """Return connections, on each of which one of *data* has been sent."""
    clients = [stack.enter_context(peer.connect()) for _ in data]
    for client, each in zip(clients, data, strict=True):
        client.sendall(each)
    return clients


def test_stop_does_not_wait_for_who_is_slow(tmp_path: Path) -> None:
    """Idle, half-said and unread connections end within the time to stop (V-42)."""
    head = b"POST /login HTTP/1.1\r\nHost: auth.example.com\r\n"
    body = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n"
    page = b"GET /login HTTP/1.1\r\nHost: auth.example.com\r\n\r\n"
    with running(tmp_path) as (process, peer), ExitStack() as stack:
        _open(peer, stack, b"", head, head + body + b"\r\nhalf")
        used, unread = _open(peer, stack, page, b"")
        used.recv(10)
        unread.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                unread.send(page * 100)
        since = time.monotonic()
        status = process.stop()

    # Requests in hand have the time of ``server.drain``, and then nobody has.
    assert time.monotonic() - since < 2 + 20
    assert status == 0
    assert "Traceback" not in process.tail()


def test_few_files_keep_nobody_out(tmp_path: Path) -> None:
    """Idle connections make room before the system runs out of files (V-42)."""
    (port,) = free_ports(1)
    config = _write_config(tmp_path, port)
    limit = 'ulimit -n 1024 && exec "$0" "$@"'
    serve = [sys.executable, "-m", "forwardauth", "serve", "--config", str(config)]
    log = tmp_path / "log"
    with (
        Process("few files", ["bash", "-c", limit, *serve], log=log, ports=[port]),
        ExitStack() as stack,
    ):
        peer = Peer(address=port)
        _open(peer, stack, *[b""] * 900)
        token = peer.sign_in()
        verified = [peer.verify(token).status for _ in range(100)]

    assert verified == [200] * 100
    assert "Traceback" not in log.read_text()


def test_no_more_files_is_survived(tmp_path: Path) -> None:
    """The acceptor waits, without working itself to death, and goes on (V-42)."""
    with running(tmp_path) as (process, peer), ExitStack() as stack:
        token = peer.sign_in()
        limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        used = max(int(each.name) for each in Path(f"/proc/{process.pid}/fd").iterdir())
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (used + 1, limits[1]))
        waiting = _open(peer, stack, *[b""] * 20)
        before, since = _cpu_seconds(process.pid), time.monotonic()
        wait_for(lambda: time.monotonic() - since > 1.5, "it has had time to spin")
        spent = _cpu_seconds(process.pid) - before
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
        verified = peer.verify(token)

    assert len(waiting) == 20
    assert spent < 0.5
    assert verified.status == 200


def test_endless_heads_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Two hundred clients that never stop get a bounded part of it (V-42)."""
    line = b"x: " + b"a" * 120_000 + b"\r\n"
    sent = 0
    with running(tmp_path) as (process, peer), ExitStack() as stack:
        token = peer.sign_in()
        before = _peak_megabytes(process.pid)
        head = b"GET / HTTP/1.1\r\nHost: auth.example.com\r\n"
        clients = _open(peer, stack, *[head] * 200)
        for _ in range(30):
            for client in clients:
                with suppress(OSError):
                    client.sendall(line)
                    sent += len(line)
        verified = peer.verify(token)
        grown = _peak_megabytes(process.pid) - before

    assert sent > 200 * 200_000
    assert grown < 350
    assert verified.status == 200


def _peak_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
