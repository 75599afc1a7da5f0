"""Processes with a share of a core each, so that two cores do for more than two.

A client needs a core, and so does each of two workers: what two are worth beside one
cannot be seen on two cores. With a third of a core for each worker it can.

Linux alone has this, by its control groups, and for the administrator alone.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

OF_A_WORKER: Final = 0.3
"""Of a core: with two workers the client has most of its own left."""

PERIOD_MICROS: Final = 10_000
"""After so long a process may use its share again. Source: cgroups(7), cpu.max."""

_ROOT: Final = Path("/sys/fs/cgroup")
_FIRST_VERSION: Final = _ROOT / "cpu"


def are_available() -> bool:
    """Whether this process may give shares to others."""
    try:
        with _group("probe", 1.0):
            return True
    except OSError:
        return False


@contextmanager
def limited(pids: Sequence[int], share: float) -> Iterator[None]:
    """Let each of *pids* use *share* of a core at most, as long as the context lasts.

    Raises:
        OSError: See ``are_available``.
    """
    if not pids:
        yield
        return
    with _group(str(pids[0]), share) as group:
        home = _home_of(pids[0])
        (group / "cgroup.procs").write_text(str(pids[0]), "ascii")
        try:
            with limited(pids[1:], share):
                yield
        finally:
            with suppress(ProcessLookupError):
                (home / "cgroup.procs").write_text(str(pids[0]), "ascii")


@contextmanager
def _group(name: str, share: float) -> Iterator[Path]:
    """Make a control group as long as the context lasts; it has to be empty then."""
    quota = int(share * PERIOD_MICROS)
    parent = _parent()
    group = parent / f"forwardauth-bench-{os.getpid()}-{name}"
    group.mkdir()
    try:
        if parent == _FIRST_VERSION:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROS), "ascii")
            (group / "cpu.cfs_quota_us").write_text(str(quota), "ascii")
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_MICROS}", "ascii")
        yield group
    finally:
        group.rmdir()


def _parent() -> Path:
    return _FIRST_VERSION if _FIRST_VERSION.is_dir() else _ROOT


def _home_of(pid: int) -> Path:
    """Return the control group that *pid* is in."""
    for line in Path(f"/proc/{pid}/cgroup").read_text("ascii").splitlines():
        number, controllers, path = line.split(":", 2)
        is_first = "cpu" in controllers.split(",")
        if is_first if _parent() == _FIRST_VERSION else number == "0":
            return _parent() / path.lstrip("/")
    raise ProcessLookupError(pid)
