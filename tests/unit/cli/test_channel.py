"""What parent and worker tell each other, and what one hears of a dead other."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from forwardauth.cli.channel import (
    ChannelError,
    Kind,
    Message,
    ParentEnd,
    WorkerEnd,
)

Ends = tuple[ParentEnd, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Both ends."""
    parent, worker = ParentEnd.create()
    yield parent, worker
    parent.close()
    worker.close()


def soon() -> float:
    """Return when a test gives up."""
    return time.monotonic() + 10


def never() -> bool:
    """Nobody stops."""
    return False


def _send_all(send: Callable[[Message], None], messages: list[Message]) -> None:
    for each in messages:
        send(each)


async def test_messages_arrive_whole_and_in_order(ends: Ends) -> None:
    """However long one is, and however many come at once."""
    parent, worker = ends
    told = [Message(Kind.PREPARE, b"x" * 3_000_000), Message(Kind.DROP)]

    channel = await WorkerEnd.open(worker)
    send = partial(parent.send, timeout_seconds=10)
    sending = asyncio.create_task(asyncio.to_thread(_send_all, send, told))
    heard = [await channel.receive() for _ in told]
    await sending
    for answer in (Message(Kind.READY, b"7"), Message(Kind.CHANGED, b"7")):
        channel.send(answer)
    answers = [await asyncio.to_thread(parent.receive, soon(), never) for _ in told]
    channel.close()

    assert heard == told
    assert answers == [Message(Kind.READY, b"7"), Message(Kind.CHANGED, b"7")]


async def test_worker_hears_that_its_parent_is_gone(ends: Ends) -> None:
    """In the middle of a message as well as between two."""
    parent, worker = ends
    channel = await WorkerEnd.open(worker)
    parent.send(Message(Kind.DROP), timeout_seconds=10)
    parent.close()

    heard = [await channel.receive(), await channel.receive()]
    channel.close()

    assert heard == [Message(Kind.DROP), None]


def test_parent_hears_that_a_worker_is_gone(ends: Ends) -> None:
    """It is told apart from one that is slow."""
    parent, worker = ends
    worker.sendall(Message(Kind.READY, b"12345").pack()[:-1])
    worker.close()

    with pytest.raises(ChannelError, match="it has ended"):
        parent.receive(soon(), never)
    with pytest.raises(ChannelError, match="it has ended"):
        parent.send(Message(Kind.DROP), timeout_seconds=1)


def test_parent_waits_no_longer_than_it_has_to(ends: Ends) -> None:
    """Neither for an answer nor for room to send."""
    parent, _ = ends

    with pytest.raises(ChannelError, match="did not answer"):
        parent.receive(time.monotonic(), never)
    with pytest.raises(ChannelError, match="did not answer"):
        parent.receive(soon(), lambda: True)
    with pytest.raises(ChannelError, match="does not listen"):
        parent.send(Message(Kind.PREPARE, b"x" * 3_000_000), timeout_seconds=0.01)


def test_what_has_come_is_heard_without_waiting(ends: Ends) -> None:
    """A deadline that is over does not lose it."""
    parent, worker = ends
    worker.sendall(Message(Kind.SERVING).pack())

    assert parent.receive(time.monotonic(), never) == Message(Kind.SERVING)


async def test_nothing_follows_a_message_that_was_sent_in_part(ends: Ends) -> None:
    """Who reads again after a pause hears the end, and not a mix of two messages."""
    parent, worker = ends
    with pytest.raises(ChannelError, match="does not listen"):
        parent.send(Message(Kind.PREPARE, b"x" * 3_000_000), timeout_seconds=0.05)
    with pytest.raises(ChannelError, match="nothing more"):
        parent.send(Message(Kind.DROP), timeout_seconds=0.05)
    channel = await WorkerEnd.open(worker)

    heard = await channel.receive()

    assert heard is None
    channel.close()
