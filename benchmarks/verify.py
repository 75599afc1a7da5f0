"""How fast verify is, against the nginx that answers 204 on the same core.

    script/bench verify [--quick] [--json FILE] [--profile STORE]

Everything runs on this machine: the server on one core, the client on another. Each
server is loaded within seconds of the one that it is held to, which is asked before and
after it; a ratio is formed of these, and the median of the rounds is printed with the
lowest and the highest of them.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.figures import Report
from benchmarks.hotspots import profile_verify
from benchmarks.resident import group_seconds, is_on_uvloop, pss_megabytes
from benchmarks.start import Start
from benchmarks.verify_rows import (
    OWN_TIME,
    Pairs,
    Series,
    held_to,
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

WAIT_ROUNDS: Final = 3
"""At least, for the p99: one hiccup of the machine must not decide about it."""

STARTS: Final = 4
"""At least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: How often.
        seconds: How long each server is loaded in each round.
        between: How many are loaded between two looks at what they are held to.
    """

    rounds: int
    seconds: float
    between: int


QUICK: Final = Plan(rounds=2, seconds=1, between=4)
WHOLE: Final = Plan(rounds=7, seconds=2, between=2)


class Rounds:
    """Measures the servers of a stage."""

    def __init__(self, on: Stage, plan: Plan) -> None:
        """Measure those of *on* as *plan* says."""
        self._on, self._plan, self._seconds = on, plan, plan.seconds

    def warm_up(self) -> None:
        """Ask each service for a moment: the first look at a session is the slowest."""
        for name, subject in self._on.subjects.items():
            if subject.process is not None:
                self._rates(name)

    def rates(self) -> Pairs:
        """Return the answers per second of each subject beside those it is held to.

        What it is held to is asked some seconds before and after it, in which what
        neighbours on the machine do comes and goes, so that it falls on both.
        """
        found: Pairs = {}
        for number in range(self._plan.rounds):
            # Every other round backwards, so that no subject always follows the same.
            step = -1 if number % 2 else 1
            for reference, names in list(held_to(self._on.subjects).items())[::step]:
                before = self._rates(reference)
                for some in batched(names[::step], self._plan.between):
                    rates = {name: self._rates(name) for name in some}
                    after = self._rates(reference)
                    for name, by_way in rates.items():
                        for way in by_way.keys() & before.keys():
                            pair = name + way, reference + way
                            held = (before[way] + after[way]) / 2
                            found.setdefault(pair, []).append((by_way[way], held))
                    before = after
        return found

    def _rates(self, name: str) -> dict[str, float]:
        """Return the answers of a subject, per second, by what follows its name.

        Those of ours are told for each second of their processor time, too.
        """
        subject = self._on.subjects[name]
        if subject.process is None:
            return {"": subject.rate(self._seconds)}
        before = group_seconds(subject.process.pid)
        rate = subject.rate(self._seconds)
        taken = group_seconds(subject.process.pid) - before
        return {"": rate, OWN_TIME: rate * self._seconds / taken}

    def waits(self) -> Series:
        """Return the p99 in milliseconds of each case, round by round.

        Each round has its own highest rate: where neighbours leave less of the machine
        than a minute ago, half of what was possible then would be more than all.
        """
        seconds = self._seconds
        service, empty = self._on.subjects["sqlite"], self._on.subjects["empty"]
        found: Series = {name: [] for name in ("empty", "service", "quiet", "logins")}
        logins = 0
        for _ in range(max(self._plan.rounds, WAIT_ROUNDS)):
            highest = service.rate(seconds)
            half, quarter = (min(MAX_PACED, highest * part) for part in (HALF, QUARTER))
            beside = service.paced(
                max(seconds, LOGIN_SECONDS), quarter, logins=self._on.logins
            )
            logins += beside.logins
            for name, paced in (
                ("logins", beside),
                ("empty", empty.paced(seconds, half)),
                ("service", service.paced(seconds, half)),
                ("quiet", service.paced(seconds, quarter)),
            ):
                found[name].append(paced.p99 * 1000)
        # Some hash was under way all the time; if none was ever done, that is a fault.
        if logins == 0:
            raise RuntimeError("no login came through: is the machine too busy?")
        return found


def batched(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield *names*, *size* at a time."""
    for begin in range(0, len(names), size):
        yield names[begin : begin + size]


def environment(on: Stage, plan: Plan) -> dict[str, str]:
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
        "rounds": f"{plan.rounds} of {plan.seconds:g} s",
    }


def _program(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed programs
    found = re.search(r"[0-9]+\.[0-9]+[0-9.]*", done.stdout + done.stderr)
    return found[0] if found else "?"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = (line for line in lines if line.startswith("model name"))
    return next(names, ": unknown").partition(":")[2].strip()


def run(workload: Workload, folder: Path, plan: Plan) -> Report:
    """Measure everything once."""
    begin = Start(folder / "start", workload)
    begin.seconds()  # compiles what all others find compiled
    with stage(folder, workload) as on:
        facts = environment(on, plan)
        measure = Rounds(on, plan)
        measure.warm_up()
        pairs = measure.rates()
        # Before the logins: a hash in hand takes 64 MiB for a moment.
        memory = {name: pss_megabytes(on.services[name].pid) for name in STORES}
        waits = measure.waits()
    starts = [
        (begin.seconds(), begin.aiohttp_seconds())
        for _ in range(max(plan.rounds, STARTS))
    ]
    rows = [
        *rate_rows(pairs),
        *wait_rows(waits),
        *memory_rows(memory, len(workload.tokens)),
        start_row(*zip(*starts, strict=True)),
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
        report = run(workload, folder, QUICK if arguments.quick else WHOLE)
    print(report.text())
    if arguments.json is not None:
        arguments.json.write_text(report.json(), encoding="utf-8")


if __name__ == "__main__":
    main()
