"""The sockets of an exchange are closed when it is over."""

import asyncio
import socket

from forwardauth.doctor.sockets import Sockets

ADDRESS = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))


async def test_waits_until_the_last_is_closed() -> None:
    """Whenever that is: one is closed at once, the other by and by."""
    sockets = Sockets()
    early, late = sockets.open(ADDRESS), sockets.open(ADDRESS)
    early.close()

    waiting = asyncio.create_task(sockets.wait_closed(3_600))
    await asyncio.sleep(0)
    was_done = waiting.done()
    late.close()

    assert await waiting is True
    assert not was_done


async def test_does_not_wait_for_ever() -> None:
    """A side that says nothing any more holds nobody up."""
    sockets = Sockets()
    opened = sockets.open(ADDRESS)

    assert await sockets.wait_closed(0) is False

    opened.close()


async def test_has_nothing_to_wait_for_at_first() -> None:
    """Nobody has opened any."""
    assert await Sockets().wait_closed(0) is True
