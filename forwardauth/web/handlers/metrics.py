"""``/metrics`` on the management listener, for Prometheus."""

import asyncio
from importlib import import_module
from typing import Final

from aiohttp import web

from forwardauth.web import keys

_EXPOSITION: Final = "forwardauth.web.exposition"


async def metrics(request: web.Request) -> web.StreamResponse:
    """Answer what all workers have counted, and how many sessions the store holds."""
    readiness, counted = request.app[keys.READINESS], request.app[keys.METRICS]
    # The first scrape loads it, which must not hold up verify.
    exposition = await asyncio.to_thread(import_module, _EXPOSITION)
    checks, sessions = await asyncio.gather(
        readiness.check(), readiness.count_sessions()
    )
    # Whoever counts goes on meanwhile: the system is asked about every worker.
    state = exposition.State(
        is_ready=all(each.fault is None for each in checks),
        sessions=sessions,
        revocations=readiness.count_waiting(),
        config=readiness.config,
    )
    body: bytes = await asyncio.to_thread(exposition.expose, counted, state)
    return web.Response(body=body, headers={"Content-Type": exposition.CONTENT_TYPE})
