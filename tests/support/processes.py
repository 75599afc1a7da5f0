"""Servers as child processes: started, waited for, and ended by their own pid."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

START_SECONDS: Final = 60.0
"""How long a server may take until it listens; two busy cores need their time."""

_STOP_SECONDS: Final = 40.0
_POLL_SECONDS: Final = 0.02
_TAIL_LINES: Final = 40

_PORTS: Final = range(12_000, 32_000)
"""Where no system takes the port of an outgoing connection from, as it might that of a
server that is about to listen (Linux: 32768 and up), and which no browser refuses."""

_given: set[int] = set()


def free_ports(count: int) -> tuple[int, ...]:
    """Return *count* different ports of loopback that nobody listens on.

    None is returned again soon: whoever got it may not listen yet.
    """
    if len(_given) > len(_PORTS) // 2:
        _given.clear()
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(_PORTS)
        if port not in _given and _is_free(port):
            _given.add(port)
            found.append(port)
    return tuple(found)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_for(
    is_reached: Callable[[], bool], what: str, *, seconds: float = START_SECONDS
) -> None:
    """Return when *is_reached* says so; fail the test after *seconds*."""
    deadline = time.monotonic() + seconds
    while not is_reached():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def held(pid: int) -> Iterator[None]:
    """Stop a process, which must be there, until the context ends."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: _state(pid) == "T", "the process is held")
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def is_listening(port: int) -> bool:
    """Whether something accepts connections on *port* of loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def count_closed_connections(port: int) -> int:
    """Return how many connections to *port* have been closed a short while ago."""
    return len(closed_connections(port))


def closed_connections(port: int) -> frozenset[tuple[str, str]]:
    """Return both ends of the connections to *port* that were closed lately.

    Linux remembers each for a minute, as TIME_WAIT, state 6 of ``/proc/net/tcp``.
    """
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    end = f":{port:04X}"
    return frozenset(
        (row[1], row[2])
        for row in rows
        if row[3] == "06" and (row[1].endswith(end) or row[2].endswith(end))
    )


class ProcessEndedError(AssertionError):
    """A server ended by itself before it listened."""


class Process:
    """One server, in a process group of its own; a context manager that ends it.

    Its output goes to *log*, and the end of it into the message of every failure.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        log: Path,
        ports: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = log
        self._arguments = [str(argument) for argument in arguments]
        self.ports = tuple(ports)
        self._environment = {**os.environ, **(environment or {})}
        self._descriptors = tuple(descriptors)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """All the variables that the server is started with."""
        return self._environment

    @property
    def pid(self) -> int:
        """The child's process id, which is also its process group's."""
        assert self._child is not None, f"{self.name} was not started"
        return self._child.pid

    def start(self) -> Self:
        """Start the server and return when all its ports listen."""
        assert self._child is None, f"{self.name} runs already"
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(  # noqa: S603 - fixed programs of the tests
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
                pass_fds=self._descriptors,
            )
        try:
            wait_for(self._listens, f"{self.name} listens; see {self.log}")
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask the server to end, wait for it, and return its exit status."""
        assert self._child is not None, f"{self.name} was not started"
        self._child.send_signal(how)
        try:
            status = self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            message = f"{self.name} did not end on {how.name}; its log:\n{self.tail()}"
            raise AssertionError(message) from None
        self._child = None
        return status

    def kill(self) -> None:
        """End the server's whole process group without asking."""
        if self._child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait(_STOP_SECONDS)
        self._child = None

    def wait(self, seconds: float = _STOP_SECONDS) -> int:
        """Return the exit status once the server has ended by itself."""
        assert self._child is not None, f"{self.name} was not started"
        return self._child.wait(seconds)

    def is_running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def tail(self) -> str:
        """Return the last lines of the server's output."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])

    def _listens(self) -> bool:
        assert self._child is not None
        status = self._child.poll()
        if status is not None:
            message = f"{self.name} ended with {status}:\n{self.tail()}"
            raise ProcessEndedError(message)
        return all(map(is_listening, self.ports))

    def __enter__(self) -> Self:
        return self.start()

    def close(self) -> None:
        """End the server if it still runs; calling it twice is no error."""
        if self.is_running():
            self.stop()
        else:
            self.kill()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
