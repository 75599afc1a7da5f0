"""The service in one process: how it stops, and what a reload leaves behind."""

import asyncio
import socket
import weakref
from pathlib import Path
from typing import Final

from forwardauth.web import keys
from tests.support.own_service import OwnService
from tests.support.processes import free_ports
from tests.support.serving import write_installation

HEALTH: Final = b"GET /api/health HTTP/1.1\r\nHost: any\r\n\r\n"


def _write(folder: Path) -> Path:
    main, management = free_ports(2)
    server = (
        f"  listen: 127.0.0.1:{main}\n  management: 127.0.0.1:{management}\n"
        "  drain: 1h\n"
    )
    return write_installation(folder, server=server, store="'memory:'")


def _connect(service: OwnService) -> socket.socket:
    assert isinstance(service.peer.address, int)
    return socket.create_connection(("127.0.0.1", service.peer.address), timeout=10)


async def test_connection_that_nobody_has_accepted_is_served(tmp_path: Path) -> None:
    """The system let it in before the stop, so whoever made it counts on an answer."""
    async with OwnService(_write(tmp_path)) as service:
        client = _connect(service)
        client.sendall(HEALTH)
        # No turn of the loop comes between the connection and the stop.

    answer = client.recv(10_000)
    rest = client.recv(100)
    client.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert rest == b""


async def test_request_in_hand_is_answered_by_what_it_began_with(
    tmp_path: Path,
) -> None:
    """A reload lets go of the configuration before only when nobody needs it."""
    body = b'{"username": "alice", "password": "wrong"}'
    head = (
        "POST /api/firstfactor HTTP/1.1\r\nHost: auth.example.com\r\n"
        "X-Forwarded-Proto: https\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    async with OwnService(_write(tmp_path)) as service:
        assert isinstance(service.peer.address, int)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", service.peer.address
        )
        writer.write(head + body[:10])
        before = service.application
        await asyncio.sleep(0.2)
        assert await service.reload()
        await asyncio.sleep(0.2)
        is_kept = keys.USERS in before

        writer.write(body[10:])
        answer = await reader.readuntil(b"\r\n")
        writer.close()
        async with asyncio.timeout(20):
            while keys.USERS in before:  # noqa: ASYNC110 - has no event
                await asyncio.sleep(0.05)

    assert is_kept
    assert b" 401 " in answer


async def test_reloads_leave_no_configuration_behind(tmp_path: Path) -> None:
    """What has answered requests is let go of when nobody asks it any more.

    Of the first one that is so of its users, which are in no cycle: no collection looks
    through what was there at the start.
    """
    async with OwnService(_write(tmp_path)) as service:
        kept: list[weakref.ref[object]] = []
        for number in range(4):
            reply = await asyncio.to_thread(service.peer.send, "GET", "/verify/traefik")
            assert reply.status == 400
            kept.append(weakref.ref(service.application[keys.USERS]))
            if number:
                kept.append(weakref.ref(service.application))
            assert await service.reload()
        async with asyncio.timeout(20):
            while any(each() is not None for each in kept):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.05)
