"""Mixed traffic for as long as is wanted, and whether anything grows.

    python -m tests.chaos.soak --store sqlite --minutes 30    (``script/chaos soak``)

People stay signed in, come and leave, or leave without a word and expire; passwords
change and the service is told to reload now and then. The rate is bounded, so that it
is time that is tested and not the machine. Ends with status 1 where memory, open files
or latency are not flat, or where an answer was wrong.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from forwardauth.users.hashes import Hasher
from tests.chaos.account import Account, Answer, Kind, Token, now
from tests.chaos.arguments import positive, run
from tests.chaos.crowd import Caller, Crowd
from tests.chaos.figures import (
    count_files,
    count_threads,
    growth,
    pss_megabytes,
    quantile,
    settled,
)
from tests.chaos.stage import STORES, Stage
from tests.support.portal import PASSWORD
from tests.support.serving import Peer

IDLE_SECONDS: Final = 20
"""Idle timeout: who leaves without a word has expired soon."""

SAMPLES: Final = 60
"""In a whole run."""

_LOOKS: Final = 10
"""At the memory for one sample, of which the least counts: hashing takes 64 MiB."""

_LOOK_PAUSE: Final = 0.08
SETTINGS: Final = {
    "FORWARDAUTH_SESSION__IDLE_TIMEOUT": f"{IDLE_SECONDS}s",
    "FORWARDAUTH_SESSION__ABSOLUTE_TIMEOUT": "5m",
    "FORWARDAUTH_SESSION__REMEMBER_ME": "null",
}
_PASSWORD_EVERY: Final = 20.0
_RELOAD_EVERY: Final = 13.0
_HASH_LINE: Final = re.compile(r"(bob:\n(?:.*\n)*?    password: ).*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What still counts as flat, from the first third of a run to its end.

    A short run has pools and caches that are still filling, and a latency of few
    requests; so it is held to less.
    """

    megabytes: float
    files: float
    latency: float


SHORT: Final = Limits(megabytes=12.0, files=12.0, latency=10.0)
LONG: Final = Limits(megabytes=4.0, files=4.0, latency=1.5)
LONG_MINUTES: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at the service.

    Attributes:
        seconds: Since the start.
        megabytes: Memory of all its processes.
        p50: Of verify since the last sample, in milliseconds; *p99* as well.
        sessions: What the store holds.
    """

    seconds: float
    megabytes: float
    files: int
    threads: int
    p50: float
    p99: float
    sessions: int


class Soak:
    """The traffic and what is measured meanwhile."""

    def __init__(self, stage: Stage, *, rate: float) -> None:
        """Ask *stage* *rate* times in a second, a tenth of it to sign in or out."""
        self._stage = stage
        self._rate = rate
        self._crowd = Crowd(stage.port)
        self._account = Account()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._staying: list[Token] = []
        self._leaving: list[Token] = []
        self.samples: list[Sample] = []
        self.statuses: dict[Kind, Counter[object]] = {kind: Counter() for kind in Kind}
        self.wrong: list[str] = []
        self.changes = self.reloads = 0

    def run(self, seconds: float) -> None:
        """Let everything go on for *seconds*, and take the samples."""
        work: list[Callable[[], None]] = [
            *(partial(self._verify, 4 / (0.9 * self._rate), n) for n in range(4)),
            partial(self._come, 1 / (0.05 * self._rate)),
            partial(self._leave, 1 / (0.04 * self._rate)),
            partial(self._every, _PASSWORD_EVERY, self._change_password),
            partial(self._every, _RELOAD_EVERY, self._reload),
        ]
        threads = [threading.Thread(target=each, daemon=True) for each in work]
        for thread in threads:
            thread.start()
        began = now()
        for number in range(1, SAMPLES + 1):
            since = now()
            time.sleep(max(0.0, began + seconds * number / SAMPLES - since))
            self.samples.append(self._sample(now() - began, since))
        self._stop.set()
        for thread in threads:
            thread.join()

    def _sample(self, seconds: float, since: float) -> Sample:
        assert self._stage.process is not None
        pids = [self._stage.process.pid, *self._stage.workers()]
        looks = []
        for _ in range(_LOOKS):
            looks.append(pss_megabytes(pids))
            time.sleep(_LOOK_PAUSE)
        answers = self._account.answers(since, now())
        times = [
            1_000 * (each.ended - each.began)
            for each in answers
            if each.kind is Kind.VERIFY
        ]
        return Sample(
            seconds=seconds,
            megabytes=min(looks),
            files=count_files(pids),
            threads=count_threads(pids),
            p50=quantile(times, 0.5),
            p99=quantile(times, 0.99),
            sessions=self._count_sessions(),
        )

    def _count_sessions(self) -> int:
        reply = Peer(address=self._stage.management).send("GET", "/metrics")
        found = re.search(
            rb"^forwardauth_sessions ([0-9.]+)$", reply.body, re.MULTILINE
        )
        return int(float(found[1])) if found else -1

    def _note(self, answer: Answer, *foreseen: object) -> None:
        with self._lock:
            self.statuses[answer.kind][answer.status] += 1
            if answer.status not in foreseen:
                self.wrong.append(f"{answer.kind} was answered {answer.status}")

    def _verify(self, pause: float, number: int) -> None:
        """Ask about people who stay; about those who left; about nobody."""
        caller = Caller(self._stage.port, keeps_connection=number % 2 == 0)
        turn = number
        while not self._stop.wait(pause):
            turn += 1
            with self._lock:
                staying = self._staying
                token = staying[turn % len(staying)] if staying else None
            if turn % 10 == 0:
                token = None
            answer = self._crowd.verify(caller, token)
            self._account.note(answer)
            if token is None:
                self._note(answer, 401)
                continue
            self._note(answer, 200, 401)
            if answer.status == 401:
                # The password of bob has changed, or five minutes are over.
                with self._lock:
                    self._staying = [e for e in self._staying if e is not token]
        caller.close()

    def _come(self, pause: float) -> None:
        """Sign in; one stays, one leaves, one is never heard of again."""
        caller = Caller(self._stage.port, keeps_connection=False)
        turn = 0
        while not self._stop.wait(pause):
            turn += 1
            token, answer = self._crowd.sign_in(caller)
            self._note(answer, 200)
            if token is None:
                continue
            with self._lock:
                if len(self._staying) < 10:
                    self._staying.append(token)
                elif turn % 5:
                    self._leaving.append(token)

    def _leave(self, pause: float) -> None:
        """Sign out, and ask once more with the cookie that has ended."""
        caller = Caller(self._stage.port, keeps_connection=False)
        while not self._stop.wait(pause):
            with self._lock:
                token = self._leaving.pop(0) if self._leaving else None
            if token is not None:
                self._note(self._crowd.sign_out(caller, token), 200)
                self._note(self._crowd.verify(caller, token), 401)

    def _every(self, seconds: float, act: Callable[[], None]) -> None:
        while not self._stop.wait(seconds):
            act()

    def _change_password(self) -> None:
        """Give bob another hash of the same password: his sessions end."""
        path = self._stage.users
        new = Hasher().hash(PASSWORD.encode())
        text = _HASH_LINE.sub(rf'\g<1>"{new}"', path.read_text("utf-8"))
        other = path.with_suffix(".new")
        other.touch(mode=0o600)
        other.write_text(text, "utf-8")
        other.replace(path)
        self.changes += 1

    def _reload(self) -> None:
        assert self._stage.process is not None
        os.kill(self._stage.process.pid, signal.SIGHUP)
        self.reloads += 1


def verdict(soak: Soak, limits: Limits) -> list[str]:
    """Return what is not as it should be, a sentence each."""
    found = sorted({*soak.wrong})
    memory = growth([each.megabytes for each in soak.samples])
    if memory > limits.megabytes:
        found.append(f"memory grew by {memory:.1f} MB")
    files = growth([each.files for each in soak.samples])
    if files > limits.files:
        found.append(f"{files:.0f} more files are open")
    for name in ("p50", "p99"):
        series = settled([getattr(each, name) for each in soak.samples])
        half = len(series) // 2
        before, after = quantile(series[:half], 0.5), quantile(series[half:], 0.5)
        if after > limits.latency * before + 5:
            found.append(f"{name} went from {before:.1f} to {after:.1f} ms")
    if soak.samples[-1].sessions > 3 * max(s.sessions for s in soak.samples[:20]):
        found.append(f"{soak.samples[-1].sessions} sessions are kept")
    return found


def table(samples: Sequence[Sample], rows: int = 10) -> str:
    """Return some of *samples*, one on a line."""
    head = "| minute | memory MB | files | threads | p50 ms | p99 ms | sessions |"
    step = max(1, len(samples) // rows)
    lines = [
        f"| {e.seconds / 60:.1f} | {e.megabytes:.1f} | {e.files} | {e.threads}"
        f" | {e.p50:.2f} | {e.p99:.1f} | {e.sessions} |"
        for e in samples[step - 1 :: step]
    ]
    return "\n".join([head, "|---" * 7 + "|", *lines])


def main() -> int:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--minutes", type=positive, default=30.0)
    parser.add_argument("--rate", type=positive, default=40.0, help="requests a second")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as name,
        Stage(Path(name) / "stage", arguments.store, settings=SETTINGS) as stage,
    ):
        soak = Soak(stage, rate=arguments.rate)
        soak.run(arguments.minutes * 60)
        tracebacks = stage.log.read_text("utf-8").count("Traceback")
    found = verdict(soak, LONG if arguments.minutes >= LONG_MINUTES else SHORT)
    if tracebacks:
        found.append(f"{tracebacks} tracebacks in the log")
    counts = [
        f"{kind}: {', '.join(f'{n} x {status}' for status, n in counts.items())}"
        for kind, counts in soak.statuses.items()
    ]
    done = f"password changes: {soak.changes}, reloads: {soak.reloads}"
    lines = [table(soak.samples), *counts, done, *(found or ["flat"])]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(run(main))
