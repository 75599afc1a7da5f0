"""A Redis of the tests' own, which can go away and come back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.binaries import require_binary
from tests.support.processes import Process, free_ports


class RedisServer:
    """A context manager; what it has acknowledged survives that it is stopped."""

    def __init__(self, folder: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"redis://127.0.0.1:{port}/0"
        self._process = Process(
            "redis",
            [
                require_binary("redis-server"),
                *("--bind", "127.0.0.1", "--port", str(port), "--dir", folder),
                *("--save", "", "--appendonly", "yes", "--appendfsync", "always"),
            ],
            log=folder / "redis.log",
            ports=[port],
        )

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Keep the server away as long as the context lasts."""
        self._process.stop()
        try:
            yield
        finally:
            self._process.start()

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.close()
