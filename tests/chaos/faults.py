"""The bad days: what is done to a stage, and undone, each in one function.

Law: a fault leaves the stage as it found it, but for what it cannot help: sessions that
were in a file that is no more. Whoever undoes it is the operator, and does nothing that
an operator would not do; the service has to find its way back by itself.
"""

import contextlib
import os
import resource
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.stage import STORES, Stage
from tests.support.processes import wait_for

SLOW_SECONDS: Final = 0.1
_RESET_EVERY: Final = 0.25
_SQLITE: Final = ("sqlite",)
_REDIS: Final = ("redis",)

Apply = Callable[[Stage], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One bad day.

    Attributes:
        name: In the table.
        apply: Does it as long as the context lasts.
        stores: The stores that it makes sense for.
        keeps_sessions: Whether the store has kept what it had.
        moves_clock: Whether it needs a stage whose clock can be moved.
    """

    name: str
    apply: Apply
    stores: tuple[str, ...] = STORES
    keeps_sessions: bool = True
    moves_clock: bool = False


# the store


@contextmanager
def store_killed(stage: Stage) -> Iterator[None]:
    """``kill -9`` of Redis, and a start with what it had on the disk."""
    assert stage.redis is not None
    stage.redis.kill()
    yield
    stage.redis.start()


@contextmanager
def store_paused(stage: Stage) -> Iterator[None]:
    """Redis answers nothing, and keeps all connections."""
    assert stage.redis is not None
    with stage.redis.paused():
        yield


@contextmanager
def store_locked(stage: Stage) -> Iterator[None]:
    """Another process has begun to write to the SQLite file, and does not end."""
    with contextlib.closing(sqlite3.connect(stage.database)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def store_slow(stage: Stage) -> Iterator[None]:
    """Each way to Redis and back takes a tenth of a second."""
    assert stage.relay is not None
    stage.relay.slow_down(SLOW_SECONDS)
    yield
    stage.relay.slow_down(0)


@contextmanager
def connections_reset(stage: Stage) -> Iterator[None]:
    """Every connection to Redis breaks four times in a second."""
    assert stage.relay is not None
    relay, is_over = stage.relay, threading.Event()

    def reset() -> None:
        while not is_over.wait(_RESET_EVERY):
            relay.reset_all()

    thread = threading.Thread(target=reset)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


# the disk


@contextmanager
def disk_full(stage: Stage) -> Iterator[None]:
    """No byte is left for the journal and the SQLite file."""
    with stage.disk.full():
        yield


@contextmanager
def disk_full_store_killed(stage: Stage) -> Iterator[None]:
    """Redis is gone, and there is no room to write a promise down."""
    with stage.disk.full(), store_killed(stage):
        yield


@contextmanager
def disk_read_only(stage: Stage) -> Iterator[None]:
    """Nothing can be opened for writing, and a new worker has to open everything."""
    with stage.disk.read_only(), worker_killed(stage):
        yield


@contextmanager
def database_corrupted(stage: Stage) -> Iterator[None]:
    """Rubbish is written over the file while it is open; then it is moved away."""
    _spoil(stage.database)
    yield
    _remove_database(stage)


@contextmanager
def database_corrupted_at_start(stage: Stage) -> Iterator[None]:
    """The service finds rubbish when it starts; then the file is moved away."""
    assert stage.process is not None
    stage.process.stop()
    _spoil(stage.database)
    stage.process.start()
    yield
    _remove_database(stage)


@contextmanager
def database_deleted(stage: Stage) -> Iterator[None]:
    """Somebody removes the file; a new one takes its place."""
    _remove_database(stage)
    yield


def _spoil(path: Path) -> None:
    """Overwrite the middle of the file, and its log, as a broken disk might."""
    for each in (path, path.with_name(path.name + "-wal")):
        if each.exists() and (size := each.stat().st_size):
            with each.open("r+b") as file:
                file.seek(0)
                file.write(os.urandom(size))


def _remove_database(stage: Stage) -> None:
    for end in ("", "-wal", "-shm"):
        stage.database.with_name(stage.database.name + end).unlink(missing_ok=True)


# the process


@contextmanager
def worker_killed(stage: Stage) -> Iterator[None]:
    """``kill -9`` of one worker."""
    first = stage.workers()[0]
    os.kill(first, signal.SIGKILL)
    yield
    wait_for(stage.is_serving, "the worker is replaced")


@contextmanager
def descriptors_exhausted(stage: Stage) -> Iterator[None]:
    """The workers can open no file and take no connection."""
    workers = stage.workers()
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in workers}
    for pid, (_, hard) in limits.items():
        # Below what is open already: the limit is for the next one.
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, hard))
    yield
    for pid, limit in limits.items():
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)


# the clock


@contextmanager
def clock_ahead(stage: Stage) -> Iterator[None]:
    """The clock of the machine is put forward by an hour, and back."""
    assert stage.clock is not None
    stage.clock.step("+1h")
    yield
    stage.clock.step("+0")


@contextmanager
def clock_behind(stage: Stage) -> Iterator[None]:
    """The clock of the machine is put back by an hour, and forward."""
    assert stage.clock is not None
    stage.clock.step("-1h")
    yield
    stage.clock.step("+0")


# the users file


@contextmanager
def users_rubbish(stage: Stage) -> Iterator[None]:
    """The users file is replaced by bytes that are no text."""
    with _users(stage, b"\x00\xff: [}" * 100):
        yield


@contextmanager
def users_half_written(stage: Stage) -> Iterator[None]:
    """The users file ends in the middle of the first user, written in place."""
    whole = stage.users.read_bytes()
    with _users(stage, whole[: whole.index(b"email")]):
        yield


@contextmanager
def users_deleted(stage: Stage) -> Iterator[None]:
    """The users file is gone."""
    with _users(stage, None):
        yield


@contextmanager
def users_rubbish_worker_killed(stage: Stage) -> Iterator[None]:
    """A worker dies while the users file cannot be read."""
    with users_rubbish(stage), worker_killed(stage):
        yield


@contextmanager
def _users(stage: Stage, content: bytes | None) -> Iterator[None]:
    whole = stage.users.read_bytes()
    if content is None:
        stage.users.unlink()
    else:
        stage.users.write_bytes(content)
    yield
    stage.users.touch(mode=0o600)
    stage.users.write_bytes(whole)


FAULTS: Final = (
    Fault(name="store killed", apply=store_killed, stores=_REDIS),
    Fault(name="store paused", apply=store_paused, stores=_REDIS),
    Fault(name="store locked", apply=store_locked, stores=_SQLITE),
    Fault(name="store slow", apply=store_slow, stores=_REDIS),
    Fault(name="connections reset", apply=connections_reset, stores=_REDIS),
    Fault(name="disk full", apply=disk_full, stores=_SQLITE),
    Fault(name="disk full, store killed", apply=disk_full_store_killed, stores=_REDIS),
    Fault(name="worker killed", apply=worker_killed),
    Fault(name="files exhausted", apply=descriptors_exhausted),
    Fault(
        name="users file rubbish, worker killed",
        apply=users_rubbish_worker_killed,
        stores=_SQLITE,
    ),
    Fault(name="users file rubbish", apply=users_rubbish, stores=_SQLITE),
    Fault(name="users file half written", apply=users_half_written, stores=_SQLITE),
    Fault(name="users file deleted", apply=users_deleted, stores=_SQLITE),
    Fault(name="disk read-only, worker killed", apply=disk_read_only, stores=_SQLITE),
    Fault(
        name="database corrupted",
        apply=database_corrupted,
        stores=_SQLITE,
        keeps_sessions=False,
    ),
    Fault(
        name="database corrupted at start",
        apply=database_corrupted_at_start,
        stores=_SQLITE,
        keeps_sessions=False,
    ),
    Fault(
        name="database deleted",
        apply=database_deleted,
        stores=_SQLITE,
        keeps_sessions=False,
    ),
    Fault(name="clock +1 h", apply=clock_ahead, moves_clock=True),
    Fault(name="clock -1 h", apply=clock_behind, moves_clock=True),
)
"""All of them, in the order of the table; those that cost the sessions come late.

Two that kill a worker do not follow each other: where the one that is left has yet to
settle, the service ends, as it should.
"""
