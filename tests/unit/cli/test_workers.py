"""The parent of the workers: it passes signals on, and no worker is lost from sight."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.support.processes import Process, wait_for
from tests.support.supervised import (
    ALWAYS,
    COUNT,
    NEVER,
    reloads,
    started,
    supervised,
    told,
)


@contextmanager
def waiting(folder: Path, *, settled_seconds: float) -> Iterator[Process]:
    """Run the program until the context ends, once all its workers wait."""
    process = supervised(folder, way="wait", settled_seconds=settled_seconds)
    with process:
        wait_for(lambda: len(started(folder)) == COUNT, "the workers have begun")
        yield process


def is_alive(pid: int) -> bool:
    """Whether the process exists and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def sockets(pid: int) -> set[str]:
    """Return the sockets that the process holds, by the names of the system."""
    names = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            names.add(str(each.readlink()))
    return {name for name in names if name.startswith("socket:")}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_reaches_every_worker(tmp_path: Path, how: signal.Signals) -> None:
    """All workers are asked to end, and the parent ends well after them."""
    with waiting(tmp_path, settled_seconds=NEVER) as process:
        status = process.stop(how)

    assert status == 0
    assert sorted(started(tmp_path).values()) == [0, 1]
    assert list(told(tmp_path).values()) == [["SIGTERM"]] * COUNT
    assert not any(map(is_alive, started(tmp_path)))


def test_a_terminal_interrupts_each_worker_once(tmp_path: Path) -> None:
    """Ctrl-C goes to parent and workers alike; it is the parent that stops them."""
    with waiting(tmp_path, settled_seconds=NEVER) as process:
        os.killpg(process.pid, signal.SIGINT)
        status = process.wait()

    assert status == 0
    assert list(told(tmp_path).values()) == [["SIGTERM"]] * COUNT


def test_a_worker_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    """The service ends soon after the time that requests have."""
    with supervised(tmp_path, way="hang", settled_seconds=NEVER) as process:
        wait_for(lambda: len(started(tmp_path)) == COUNT, "the workers have begun")
        status = process.stop()

    assert status == 0
    assert process.tail().count("does not stop; it is killed") == COUNT
    assert not any(map(is_alive, started(tmp_path)))


def test_a_second_stop_is_at_once(tmp_path: Path) -> None:
    """Whoever asks twice waits for nobody."""
    with supervised(tmp_path, way="hang", settled_seconds=NEVER) as process:
        wait_for(lambda: len(started(tmp_path)) == COUNT, "the workers have begun")
        os.kill(process.pid, signal.SIGTERM)
        os.kill(process.pid, signal.SIGINT)
        status = process.wait()

    assert status == 0
    assert "it is killed" not in process.tail()
    assert not any(map(is_alive, started(tmp_path)))


def test_a_reload_is_of_all_workers_that_serve(tmp_path: Path) -> None:
    """The parent leads them; to a worker the signal by itself means nothing."""
    with waiting(tmp_path, settled_seconds=NEVER) as process:
        for pid in (*started(tmp_path), process.pid):
            os.kill(pid, signal.SIGHUP)
        wait_for(lambda: reloads(tmp_path) != [], "the reload has arrived")
        status = process.stop()

    assert status == 0
    assert reloads(tmp_path) == ["0,1"]
    assert list(told(tmp_path).values()) == [["SIGTERM"]] * COUNT


def test_no_process_can_speak_to_a_worker_but_its_parent(tmp_path: Path) -> None:
    """What a worker is told it unpacks, so no other one holds the parent's end."""
    with waiting(tmp_path, settled_seconds=NEVER) as process:
        wait_for(lambda: len(sockets(process.pid)) == COUNT, "it has one end of each")
        of_the_parent = sockets(process.pid)
        of_workers = [sockets(pid) for pid in started(tmp_path)]

    assert [held & of_the_parent for held in of_workers] == [set()] * COUNT
    assert all(of_workers)
    assert set.intersection(*of_workers) == set()


def test_a_worker_that_dies_is_replaced_under_its_number(tmp_path: Path) -> None:
    """A worker that was able to serve gets a successor; the other is left alone."""
    with waiting(tmp_path, settled_seconds=ALWAYS) as process:
        before = started(tmp_path)
        victim = next(pid for pid, number in before.items() if number == 0)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(started(tmp_path)) == COUNT + 1, "there is a successor")
        after = started(tmp_path)
        status = process.stop()

    (successor,) = after.keys() - before.keys()
    assert after[successor] == 0
    assert status == 0
    assert told(tmp_path)[successor] == ["SIGTERM"]
    assert f"worker 0 (pid {victim}) ended with -9" in process.tail()


def test_a_worker_that_dies_at_once_ends_the_service(tmp_path: Path) -> None:
    """A worker that cannot start is told in a sentence, and no other goes on alone."""
    process = supervised(tmp_path, way="die", settled_seconds=NEVER).start()

    status = process.wait()

    assert status == 1
    assert "worker 1 cannot serve: the users file is gone" in process.tail()
    assert "Error: a worker cannot serve" in process.tail()
    assert "Traceback" not in process.tail()
    assert not any(map(is_alive, started(tmp_path)))


def test_what_broke_after_the_start_ends_nobody_who_serves(tmp_path: Path) -> None:
    """A successor that cannot start is tried again until it can."""
    process = supervised(tmp_path, way="break", settled_seconds=0.2)
    with process:
        wait_for(lambda: len(started(tmp_path)) == COUNT, "the workers have begun")
        before = started(tmp_path)
        sleep(0.3)
        (tmp_path / "broken").touch()
        (victim,) = (pid for pid, number in before.items() if number == 1)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: process.tail().count("cannot serve") == 2, "two attempts")
        (tmp_path / "broken").unlink()
        wait_for(lambda: len(started(tmp_path)) == COUNT + 1, "there is a successor")
        status = process.stop()

    (successor,) = started(tmp_path).keys() - before.keys()
    assert started(tmp_path)[successor] == 1
    assert status == 0
    assert [told(tmp_path)[pid] for pid in before if pid != victim] == [["SIGTERM"]]


def test_worker_that_waits_for_its_next_attempt_stops_at_once(tmp_path: Path) -> None:
    """A stop waits for nobody who does nothing."""
    process = supervised(tmp_path, way="break", settled_seconds=0.5)
    with process:
        wait_for(lambda: len(started(tmp_path)) == COUNT, "the workers have begun")
        victim = next(pid for pid, number in started(tmp_path).items() if number == 1)
        sleep(0.6)
        (tmp_path / "broken").touch()
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: process.tail().count("cannot serve") == 4, "four attempts")
        begun = monotonic()
        status = process.stop()
        took = monotonic() - begun

    assert status == 0
    assert took < 0.8


def test_worker_that_does_not_come_to_serve_holds_no_reload_back(
    tmp_path: Path,
) -> None:
    """It is named and killed; the others are led on, and it when one can serve."""
    process = supervised(tmp_path, way="stall", settled_seconds=0.5)
    with process:
        wait_for(lambda: len(started(tmp_path)) == COUNT, "the workers have begun")
        (victim,) = (pid for pid, number in started(tmp_path).items() if number == 1)
        (tmp_path / "broken").touch()
        os.kill(victim, signal.SIGKILL)
        wait_for((tmp_path / "stalled").exists, "there is a successor")
        os.kill(process.pid, signal.SIGHUP)
        wait_for(lambda: reloads(tmp_path) == ["0"], "the other one is led on")
        log = process.log.read_text()
        (tmp_path / "broken").unlink()
        wait_for(lambda: len(started(tmp_path)) == COUNT + 1, "one can serve")
        os.kill(process.pid, signal.SIGHUP)
        wait_for(lambda: reloads(tmp_path)[1:] == ["0,1"], "both are led on")
        status = process.stop()

    assert re.search(r"the reload waits for worker 1 \(pid \d+\)", log)
    assert re.search(
        r"worker 1 \(pid \d+\) does not serve after 2 s; it is killed", log
    )
    assert status == 0


def test_a_mistake_of_ours_is_logged_with_its_place(tmp_path: Path) -> None:
    """What was not foreseen leaves a traceback in the log, and status 1."""
    process = supervised(tmp_path, way="crash", settled_seconds=NEVER).start()

    status = process.wait()

    assert status == 1
    assert "ZeroDivisionError: a mistake in the code" in process.tail()


def test_no_worker_outlives_the_parent(tmp_path: Path) -> None:
    """A parent that is killed leaves nobody who holds the port."""
    with waiting(tmp_path, settled_seconds=NEVER) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

        wait_for(
            lambda: not any(map(is_alive, started(tmp_path))), "the workers have ended"
        )

    assert list(told(tmp_path).values()) == [["SIGTERM"]] * COUNT
