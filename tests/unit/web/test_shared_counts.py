"""Numbers that processes count together, and that survive them."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

import pytest

from forwardauth.web.shared_counts import (
    PART_WORDS,
    SUPERVISOR,
    CountingProcess,
    NoPlaceError,
    Part,
    SharedCounts,
)

pytestmark = pytest.mark.filterwarnings(
    # From Python 3.12 on; the child uses nothing that a thread could hold.
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)

FORK = multiprocessing.get_context("fork")


def add(part: Part, name: str, number: int = 1) -> None:
    """Add *number* to the first number of *name*."""
    part.counts.words[part.place(name, 1)] += number


def sums(counts: SharedCounts) -> dict[str, int]:
    """Return what all processes have counted."""
    found: dict[str, int] = {}
    for each in counts.read():
        found[each.name] = found.get(each.name, 0) + each.numbers[0]
    return found


def count_until_full(take: Callable[[int], object]) -> int:
    """Return how often *take* could be called until there was no place left."""
    for number in range(PART_WORDS):
        try:
            take(number)
        except NoPlaceError:
            return number
    raise AssertionError("there is no end of places")


class Child:
    """A forked process that counts once in a part of its own, and then waits."""

    def __init__(self, counts: SharedCounts, worker: int) -> None:
        own, theirs = FORK.Pipe()
        self._process = FORK.Process(target=self._run, args=(counts, worker, theirs))
        self._process.start()
        theirs.close()
        self._pipe = own
        assert own.recv() == "counted"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        """End it without asking."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.join()
        self._pipe.close()

    @staticmethod
    def _run(counts: SharedCounts, worker: int, pipe: Connection) -> None:
        add(counts.claim(worker), "requests", 10)
        pipe.send("counted")
        signal.pause()


def test_numbers_of_a_process_are_read_back() -> None:
    """Names of every length keep their numbers, each for itself."""
    part = SharedCounts().claim(0)
    names = ["a" * length for length in range(1, 20)] + ["grün\0label"]
    for number, name in enumerate(names):
        add(part, name, number)

    found = sums(part.counts)

    assert found == {name: number for number, name in enumerate(names)}


def test_a_name_has_as_many_numbers_as_it_was_made_with() -> None:
    """They lie side by side, and start at 0."""
    part = SharedCounts().claim(0)
    first = part.place("several", 3)
    part.counts.words[first + 2] = 7

    (counted,) = part.counts.read()

    assert counted.numbers == (0, 0, 7)
    assert part.place("several", 3) == first


def test_processes_count_apart_and_are_read_together() -> None:
    """The parent, and two workers that it forked."""
    counts = SharedCounts(workers=2)
    add(counts.claim(SUPERVISOR), "requests")
    children = [Child(counts, worker) for worker in range(2)]

    found, processes = sums(counts), counts.processes()

    for child in children:
        child.kill()
    assert found == {"requests": 21}
    assert processes == [
        CountingProcess(worker=SUPERVISOR, pid=os.getpid()),
        CountingProcess(worker=0, pid=children[0].pid),
        CountingProcess(worker=1, pid=children[1].pid),
    ]


def test_what_a_killed_process_has_counted_stays() -> None:
    """Its successor goes on where it ended, and the dead one is no process."""
    counts = SharedCounts()
    first = Child(counts, 0)
    first.kill()
    after, left = sums(counts), counts.processes()

    second = Child(counts, 0)
    found, processes = sums(counts), counts.processes()

    second.kill()
    assert after == {"requests": 10}
    assert left == []
    assert found == {"requests": 20}
    assert processes == [CountingProcess(worker=0, pid=second.pid)]


def test_places_of_the_dead_are_used_again() -> None:
    """However often workers are replaced, there is a part for the next one."""
    counts = SharedCounts()
    for _ in range(12):
        Child(counts, 0).kill()

    assert sums(counts) == {"requests": 120}
    assert len(list(counts.read())) == 1


def test_more_processes_than_there_is_room_for_are_told() -> None:
    """A part has one writer: nobody gets one that somebody has."""
    counts = SharedCounts()
    claimed = count_until_full(counts.claim)

    assert 8 <= claimed < 100
    assert len(counts.processes()) == claimed


@pytest.mark.parametrize(
    "name_of",
    [lambda number: f"name {number}", lambda number: "n" * 5000 + str(number)],
    ids=["many names", "long names"],
)
def test_full_part_harms_no_other(name_of: Callable[[int], str]) -> None:
    """What has no room is refused, and nothing is written beyond the end."""
    counts = SharedCounts()
    full, other = counts.claim(0), counts.claim(1)
    add(other, "theirs", 5)

    made = count_until_full(lambda number: add(full, name_of(number)))

    found = sums(counts)

    assert found.pop("theirs") == 5
    assert found == {name_of(number): 1 for number in range(made)}


def test_system_without_files_in_memory_has_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Processes count together there as well."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    counts = SharedCounts()
    add(counts.claim(SUPERVISOR), "requests")
    child = Child(counts, 0)

    found, processes = sums(counts), len(counts.processes())

    child.kill()
    assert (found, processes) == ({"requests": 11}, 2)
