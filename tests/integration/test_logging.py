"""The log of the service as a process: what a shipper of lines and logrotate meet."""

import contextlib
import grp
import json
import os
import pwd
import re
import signal
import subprocess
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.support.binaries import require_binary
from tests.support.portal import PASSWORD
from tests.support.processes import free_ports, wait_for
from tests.support.repository import ROOT
from tests.support.serving import Peer, serving, workers_of, write_installation

PID: Final = re.compile(rb'"pid": ?(\d+),')
SHIPPED: Final = ROOT / "deploy/systemd/forwardauth.logrotate"


def sign_in(peer: Peer, name: str) -> None:
    """Sign alice in by a request that the proxy calls *name*."""
    reply = peer.send(
        "POST",
        "/api/firstfactor",
        headers=[("Content-Type", "application/json"), ("X-Request-ID", name)],
        body=json.dumps({"username": "alice", "password": PASSWORD}).encode(),
    )
    assert reply.status == 200
    assert reply.lines("X-Request-ID") == [name]


def files_of(pid: int) -> set[Path]:
    """Return what the process has open."""
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # It was closed meanwhile.
            found.add(each.readlink())
    return found


def rotate(path: Path, pid: int) -> None:
    """Rotate *path* as shipped, but that kill tells the one *pid*, and no systemd."""
    user = pwd.getpwuid(os.getuid()).pw_name
    group = grp.getgrgid(os.getgid()).gr_name
    text = SHIPPED.read_text("utf-8")
    for shipped, here in (
        ("/var/log/forwardauth/audit.log", str(path)),
        ("su forwardauth forwardauth", f"su {user} {group}"),
        (
            "systemctl kill --signal=USR1 forwardauth.service",
            f"kill -USR1 {pid}",
        ),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    rules = path.with_name("logrotate.conf")
    rules.write_text(text, encoding="utf-8")
    state = path.with_name("logrotate.state")
    subprocess.run(  # noqa: S603 - the program that was looked up
        [require_binary("logrotate"), "--force", "--state", state, rules], check=True
    )


def events_in(path: Path) -> list[Any]:
    """Return what stands in *path*, which holds nothing but lines of JSON."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def writers(files: Iterable[Path]) -> set[bytes]:
    """Return the processes that have written to *files*, the last line may be torn."""
    return {pid for file in files for pid in PID.findall(file.read_bytes())}


def sign_out_often(
    port: int, who: str, told: list[str], is_over: threading.Event
) -> None:
    """Ask for logouts that the proxy calls *who* and a number, until it *is_over*."""
    peer = Peer(address=port)
    for number in count():
        if is_over.is_set():
            return
        name = f"{who}-{number}"
        reply = peer.send("POST", "/api/logout", headers=[("X-Request-ID", name)])
        assert reply.status == 200
        told.append(name)


def two_workers(folder: Path) -> tuple[Path, int, int]:
    """Return a configuration of two workers, their port and that of management.

    They write JSON, and the audit events to a file of their own.
    """
    port, management = free_ports(2)
    server = (
        f"  listen: 127.0.0.1:{port}\n  management: 127.0.0.1:{management}\n"
        "  workers: 2\n"
    )
    extra = "logging: {format: json, audit: audit.log}\n"
    config = write_installation(
        folder, server=server, store="sqlite:sessions.db", extra=extra
    )
    return config, port, management


def test_rotations_under_load_lose_no_event(tmp_path: Path) -> None:
    """Two workers write all along while the file is renamed, again and again."""
    config, port, management = two_workers(tmp_path)
    audit, told, is_over = tmp_path / "audit.log", list[str](), threading.Event()
    files = [audit, *(tmp_path / f"audit.log.{number}" for number in range(5))]
    with serving(config, port, management) as process, ThreadPoolExecutor(4) as pool:
        wait_for(lambda: process.tail().count("listening on") == 2, "both serve")
        asking = [
            pool.submit(sign_out_often, port, who, told, is_over) for who in "abcd"
        ]
        try:
            for old in files[1:]:
                written = len(told)
                wait_for(lambda: len(told) > written + 20, "some have signed out")  # noqa: B023 - called here
                audit.rename(old)
                os.kill(process.pid, signal.SIGUSR1)
                wait_for(audit.exists, "a new file is there")
            wait_for(lambda: len(writers(files)) == 2, "both workers have written")
        finally:
            is_over.set()
            for each in asking:
                each.result()
        assert process.stop() == 0

    found = [line for file in files for line in events_in(file)]
    assert sorted(line["request_id"] for line in found) == sorted(told)
    assert all(events_in(file) for file in files)
    assert "logout" not in {line.get("event") for line in events_in(tmp_path / "log")}


def test_json_log_with_audit_file_is_rotated_under_two_workers(tmp_path: Path) -> None:
    """Every line is an object; the audit file is whole after a rotation by signal."""
    config, port, management = two_workers(tmp_path)
    audit, old = tmp_path / "audit.log", tmp_path / "audit.log.1"
    with serving(config, port, management) as process:
        peer = Peer(address=port)
        wait_for(lambda: process.tail().count("listening on") == 2, "both serve")
        sign_in(peer, "first")
        rotate(audit, process.pid)
        everybody = (process.pid, *workers_of(process))
        wait_for(
            lambda: not any(old in files_of(pid) for pid in everybody),
            "nobody holds the old file any more",
        )
        for number in range(3):
            sign_in(peer, f"later-{number}")
        alive = len(workers_of(process))
        status = process.stop()

    assert (alive, status) == (2, 0)
    logged = events_in(tmp_path / "log")
    assert {"time", "level", "logger", "pid"} <= set.intersection(*map(set, logged))
    assert "login" not in {line.get("event") for line in logged}
    assert [line["request_id"] for line in events_in(old)] == ["first"]
    later = [line["request_id"] for line in events_in(audit)]
    assert sorted(later) == [f"later-{number}" for number in range(3)]
    assert PASSWORD not in (tmp_path / "log").read_text() + audit.read_text()
