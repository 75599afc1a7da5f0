"""Bad days under load: what is promised on every other day holds on those as well.

The faults are those of ``script/chaos``, shorter. Each fault has its turn here once:
on the store that it is harder for, where there is a choice.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.account import Kind
from tests.chaos.crowd import Crowd
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.promises import broken
from tests.chaos.run import cases, stage_for
from tests.chaos.stage import Stage
from tests.chaos.trial import Outcome, undergo

SECONDS = 1.2
"""Of each fault: longer than all that the service does by the second."""

ON_SQLITE_ALONE = frozenset({"files exhausted", "clock +1 h", "clock -1 h"})


def _of(store: str, *, moves_clock: bool) -> list[object]:
    found = [
        each
        for each in cases(store)
        if each.moves_clock is moves_clock
        if store == "sqlite" or each.name not in ON_SQLITE_ALONE
        if store == "redis" or each.name != "worker killed"
    ]
    return [pytest.param(each, id=each.name.replace(" ", "-")) for each in found]


def _prepare(store: str, name: str, folder: Path) -> Iterator[tuple[Stage, Crowd]]:
    fault = next(each for each in FAULTS if each.name == name)
    with stage_for(fault, store, folder) as stage:
        yield stage, Crowd(stage.port)


@pytest.fixture(scope="module")
def on_sqlite(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Stage, Crowd]]:
    """The service on SQLite, on a disk of its own, and people who use it."""
    yield from _prepare("sqlite", "disk full", tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="module")
def on_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Crowd]]:
    """The service on Redis, on a line that can break, and people who use it."""
    yield from _prepare("redis", "store killed", tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="module")
def on_clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Crowd]]:
    """The service on SQLite and on a clock that can be moved."""
    yield from _prepare("sqlite", "clock +1 h", tmp_path_factory.mktemp("clock"))


def _check(outcome: Outcome) -> None:
    assert broken(outcome) == [], outcome.log[-4_000:]
    assert outcome.ended > 0


@pytest.mark.parametrize("fault", _of("sqlite", moves_clock=False))
def test_on_sqlite(fault: Fault, on_sqlite: tuple[Stage, Crowd]) -> None:
    """No session is lost, no ended one passes, nobody waits for ever (L-9, V-2)."""
    _check(undergo(*on_sqlite, fault, seconds=SECONDS))


@pytest.mark.parametrize("fault", _of("redis", moves_clock=False))
def test_on_redis(fault: Fault, on_redis: tuple[Stage, Crowd]) -> None:
    """The same where the store is a server that has troubles of its own (L-9, V-2)."""
    _check(undergo(*on_redis, fault, seconds=SECONDS))


@pytest.mark.parametrize("fault", _of("sqlite", moves_clock=True))
def test_clock_that_is_moved(fault: Fault, on_clock: tuple[Stage, Crowd]) -> None:
    """An hour ahead or behind ends no session and revives none (V-6)."""
    outcome = undergo(*on_clock, fault, seconds=SECONDS)

    _check(outcome)
    assert outcome.statuses(Kind.VERIFY).keys() == {200}
