"""What a process that waits is told by signals, and that none is lost."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from forwardauth.cli.channel import Kind, Message, ParentEnd
from forwardauth.cli.signals import SUPERVISED, WaitingSignals, forget_orphans


@pytest.fixture
def signals() -> Iterator[WaitingSignals]:
    """The signals of this process, while a test listens for them."""
    with WaitingSignals() as found:
        yield found


def test_signal_that_came_before_ends_the_wait(signals: WaitingSignals) -> None:
    """Nobody has to be waiting when it comes."""
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGHUP)

    signals.wait(None)

    assert signals.take_reload()
    assert not signals.take_reload()


def test_each_stop_counts(signals: WaitingSignals) -> None:
    """The second one means something else."""
    before = signals.is_stop_wanted()
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    signals.wait(None)

    assert not before
    assert signals.is_stop_wanted()
    assert signals.take_stops() == 2
    assert not signals.is_stop_wanted()


def test_end_of_a_child_ends_the_wait(signals: WaitingSignals) -> None:
    """It is looked for by whoever waits."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)

    signals.wait(10)

    assert os.waitpid(pid, 0) == (pid, 0)


def test_wait_has_an_end(signals: WaitingSignals) -> None:
    """There may be something to do at a certain time."""
    begun = time.monotonic()

    signals.wait(0.01)

    assert time.monotonic() - begun >= 0.01


def test_what_can_be_read_ends_the_wait(signals: WaitingSignals) -> None:
    """A worker that says something."""
    parent, worker = ParentEnd.create()
    worker.sendall(Message(Kind.SERVING).pack())

    signals.wait(10, [parent])

    assert parent.receive(0, lambda: False) == Message(Kind.SERVING)
    parent.close()
    worker.close()


def test_signals_are_left_as_they_were() -> None:
    """Whatever else runs in this process has its own again."""
    before = [signal.getsignal(number) for number in SUPERVISED]

    with WaitingSignals():
        during = [signal.getsignal(number) for number in SUPERVISED]

    assert [signal.getsignal(number) for number in SUPERVISED] == before
    assert during != before


def test_orphans_leave_nothing_behind() -> None:
    """A process that ends is gone, though nobody waits for it."""
    before = signal.getsignal(signal.SIGCHLD)
    forget_orphans()
    try:
        orphan = os.fork()
        if orphan == 0:
            os._exit(0)

        with pytest.raises(ChildProcessError):
            os.waitpid(orphan, 0)
    finally:
        signal.signal(signal.SIGCHLD, before)
