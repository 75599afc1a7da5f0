"""How servers are loaded: as fast as they answer by wrk, or at a constant rate.

Law: an answer that is not the expected one makes the run worthless, and ends it.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.open_loop import CONNECTIONS
from benchmarks.servers import CLIENT_CORE, pinned

_SCRIPT: Final = Path(__file__).with_name("rotate.lua")
_GRACE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """Answers at a constant rate.

    Attributes:
        p99: Seconds that 99 of 100 took at most, from when they were due.
        logins: Sign-ins beside them.
    """

    p99: float
    logins: int


def write_requests(path: Path, requests: Iterable[bytes]) -> Path:
    """Write *requests* to the file at *path* as both clients read them; return it."""
    path.write_bytes(b"".join(each + b"\0" for each in requests))
    return path


def rate(
    port: int, requests: Path, seconds: float, *, is_refused: bool = False
) -> float:
    """Return the answers per second when each is waited for, on 32 connections.

    Args:
        port: Whom to ask.
        requests: The file that goes round.
        seconds: How long.
        is_refused: Whether every answer has to be 4xx, instead of none.

    Raises:
        RuntimeError: An answer was another, or was missing.
    """
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", _SCRIPT]
    # A slow server is slow, not wrong: wrk would take more than 2 s for an error.
    command += ["--timeout", f"{_GRACE_SECONDS}s"]
    command += [f"http://127.0.0.1:{port}", "--", requests]
    found = _run(command, seconds)
    wanted = found["requests"] if is_refused else 0
    if found["failed"] or found["refused"] != wanted:
        raise RuntimeError(f"not the expected answers: {found}")
    return float(found["requests"] / found["micros"] * 1e6)


def paced(
    port: int,
    requests: Path,
    seconds: float,
    per_second: float,
    *,
    logins: Path | None = None,
) -> Paced:
    """Return how long answers took at *per_second*, with *logins* beside them."""
    command = [sys.executable, "-m", "benchmarks.open_loop", str(port), requests]
    command += [str(per_second), str(seconds)]
    if logins is not None:
        command += ["--logins", logins]
    found = _run(command, seconds)
    return Paced(p99=found["p99"], logins=found["logins"])


def _run(command: Sequence[object], seconds: float) -> dict[str, Any]:
    """Return the JSON of the last line that *command* prints."""
    done = subprocess.run(  # noqa: S603 - fixed programs
        pinned(CLIENT_CORE, *map(str, command)),
        capture_output=True,
        check=False,
        text=True,
        timeout=seconds + _GRACE_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    last = done.stdout.strip().rpartition("\n")[2]
    found: dict[str, Any] = json.loads(last.removeprefix("RESULT "))
    return found
