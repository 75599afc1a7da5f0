"""Requests that are being answered, of all applications of a configuration."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from forwardauth.cli.requests_in_hand import RequestsInHand


@pytest.mark.parametrize("asked", [0, 1])
async def test_all_that_are_asked_are_waited_for(asked: int) -> None:
    """A probe and a scrape hold what they were begun with, as a verify does."""
    has_come, may_go = asyncio.Event(), asyncio.Event()

    async def answer(_request: web.Request) -> web.Response:
        has_come.set()
        await may_go.wait()
        return web.Response()

    applications = web.Application(), web.Application()
    applications[asked].router.add_get("/", answer)
    requests = RequestsInHand(*applications)
    async with TestClient(TestServer(applications[asked])) as client:
        asking = asyncio.create_task(client.get("/"))
        await has_come.wait()
        waiting = asyncio.create_task(requests.wait())
        await asyncio.sleep(0)
        was_done = waiting.done()

        may_go.set()
        await waiting

        assert not was_done
        assert (await asking).status == 200
    await requests.wait()
