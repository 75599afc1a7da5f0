"""A program with workers that serve nothing: ``python -m tests.support.supervised``.

Each worker writes what becomes of it to a file of its own, ``<number>.<pid>``, so that
a test sees from outside who lives, and can end one by its process id.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from forwardauth.cli.channel import Kind, Message, ParentEnd
from forwardauth.cli.household import Household
from forwardauth.cli.worker_place import Serve
from forwardauth.cli.workers import KILLED_AFTER_SECONDS, supervise
from forwardauth.errors import ConfigError, ForwardAuthError
from tests.support.processes import Process

COUNT: Final = 2
ALWAYS: Final = 0.0
NEVER: Final = 3600.0
STARTING_SECONDS: Final = 2.0
"""Far more than it takes to say that one serves."""

_DRAIN_SECONDS: Final = 1.0 - KILLED_AFTER_SECONDS
"""So that a worker that hangs is killed after a second."""


def supervised(folder: Path, *, way: str, settled_seconds: float) -> Process:
    """Return the program, not yet started, with ``COUNT`` workers.

    Args:
        folder: Where workers leave their files.
        way: What workers do, the name of one of the functions in ``WAYS``.
        settled_seconds: As in ``supervise``.
    """
    return Process(
        "supervisor",
        [sys.executable, "-m", "tests.support.supervised", way, str(settled_seconds)],
        log=folder / "log",
        environment={"SUPERVISED_FOLDER": str(folder)},
    )


def started(folder: Path) -> dict[int, int]:
    """Return the workers that have begun: number by process id, the dead ones too."""
    found = (path.name.split(".") for path in folder.glob("[0-9].[0-9]*"))
    return {int(pid): int(number) for number, pid in found}


def reloads(folder: Path) -> list[str]:
    """Return the workers of each reload, by their numbers."""
    path = folder / "reloads"
    return path.read_text().split() if path.exists() else []


def told(folder: Path) -> dict[int, list[str]]:
    """Return the names of the signals that each worker got, by process id."""
    return {
        int(path.name.split(".")[1]): path.read_text().split()
        for path in folder.glob("[0-9].[0-9]*")
    }


def _wait(number: int, end: socket.socket) -> None:
    """Wait until told to stop, and note by what."""
    path = Path(os.environ["SUPERVISED_FOLDER"]) / f"{number}.{os.getpid()}"
    path.touch()
    end.sendall(Message(Kind.SERVING).pack())
    name = signal.Signals(signal.sigwait(_AWAITED)).name
    path.write_text(f"{name}\n")


def _hang(number: int, end: socket.socket) -> None:
    """Stop for nobody."""
    path = Path(os.environ["SUPERVISED_FOLDER"]) / f"{number}.{os.getpid()}"
    path.touch()
    end.sendall(Message(Kind.SERVING).pack())
    while True:
        signal.sigwait(_AWAITED)


def _die_second(number: int, end: socket.socket) -> None:
    """Serve as the first worker, and fail as the second."""
    if number == 1:
        message = "the users file is gone"
        raise ConfigError([message])
    _wait(number, end)


def _break(number: int, end: socket.socket) -> None:
    """Serve, but for the second worker where something broke after the start."""
    if number == 1 and (Path(os.environ["SUPERVISED_FOLDER"]) / "broken").exists():
        message = "the users file is gone"
        raise ConfigError([message])
    _wait(number, end)


def _stall(number: int, end: socket.socket) -> None:
    """Serve, but for the second worker where something hangs after the start."""
    if number == 1 and (Path(os.environ["SUPERVISED_FOLDER"]) / "broken").exists():
        (Path(os.environ["SUPERVISED_FOLDER"]) / "stalled").touch()
        signal.pause()
    _wait(number, end)


def _crash(_number: int, _end: socket.socket) -> None:
    message = "a mistake in the code"
    raise ZeroDivisionError(message)


WAYS: Final[dict[str, Serve]] = {
    "wait": _wait,
    "break": _break,
    "hang": _hang,
    "stall": _stall,
    "die": _die_second,
    "crash": _crash,
}
_AWAITED: Final = (signal.SIGTERM,)


def _serve(number: int, end: socket.socket) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    WAYS[sys.argv[1]](number, end)


def _reload(
    workers: Mapping[int, ParentEnd], _is_given_up: Callable[[], bool]
) -> tuple[int, ...]:
    """Note which workers were led on; none of them is lost."""
    with (Path(os.environ["SUPERVISED_FOLDER"]) / "reloads").open("a") as file:
        file.write(f"{','.join(map(str, sorted(workers)))}\n")
    return ()


def main() -> int:
    """Run until told to stop; 1 when a worker failed."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # An orphan of somebody else's, as the first process of a container inherits them.
    orphan = subprocess.Popen([sys.executable, "-c", ""])
    try:
        supervise(
            COUNT,
            _serve,
            settled_seconds=float(sys.argv[2]),
            starting_seconds=STARTING_SECONDS,
            household=Household(reload=_reload, drain_seconds=lambda: _DRAIN_SECONDS),
        )
    except ForwardAuthError as exc:
        sys.stderr.write(f"Error: {exc}\n")
        return 1
    finally:
        orphan.returncode = 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
