"""A Redis of the tests' own, which can go away, hang, refuse and come back."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.support.binaries import require_binary
from tests.support.certificates import Certificates
from tests.support.processes import Process, free_ports, wait_for

_READERS: Final[Mapping[bytes, tuple[str | int, ...]]] = {
    b"none": ("GET",),
    b"string": ("GET",),
    b"hash": ("HGETALL",),
    b"list": ("LRANGE", "0", "-1"),
    b"zset": ("ZRANGE", "0", "-1"),
}
"""What a value is read with, by its type; no other type is ours."""


def _read(client: Any, key: bytes) -> list[bytes]:
    """Return all that *key* holds, nothing if it has expired meanwhile."""
    name, *rest = _READERS[client.execute_command("TYPE", key)]
    answer = client.execute_command(name, key, *rest)
    found = answer if isinstance(answer, list) else [answer]
    return [part for part in found if part is not None]


class RedisServer:
    """A context manager; what it has acknowledged survives that it is stopped."""

    def __init__(
        self,
        folder: Path,
        *settings: str,
        port: int | None = None,
        certificates: Certificates | None = None,
        password: str = "",
    ) -> None:
        """Prepare the server, which keeps all in *folder*.

        Args:
            folder: Its own, made if it is missing.
            settings: Further arguments, such as ``--name value``.
            port: Where it listens, on loopback; a free one when left out.
            certificates: What it shows. It speaks TLS alone then, with clients that
                show a certificate of the same authority.
            password: Of the user ``default``, who may do everything.
        """
        self.port = free_ports(1)[0] if port is None else port
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._certificates = certificates
        self._password = password
        folder.mkdir(parents=True, exist_ok=True)
        self._process = Process(
            f"redis on {self.port}",
            [
                require_binary("redis-server"),
                *("--bind", "127.0.0.1", "--dir", folder),
                *("--save", "", "--appendonly", "yes", "--appendfsync", "always"),
                *self._listening(),
                *(("--requirepass", password) if password else ()),
                *settings,
            ],
            log=folder / "redis.log",
            ports=[self.port],
        )

    def run(self, *command: str | bytes | int) -> Any:
        """Return the answer to *command*, as it came, for the user ``default``."""
        with self._client() as client:
            client.response_callbacks.clear()
            return client.execute_command(*command)

    def dump(self, prefix: str = "") -> dict[bytes, list[bytes]]:
        """Return every key that begins with *prefix*, and everything that it holds."""
        with self._client() as client:
            client.response_callbacks.clear()
            keys = client.execute_command("KEYS", f"{prefix}*")
            found = {key: _read(client, key) for key in keys}
        return {key: parts for key, parts in found.items() if parts}

    def history(self) -> bytes:
        """Return everything that was ever written, as the server's log has it."""
        return b"".join(
            file.read_bytes() for file in (self._folder / "appendonlydir").iterdir()
        )

    def owner_of(self, _key: str) -> Self:
        """Return the server that has a key, as a cluster does."""
        return self

    def start(self) -> None:
        """Start the server, and return when it answers."""
        self._process.start()
        wait_for(self._answers, f"{self._process.name} answers")

    def stop(self) -> None:
        """Ask the server to end, and wait for it."""
        self._process.stop()

    def kill(self) -> None:
        """End the server as ``kill -9`` does."""
        self._process.kill()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Keep the server away as long as the context lasts."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the server hang as long as the context lasts: it answers nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    @contextmanager
    def configured(self, name: str, value: str) -> Iterator[None]:
        """Change one setting as long as the context lasts."""
        _, before = self.run("CONFIG", "GET", name)
        self.run("CONFIG", "SET", name, value)
        try:
            yield
        finally:
            self.run("CONFIG", "SET", name, before)

    def reset_connections(self) -> None:
        """Close the connections of all clients."""
        self.run("CLIENT", "KILL", "TYPE", "normal")

    def _listening(self) -> tuple[str | Path, ...]:
        if self._certificates is None:
            return ("--port", str(self.port))
        return (
            *("--port", "0", "--tls-port", str(self.port)),
            *("--tls-cert-file", self._certificates.certificate),
            *("--tls-key-file", self._certificates.key),
            *("--tls-ca-cert-file", self._certificates.authority),
        )

    def _client(self) -> Any:
        options: dict[str, Any] = {"protocol": 2, "password": self._password or None}
        if self._certificates is not None:
            options |= {
                "ssl": True,
                "ssl_ca_certs": str(self._certificates.authority),
                "ssl_certfile": str(self._certificates.certificate),
                "ssl_keyfile": str(self._certificates.key),
            }
        return Redis(host="127.0.0.1", port=self.port, **options)

    def _answers(self) -> bool:
        try:
            return self.run("PING") is not None
        except RedisConnectionError:
            # Still loading, too.
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.close()
