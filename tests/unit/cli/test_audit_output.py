"""Audit events in a place of their own: whole lines, rotation, and a full disk."""

import io
import json
import logging
import os
import resource
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from forwardauth.cli.audit_output import AuditHandler, FilePlace, StreamPlace
from forwardauth.web.log_formats import JsonLines
from forwardauth.web.log_lines import Event


class Kept(logging.Handler):
    """A log that keeps what it is handed."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def event(number: int) -> logging.LogRecord:
    """Return the record of one audit event."""
    made = Event("login", number=number)
    return logging.LogRecord("forwardauth.audit", 20, __file__, 1, made, (), None)


def handler_of(place: FilePlace | StreamPlace, log: Kept) -> AuditHandler:
    """Return what writes JSON to *place*."""
    handler = AuditHandler(place, "audit.log", log)
    handler.setFormatter(JsonLines())
    return handler


def numbers_in(path: Path) -> list[int]:
    """Return which events stand in *path*, in order; every line has to be whole."""
    return [json.loads(line)["number"] for line in path.read_text().splitlines()]


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond *size*, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)


def test_file_is_for_the_service_alone(tmp_path: Path) -> None:
    """Names and addresses are nobody else's to read."""
    path = tmp_path / "audit.log"

    FilePlace(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_events_are_appended(tmp_path: Path) -> None:
    """A start of the service loses nothing of what is there."""
    path = tmp_path / "audit.log"
    for number in range(2):
        handler = handler_of(FilePlace(path), Kept())
        handler.handle(event(number))
        handler.close()

    assert numbers_in(path) == [0, 1]


def test_several_workers_write_whole_lines(tmp_path: Path) -> None:
    """Lines of processes that write at the same time do not mix."""
    path = tmp_path / "audit.log"
    handler = handler_of(FilePlace(path), Kept())
    children = []
    for worker in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                for number in range(200):
                    handler.handle(event(worker * 1000 + number))
            finally:
                os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    handler.close()

    expected = {worker * 1000 + number for worker in range(4) for number in range(200)}
    numbers = numbers_in(path)
    assert len(numbers) == len(expected)
    assert set(numbers) == expected


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "found out"])
def test_file_that_was_renamed_is_made_anew(tmp_path: Path, is_told: bool) -> None:
    """After a rotation the next event is in the new file, signal or not."""
    path = tmp_path / "audit.log"
    handler = handler_of(FilePlace(path), Kept())
    handler.handle(event(1))
    path.rename(tmp_path / "audit.log.1")
    if is_told:
        handler.reopen()
    handler.handle(event(2))
    handler.handle(event(3))
    handler.close()

    assert numbers_in(tmp_path / "audit.log.1") == [1]
    assert numbers_in(path) == [2, 3]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_truncated_file_is_written_from_its_start(tmp_path: Path) -> None:
    """A rotation that copies and truncates leaves no hole."""
    path = tmp_path / "audit.log"
    handler = handler_of(FilePlace(path), Kept())
    handler.handle(event(1))
    os.truncate(path, 0)
    handler.handle(event(2))
    handler.close()

    assert numbers_in(path) == [2]


def test_full_disk_is_told_once_and_loses_no_event(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the events until the file takes them again, each on its own line."""
    path = tmp_path / "audit.log"
    log = Kept()
    handler = handler_of(FilePlace(path), log)
    handler.handle(event(1))
    with full_after(path.stat().st_size + 10):
        handler.handle(event(2))
        handler.handle(event(3))
    handler.handle(event(4))
    handler.close()

    first, torn, last = path.read_text().splitlines()
    assert [json.loads(line)["number"] for line in (first, last)] == [1, 4]
    assert len(torn) == 10
    told = [record.getMessage() for record in log.records]
    assert told == ["event=login number=2", "event=login number=3"]
    assert caplog.messages == [
        "audit events stand in the log: audit.log cannot be written: File too large",
        "audit.log is written again; audit events in the log meanwhile: 2",
    ]


def test_torn_line_of_a_stop_is_ended(tmp_path: Path) -> None:
    """What was half written when the machine stopped takes no other event with it."""
    path = tmp_path / "audit.log"
    path.write_text('{"event":"lo')
    handler = handler_of(FilePlace(path), Kept())
    handler.handle(event(1))
    handler.close()

    assert path.read_text().splitlines()[0] == '{"event":"lo'
    assert json.loads(path.read_text().splitlines()[1])["number"] == 1


def test_folder_that_is_gone_sends_events_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing raises, and no request fails for it; a signal changes nothing."""
    folder = tmp_path / "log"
    folder.mkdir()
    log = Kept()
    handler = handler_of(FilePlace(folder / "audit.log"), log)
    (folder / "audit.log").unlink()
    folder.rmdir()
    handler.reopen()
    handler.handle(event(1))
    folder.mkdir()
    handler.handle(event(2))
    handler.close()

    assert len(log.records) == 1
    assert numbers_in(folder / "audit.log") == [2]
    assert len(caplog.messages) == 2


def test_file_of_another_is_not_made(tmp_path: Path) -> None:
    """A command appends to what the service has made, and makes none."""
    path = tmp_path / "audit.log"
    with pytest.raises(FileNotFoundError):
        FilePlace(path, flags=0)
    FilePlace(path).close()
    handler = handler_of(FilePlace(path, flags=0), Kept())
    handler.handle(event(1))
    handler.close()

    assert numbers_in(path) == [1]


def test_pipe_is_no_file(tmp_path: Path) -> None:
    """Who does not read it would hold up every login."""
    os.mkfifo(tmp_path / "audit.log")

    with pytest.raises(OSError, match="regular"):
        FilePlace(tmp_path / "audit.log")


def test_stream_takes_lines() -> None:
    """Each is written at once."""
    stream = io.StringIO()
    handler = handler_of(StreamPlace(stream), Kept())

    handler.handle(event(1))

    assert json.loads(stream.getvalue())["number"] == 1
    assert stream.getvalue().endswith("}\n")


def test_closed_stream_sends_events_to_the_log() -> None:
    """Whoever read it is gone."""
    stream, log = io.StringIO(), Kept()
    handler = handler_of(StreamPlace(stream), log)
    stream.close()

    handler.handle(event(1))

    assert len(log.records) == 1
