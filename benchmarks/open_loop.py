"""A client that asks at a constant rate, whatever the answers do, and times them.

A client that waits for each answer before it asks again hides a stall: it does not ask
while the server sleeps. Here a request that finds no free connection waits in line, and
its time counts from when it was due.

    python -m benchmarks.open_loop PORT FILE RATE SECONDS [--logins FILE]

Prints JSON. FILE holds requests as ``rotate.lua`` reads them. With ``--logins`` two
more connections send the sign-ins of that file without pause.
"""

import argparse
import json
import re
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

CONNECTIONS: Final = 32
LOGIN_CONNECTIONS: Final = 2

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)


@dataclass(slots=True)
class _Connection:
    """One connection: *due* is when its request should have been sent."""

    socket: socket.socket
    is_login: bool = False
    due: float = 0.0
    received: bytes = b""

    def receive(self) -> bool:
        """Read what is there; return whether the answer is whole.

        Raises:
            RuntimeError: The answer is no success, or the connection has ended.
        """
        data = self.socket.recv(65_536)
        self.received += data
        if not data or not self.received.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"no success: {self.received[:400]!r}")
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        length = _LENGTH.search(head + b"\r\n")
        if length is not None and len(body) < int(length[1]):
            return False
        self.received = b""
        return True


class OpenLoop:
    """Sends to one port; busy, so that the clock of the kernel does not matter."""

    def __init__(
        self, port: int, requests: Sequence[bytes], logins: Sequence[bytes] = ()
    ) -> None:
        """Connect; *logins* go round beside *requests* if there are any."""
        self._requests, self._logins = cycle(requests), cycle(logins)
        count = LOGIN_CONNECTIONS if logins else 0
        self._connections = {
            each.socket.fileno(): each
            for each in (
                _Connection(
                    socket.create_connection(("127.0.0.1", port)),
                    is_login=number >= CONNECTIONS,
                )
                for number in range(CONNECTIONS + count)
            )
        }
        self._poll = select.epoll()
        for number in self._connections:
            self._poll.register(number, select.EPOLLIN)
        self.logins = 0

    def run(self, rate: float, seconds: float) -> list[float]:
        """Return the time in seconds that each request took from when it was due."""
        times: list[float] = []
        free = [each for each in self._connections.values() if not each.is_login]
        for each in self._connections.values():
            if each.is_login:
                each.socket.sendall(next(self._logins))
        due = time.perf_counter()
        end = due + seconds
        while (now := time.perf_counter()) < end:
            while free and due <= now:
                connection = free.pop()
                connection.due = due
                connection.socket.sendall(next(self._requests))
                due += 1 / rate
            for number, _ in self._poll.poll(0):
                connection = self._connections[number]
                if not connection.receive():
                    continue
                if connection.is_login:
                    self.logins += 1
                    connection.socket.sendall(next(self._logins))
                else:
                    times.append(time.perf_counter() - connection.due)
                    free.append(connection)
        # Whoever is still waiting has waited at least this long.
        return times + [end - late for late in _line(due, end, 1 / rate)]

    def close(self) -> None:
        """End all connections."""
        self._poll.close()
        for each in self._connections.values():
            each.socket.close()


def _line(due: float, end: float, step: float) -> list[float]:
    """Return when those were due that were never sent."""
    return [due + step * number for number in range(max(0, int((end - due) / step)))]


def read_requests(path: Path) -> list[bytes]:
    """Return the requests of the file at *path*."""
    return path.read_bytes().split(b"\0")[:-1]


def ask() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("rate", type=float)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--logins", type=Path)
    arguments = parser.parse_args()
    logins = [] if arguments.logins is None else read_requests(arguments.logins)
    client = OpenLoop(arguments.port, read_requests(arguments.file), logins)
    times = sorted(client.run(arguments.rate, arguments.seconds))
    client.close()
    found = {
        "requests": len(times),
        "median": times[len(times) // 2],
        "p99": times[len(times) * 99 // 100],
        "logins": client.logins,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    ask()
