"""One configuration for all workers, or the one before for all of them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest

from forwardauth.cli import reload_round
from forwardauth.cli.channel import ChannelError, Kind, Message, ParentEnd
from forwardauth.cli.configuration import Configuration, ConfigurationSource
from forwardauth.cli.reload_round import Reloads
from forwardauth.errors import ConfigError
from forwardauth.web.instance import Instance
from tests.support.clock import START, FakeClock
from tests.support.configuration import write_config
from tests.support.portal import CONFIG, USERS

Answer = Callable[["FakeWorker", Message], Message | None]


class FakeWorker:
    """The worker's end, on which a thread answers as a test wants."""

    def __init__(self, instance: Instance, number: int, answer: Answer) -> None:
        self.end, other = ParentEnd.create()
        # Both ends are ends: what the parent can do, this one can.
        self._channel = ParentEnd(other)
        self._instance = instance
        self._number = number
        self._answer = answer
        self._thread = threading.Thread(target=self._run)
        self.told: list[Kind] = []

    def serve(self, generation: int) -> None:
        """Serve that configuration."""
        self._instance.serve(self._number, generation)

    def send(self, message: Message) -> None:
        """Tell the parent something."""
        self._channel.send(message, timeout_seconds=10)

    def answer_by(self, answer: Answer) -> None:
        """Answer another way from now on."""
        self._answer = answer

    def leave(self) -> None:
        """End at once, as a killed process does."""
        self._channel.close()

    def __enter__(self) -> Self:
        self.serve(1)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end.close()
        self._thread.join(10)
        self._channel.close()

    def _run(self) -> None:
        while True:
            try:
                message = self._channel.receive(time.monotonic() + 10, lambda: False)
            except ChannelError:
                return
            self.told.append(message.kind)
            answer = self._answer(self, message)
            if answer is not None:
                self.send(answer)


def obey(worker: FakeWorker, message: Message) -> Message | None:
    """Do all that is said."""
    if message.kind is Kind.PREPARE:
        generation = Configuration.unpack(message.body).generation
        return Message(Kind.READY, str(generation).encode())
    if message.kind is Kind.CHANGE_OVER:
        worker.serve(int(message.body))
        return Message(Kind.CHANGED, message.body)
    return None


def refuse(_worker: FakeWorker, message: Message) -> Message | None:
    """Be able to serve nothing else."""
    if message.kind is Kind.PREPARE:
        generation = Configuration.unpack(message.body).generation
        return Message(Kind.REFUSED, f"{generation}\nthe key is gone".encode())
    return None


def die_asked(worker: FakeWorker, _message: Message) -> Message | None:
    """End when told to prepare."""
    worker.leave()
    return None


def die_ready(worker: FakeWorker, message: Message) -> Message | None:
    """End when told to change over."""
    if message.kind is Kind.PREPARE:
        return obey(worker, message)
    worker.leave()
    return None


def say_nothing(_worker: FakeWorker, _message: Message) -> Message | None:
    """Hang."""
    return None


def answer_late(worker: FakeWorker, message: Message) -> Message | None:
    """Say first what was wanted to be known a round ago."""
    if message.kind is Kind.PREPARE:
        worker.send(Message(Kind.REFUSED, b"1\nlate"))
    return obey(worker, message)


class Parent:
    """Who leads two workers, of which the second answers as a test wants."""

    def __init__(self, folder: Path, answer: Answer, stack: ExitStack) -> None:
        users = folder / "users.yaml"
        users.write_text(USERS)
        users.chmod(0o600)
        self.path = write_config(folder, CONFIG)
        source = ConfigurationSource(self.path, {})
        found = source.read()
        self.instance = Instance(workers=2)
        self.clock = FakeClock()
        self.checked: list[int] = []
        self.error: Exception | None = None
        self.reloads = Reloads(
            source,
            Configuration(settings=found.settings, users=found.users),
            instance=self.instance,
            clock=self.clock,
            check=self._check,
        )
        self.workers = [
            stack.enter_context(FakeWorker(self.instance, number, each))
            for number, each in enumerate((obey, answer))
        ]

    def _check(self, configuration: Configuration) -> None:
        self.checked.append(configuration.generation)
        if self.error is not None:
            raise self.error

    def reload(self, *, is_given_up: bool = False) -> tuple[int, ...]:
        """Reload a minute later; return who is to be ended."""
        self.clock.advance(timedelta(minutes=1))
        ends = {number: each.end for number, each in enumerate(self.workers)}
        return self.reloads.reload(ends, lambda: is_given_up)


Make = Callable[[Answer], Parent]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes the one parent of a test."""
    with ExitStack() as stack:
        yield lambda answer: Parent(tmp_path, answer, stack)


def test_all_change_over_when_all_are_ready(make: Make) -> None:
    """Afterwards every worker serves what counts (V-47)."""
    parent = make(obey)

    lost = parent.reload()

    assert lost == ()
    assert parent.checked == [2]
    assert parent.reloads.current.generation == 2
    assert parent.instance.is_of_one_mind
    assert parent.instance.generation == 2
    assert parent.instance.since == START + timedelta(minutes=1)
    assert [each.told for each in parent.workers] == [
        [Kind.PREPARE, Kind.CHANGE_OVER]
    ] * 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refuse, "worker 1: the key is gone"),
        (die_asked, "worker 1: it has ended"),
        (say_nothing, "worker 1: it did not answer in time"),
    ],
    ids=["refuses", "dies", "hangs"],
)
def test_one_that_is_not_ready_keeps_all_as_they_were(
    make: Make,
    answer: Answer,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody is told to change over, and the log says whose fault it is (V-47)."""
    monkeypatch.setattr(reload_round, "PREPARE_SECONDS", 0.5)
    parent = make(answer)

    lost = parent.reload()

    assert lost == ()
    assert parent.reloads.current.generation == 1
    assert parent.instance.is_of_one_mind
    assert parent.instance.refused == START + timedelta(minutes=1)
    assert parent.instance.since == START
    assert caplog.messages == [f"configuration stays as it was: {words}"]
    assert Kind.CHANGE_OVER not in parent.workers[0].told


@pytest.mark.parametrize("answer", [die_ready, say_nothing], ids=["dies", "hangs"])
def test_one_that_does_not_change_over_is_to_be_ended(
    make: Make, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others have changed over by then; its successor serves the same (V-47)."""
    monkeypatch.setattr(reload_round, "CHANGE_SECONDS", 0.5)

    def be_ready(worker: FakeWorker, message: Message) -> Message | None:
        is_first = message.kind is Kind.PREPARE
        return (obey if is_first else answer)(worker, message)

    parent = make(be_ready)

    lost = parent.reload()

    assert lost == (1,)
    assert parent.reloads.current.generation == 2
    assert not parent.instance.is_of_one_mind


def test_what_the_parent_cannot_build_is_shown_to_nobody(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a file that cannot be read nor a service that cannot be made of it."""
    parent = make(obey)
    text = parent.path.read_text()
    parent.path.write_text("cookies: [")
    parent.reload()
    parent.path.write_text(text)
    parent.error = ConfigError(["the self-test has failed"])

    parent.reload()

    assert [each.told for each in parent.workers] == [[], []]
    assert parent.checked == [2]
    assert caplog.messages[-1].endswith("the self-test has failed")


def test_answer_to_another_round_is_no_answer(make: Make) -> None:
    """A worker that was given up may still speak of it."""
    parent = make(answer_late)

    lost = parent.reload()

    assert lost == ()
    assert parent.instance.is_of_one_mind


def test_answer_to_a_round_that_was_given_up_is_none_to_the_next(make: Make) -> None:
    """The other was ready when one refused, and has yet to be heard."""
    rounds: list[int] = []

    def be_unable_once(worker: FakeWorker, message: Message) -> Message | None:
        if message.kind is Kind.PREPARE:
            rounds.append(Configuration.unpack(message.body).generation)
        return (refuse if len(rounds) == 1 else obey)(worker, message)

    parent = make(obey)
    parent.workers.reverse()
    refusing = parent.workers[0]
    refusing.answer_by(be_unable_once)
    parent.reload()

    lost = parent.reload()

    assert lost == ()
    assert parent.instance.is_of_one_mind
    assert parent.instance.generation == rounds[-1] > rounds[0]


def test_a_fault_of_the_program_ends_nobody(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody has thought of is logged, and all go on as they were (V-47)."""
    parent = make(obey)
    parent.error = UnicodeEncodeError("utf-8", "\ud800", 0, 1, "not allowed")

    lost = parent.reload()

    assert lost == ()
    assert parent.reloads.current.generation == 1
    assert parent.instance.reason == "a fault of the program"
    assert "UnicodeEncodeError" in caplog.text


def test_a_service_that_stops_waits_for_no_answer(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A stop is not held up by a worker that prepares."""
    parent = make(say_nothing)

    parent.reload(is_given_up=True)

    assert parent.reloads.current.generation == 1
    assert "did not answer in time" in caplog.text


def test_drain_is_that_of_what_counts(make: Make) -> None:
    """A stop after the reload goes by the new file."""
    parent = make(obey)
    parent.path.write_text(parent.path.read_text() + "server: {drain: 3s}\n")
    before = parent.reloads.drain_seconds()

    parent.reload()

    assert (before, parent.reloads.drain_seconds()) == (10.0, 3.0)
