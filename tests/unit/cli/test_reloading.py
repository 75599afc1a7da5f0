"""A worker that follows its parent, and what it does when it no longer can."""

import socket
import struct
from typing import cast

import pytest

from forwardauth.cli.channel import Kind, Message
from forwardauth.cli.reloading import Follower
from forwardauth.cli.service import Service

UNUSED = cast("Service", None)
"""None of these messages comes as far as the service."""


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        (b"", "says nothing more"),
        (Message(Kind.PREPARE, b"x" * 20).pack()[:12], "says nothing more"),
        (struct.pack("!cQ", b"?", 0), "cannot follow"),
        (Message(Kind.PREPARE, b"no configuration").pack(), "cannot follow"),
    ],
    ids=["nothing", "half-a-message", "unknown-message", "not-a-configuration"],
)
async def test_who_can_be_told_nothing_more_stops(
    said: bytes, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its successor can be told again; it would serve what is over, for ever (V-47)."""
    own, other = socket.socketpair()
    other.sendall(said)
    other.shutdown(socket.SHUT_WR)
    stops: list[bool] = []

    await Follower(UNUSED).run(own, lambda: stops.append(True))

    other.close()
    assert stops == [True]
    assert logged in caplog.text
