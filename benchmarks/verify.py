"""How fast verify is, against the nginx that answers 204 on the same core.

    script/bench verify [--quick] [--json FILE] [--profile STORE]

Everything runs on this machine: the server on one core, the client on another. Short
rounds alternate between all servers, a ratio is formed within one round, and the median
of the rounds is printed with the lowest and the highest of them.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.figures import Report
from benchmarks.hotspots import profile_verify
from benchmarks.resident import group_seconds, is_on_uvloop, pss_megabytes
from benchmarks.start import Start
from benchmarks.verify_rows import (
    OWN_TIME,
    Series,
    memory_rows,
    rate_rows,
    start_row,
    wait_rows,
)
from benchmarks.verify_stage import STORES, Stage, stage
from benchmarks.workload import Workload, create_workload

HALF: Final = 0.5
QUARTER: Final = 0.25
"""Of the highest rate: hashing takes its share of the core, and a queue that grows
without end would measure nothing but the length of the run."""

LOGIN_SECONDS: Final = 2.0
"""At least: on a core that is fully used a login takes its time."""

MAX_PACED: Final = 40_000
"""Answers a second that the client at a constant rate can still time."""

WAIT_ROUNDS: Final = 5
"""At least, for the p99: one hiccup of the machine must not decide about it."""


class Rounds:
    """Measures *count* rounds of *seconds* for each subject."""

    def __init__(self, on: Stage, *, count: int, seconds: float) -> None:
        """Measure the servers of *on*."""
        self._on, self._count, self._seconds = on, count, seconds

    def rates(self) -> Series:
        """Return the answers per second of each subject, round by round.

        Those of ours are told for each second of their processor time, too.
        """
        found: Series = {name: [] for name in self._on.subjects}
        for number in range(self._count):
            # Every other round backwards, so that no subject always follows the same.
            for name in list(self._on.subjects)[:: -1 if number % 2 else 1]:
                subject = self._on.subjects[name]
                if subject.process is None:
                    found[name].append(subject.rate(self._seconds))
                    continue
                before = group_seconds(subject.process.pid)
                rate = subject.rate(self._seconds)
                taken = group_seconds(subject.process.pid) - before
                found[name].append(rate)
                own = found.setdefault(name + OWN_TIME, [])
                own.append(rate * self._seconds / taken)
        return found

    def waits(self) -> Series:
        """Return the p99 in milliseconds of each case, round by round.

        Each round has its own highest rate: where neighbours leave less of the machine
        than a minute ago, half of what was possible then would be more than all.
        """
        service, empty = self._on.subjects["sqlite"], self._on.subjects["empty"]
        found: Series = {name: [] for name in ("empty", "service", "quiet", "logins")}
        logins = 0
        for _ in range(max(self._count, WAIT_ROUNDS)):
            highest = service.rate(self._seconds)
            half, quarter = (min(MAX_PACED, highest * part) for part in (HALF, QUARTER))
            beside = service.paced(
                max(self._seconds, LOGIN_SECONDS), quarter, logins=self._on.logins
            )
            logins += beside.logins
            for name, paced in (
                ("logins", beside),
                ("empty", empty.paced(self._seconds, half)),
                ("service", service.paced(self._seconds, half)),
                ("quiet", service.paced(self._seconds, quarter)),
            ):
                found[name].append(paced.p99 * 1000)
        # Some hash was under way all the time; if none was ever done, that is a fault.
        if logins == 0:
            raise RuntimeError("no login came through: is the machine too busy?")
        return found


def environment(on: Stage, rounds: int, seconds: float) -> dict[str, str]:
    """Return what the figures depend on."""
    cores = len(os.sched_getaffinity(0))
    return {
        "Python": f"{platform.python_version()} ({sys.base_prefix})",
        **{name: version(name) for name in ("aiohttp", "redis", "uvloop")},
        "nginx": _program("nginx", "-v"),
        "redis-server": _program("redis-server", "--version"),
        "wrk": _program("wrk", "-v"),
        "the service's loop": "uvloop"
        if is_on_uvloop(on.services["memory"].pid)
        else "asyncio",
        "cores": f"{cores} ({_processor()})",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "rounds": f"{rounds} of {seconds:g} s",
    }


def _program(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed programs
    found = re.search(r"[0-9]+\.[0-9]+[0-9.]*", done.stdout + done.stderr)
    return found[0] if found else "?"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = (line for line in lines if line.startswith("model name"))
    return next(names, ": unknown").partition(":")[2].strip()


def run(workload: Workload, folder: Path, *, rounds: int, seconds: float) -> Report:
    """Measure everything once."""
    begin = Start(folder / "start", workload)
    begin.seconds()  # compiles what all others find compiled
    with stage(folder, workload) as on:
        facts = environment(on, rounds, seconds)
        measure = Rounds(on, count=rounds, seconds=seconds)
        rates = measure.rates()
        # Before the logins: a hash in hand takes 64 MiB for a moment.
        memory = {name: pss_megabytes(on.services[name].pid) for name in STORES}
        waits = measure.waits()
    starts = [begin.seconds() for _ in range(rounds)]
    rows = [
        *rate_rows(rates),
        *wait_rows(waits),
        *memory_rows(memory, len(workload.tokens)),
        start_row(starts, [begin.aiohttp_seconds() for _ in range(rounds)]),
    ]
    return Report(environment=facts, rows=rows)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under two minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write FILE, too")
    parser.add_argument("--profile", choices=STORES, help="where the time goes instead")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forwardauth-bench-") as name:
        workload, folder = create_workload(), Path(name)
        if arguments.profile:
            print(profile_verify(folder, workload, arguments.profile))
            return
        rounds, seconds = (3, 1.0) if arguments.quick else (7, 3.0)
        report = run(workload, folder, rounds=rounds, seconds=seconds)
    print(report.text())
    if arguments.json is not None:
        arguments.json.write_text(report.json(), encoding="utf-8")


if __name__ == "__main__":
    main()
