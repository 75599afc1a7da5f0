"""What faults are done to: the service with its workers, store, disk and clock.

Law: everything is real. The disk is a small file system of its own, which takes root to
mount; the clock is the system's, moved by libfaketime for the processes of the stage.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.processes import Process, free_ports, wait_for
from tests.support.redis_server import RedisServer
from tests.support.relay import TcpRelay
from tests.support.serving import Peer, workers_of, write_installation

WORKERS: Final = 2
DISK_MEGABYTES: Final = 16
MAX_FILES: Final = 256
"""Open files of a worker; a fault takes them away, or uses them up."""

STORES: Final = ("sqlite", "redis")


class NoMountError(RuntimeError):
    """This machine does not let us mount a file system."""


class NoFakeTimeError(RuntimeError):
    """There is no libfaketime."""


class Disk:
    """A small file system in memory, mounted at *path* as long as the context lasts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def __enter__(self) -> Self:
        self.path.mkdir()
        _mount("-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", self.path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _unmount(self.path)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no byte free as long as the context lasts."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (65_536, 4_096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
        try:
            yield
        finally:
            self._ballast.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nothing be opened for writing, root or not, as long as it lasts."""
        _mount("--bind", self.path, self.path)
        try:
            _mount("-o", "remount,bind,ro", self.path)
            yield
        finally:
            _unmount(self.path)


def _mount(*arguments: str | Path) -> None:
    done = subprocess.run(  # noqa: S603 - fixed program
        ["mount", *map(str, arguments)],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoMountError(f"faults of the disk need root: {done.stderr.strip()}")


def _unmount(path: Path) -> None:
    # Lazily: a process that still has it open must not keep the folder.
    subprocess.run(["umount", "--lazy", str(path)], check=True)  # noqa: S603, S607 - ours


class FakeTime:
    """The clock of the processes that are started with ``environment``."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.step("+0")

    @property
    def environment(self) -> Mapping[str, str]:
        """What lets a process have this clock; the monotonic one stays the system's."""
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
        if not found:
            raise NoFakeTimeError("install the package faketime: it moves the clock")
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, offset: str) -> None:
        """Set the clock to the system's and *offset*, such as ``+1h``, in a second."""
        other = self._file.with_suffix(".new")
        other.write_text(f"{offset}\n")
        other.replace(self._file)


class Stage:
    """A context manager: everything runs as long as it lasts."""

    def __init__(
        self,
        folder: Path,
        store: str,
        *,
        moves_clock: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare everything below *folder*, on a *store* of ``STORES``."""
        self.store = store
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.disk = Disk(folder / "disk")
        self.clock = FakeTime(folder) if moves_clock else None
        self.redis: RedisServer | None = None
        self.relay: TcpRelay | None = None
        self.port, self.management = free_ports(2)
        self._settings = dict(settings or {})
        self._stack = ExitStack()
        self.process: Process | None = None

    @property
    def database(self) -> Path:
        """The file of the SQLite store."""
        return self.disk.path / "sessions.db"

    @property
    def users(self) -> Path:
        """The users file."""
        return self.disk.path / "users.yaml"

    @property
    def log(self) -> Path:
        """What the service writes."""
        return self.folder / "log"

    @property
    def peer(self) -> Peer:
        """A proxy that asks."""
        return Peer(address=self.port)

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        assert self.process is not None
        return workers_of(self.process)

    def is_serving(self) -> bool:
        """Whether the service is up and has all its workers."""
        return (
            self.process is not None
            and self.process.is_running()
            and len(self.workers()) == WORKERS
        )

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.disk)
            environment = {} if self.clock is None else dict(self.clock.environment)
            url = f"sqlite:{self.database}"
            if self.store == "redis":
                # On another machine, so to say: the clock of the stage is not its own.
                self.redis = stack.enter_context(RedisServer(self.folder / "redis"))
                self.relay = stack.enter_context(TcpRelay(self.redis.port))
                url = f"redis://127.0.0.1:{self.relay.port}/0"
            config = write_installation(
                self.disk.path, server=self._server(), store=url
            )
            moved = self.folder / "config.yaml"
            moved.write_text(config.read_text().replace("users.yaml", str(self.users)))
            self.process = Process(
                f"forwardauth on {self.store}",
                [sys.executable, "-m", "forwardauth", "serve", "--config", moved],
                log=self.log,
                ports=[self.port],
                environment={
                    "FORWARDAUTH_SESSION__JOURNAL": str(self.disk.path / "journal"),
                    **environment,
                    **self._settings,
                },
            )
            stack.enter_context(self.process)
            wait_for(self.is_serving, "all workers serve")
            self._stack = stack.pop_all()
        return self

    def _server(self) -> str:
        return (
            f"  listen: 127.0.0.1:{self.port}\n  workers: {WORKERS}\n"
            f"  management: 127.0.0.1:{self.management}\n"
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
