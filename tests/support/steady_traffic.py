"""Verify requests one after the other, on connections that are kept."""

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.portal import COOKIE
from tests.support.processes import wait_for

_TIMEOUT_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one answer says: the status, and the header that names the groups."""

    status: int
    groups: tuple[str, str] | None


class KeptConnection:
    """One connection of a proxy; a context manager keeps it busy by a thread."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._connection = self._connect()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, daemon=True)
        self.told: list[Told] = []
        self.error: Exception | None = None

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS
        )
        connection.connect()
        # Who is hung up on notices, and does not call again.
        connection.auto_open = 0
        return connection

    def ask(self) -> Told:
        """Ask once whether the holder of the token may pass."""
        self._connection.request(
            "GET",
            "/verify/nginx",
            headers={
                "X-Original-URL": "https://app.example.com/",
                "X-Original-Method": "GET",
                "Cookie": f"{COOKIE}={self._token}",
            },
        )
        response = self._connection.getresponse()
        response.read()
        found = [
            (name, value)
            for name, value in response.getheaders()
            if name.startswith("X-Groups")
        ]
        told = Told(status=response.status, groups=found[0] if found else None)
        self.told.append(told)
        return told

    def close(self) -> None:
        """End a connection that no thread uses."""
        self._connection.close()

    def worker(self, workers: list[int]) -> int:
        """Return which of *workers* has the other end."""
        sock = self._connection.sock
        inode = _inode_of(self._port, sock.getsockname()[1])
        (found,) = (pid for pid in workers if inode in _inodes_held_by(pid))
        return found

    def _ask_on(self) -> None:
        try:
            while not self._is_over.is_set():
                self.ask()
        except (OSError, http.client.HTTPException) as exc:
            self.error = exc

    def wait_until(self, is_told: Callable[[Told], bool], what: str) -> None:
        """Return when an answer says so."""
        wait_for(lambda: any(map(is_told, self.told)), what)

    def wait_for_more(self, count: int) -> None:
        """Return when more than *count* answers have come."""
        wait_for(lambda: len(self.told) > count, "it is busy still")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join(_TIMEOUT_SECONDS)
        self.close()


def _inode_of(port: int, client: int) -> str:
    """Return the socket of the server on *port* whose other end is *client*."""
    ends = f":{port:04X}", f":{client:04X}"
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (inode,) = (
        row[9] for row in rows if (row[1][8:], row[2][8:]) == ends and row[3] == "01"
    )
    return inode


def _inodes_held_by(pid: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if name.startswith("socket:["):
            found.add(name.removeprefix("socket:[").removesuffix("]"))
    return found
