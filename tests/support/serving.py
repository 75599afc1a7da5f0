"""``forwardauth serve`` as a process of its own, and short questions to it."""

import http.client
import json
import os
import socket
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.client import Headers, Reply, finish
from tests.support.portal import COOKIE, PASSWORD, PORTAL, USERS
from tests.support.processes import Process, held

SECRET: Final = "0123456789abcdef0123456789abcdef"
RULES: Final = """\
access_control:
  rules:
    - {domain: public.example.com, policy: bypass}
    - {domain: "*.example.com", policy: one_factor}
"""
_TIMEOUT_SECONDS: Final = 30


def write_installation(
    folder: Path, *, server: str, store: str, extra: str = ""
) -> Path:
    """Write users and a configuration into *folder*; return the configuration.

    Args:
        folder: For everything that the service keeps, too.
        server: The lines of that section, each indented.
        store: URL of the session store.
        extra: Further sections.
    """
    users = folder / "users.yaml"
    users.write_text(USERS, encoding="utf-8")
    users.chmod(0o600)
    config = folder / "config.yaml"
    config.write_text(
        f"server:\n{server}cookies:\n  - domain: example.com\n"
        f"    portal: https://{PORTAL}\nusers:\n  file: users.yaml\n"
        f"session:\n  store: {store}\n{RULES}{extra}",
        encoding="utf-8",
    )
    return config


def serving(
    config: Path, *ports: int, environment: Mapping[str, str] | None = None
) -> Process:
    """Return the service of *config*, not yet started, which will listen on *ports*."""
    return Process(
        "forwardauth",
        [sys.executable, "-m", "forwardauth", "serve", "--config", config],
        log=config.with_name("log"),
        ports=ports,
        environment=environment,
    )


def workers_of(process: Process) -> list[int]:
    """Return the process ids of the workers, in the order of their start."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(word) for word in children.read_text().split()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A proxy, or a browser behind it, on this machine.

    Attributes:
        address: A port of loopback, or the path of a unix socket.
    """

    address: int | Path

    def send(
        self,
        method: str,
        path: str,
        *,
        host: str = PORTAL,
        headers: Headers = (),
        body: bytes | None = None,
    ) -> Reply:
        """Send one request over a connection of its own."""
        connection = http.client.HTTPConnection("localhost", timeout=_TIMEOUT_SECONDS)
        connection.sock = self.connect()
        try:
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            return finish(connection, body)
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """Return a connection, for requests that are sent piece by piece."""
        if isinstance(self.address, int):
            return socket.create_connection(
                ("127.0.0.1", self.address), timeout=_TIMEOUT_SECONDS
            )
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(_TIMEOUT_SECONDS)
        client.connect(os.fspath(self.address))
        return client

    def verify(self, token: str | None, *, host: str = "app.example.com") -> Reply:
        """Ask whether a request to *host* may pass."""
        headers = [
            ("X-Original-URL", f"https://{host}/"),
            ("X-Original-Method", "GET"),
            *([] if token is None else [("Cookie", f"{COOKIE}={token}")]),
        ]
        return self.send("GET", "/verify/nginx", headers=headers)

    def sign_in(self, username: str = "alice", password: str = PASSWORD) -> str:
        """Return the session cookie that *username* gets."""
        body = json.dumps({"username": username, "password": password}).encode()
        reply = self.send(
            "POST",
            "/api/firstfactor",
            headers=[("Content-Type", "application/json")],
            body=body,
        )
        assert reply.status == 200, reply
        (line,) = [
            each for each in reply.lines("Set-Cookie") if each.startswith(f"{COOKIE}=")
        ]
        return line.partition(";")[0].removeprefix(f"{COOKIE}=")

    def sign_out(self, token: str) -> Reply:
        """Ask for the logout of the session *token*."""
        return self.send(
            "POST", "/api/logout", headers=[("Cookie", f"{COOKIE}={token}")]
        )


@contextmanager
def idle_and_held(pid: int, store: Path) -> Iterator[None]:
    """Hold a worker that is not in the middle of writing, or the others would wait.

    Args:
        pid: Of the worker.
        store: Its SQLite file.
    """
    while True:
        with ExitStack() as stack:
            stack.enter_context(held(pid))
            if _is_writable(store):
                yield
                return


def _is_writable(store: Path) -> bool:
    """Whether nobody is writing to the file."""
    with closing(sqlite3.connect(store, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True
