"""``/metrics`` on the management listener, for Prometheus."""

from aiohttp import web

from forwardauth.errors import StoreUnavailableError
from forwardauth.web import keys


async def metrics(request: web.Request) -> web.StreamResponse:
    """Answer what this worker has counted, and how many sessions the store holds."""
    from forwardauth.web.exposition import CONTENT_TYPE, expose  # noqa: PLC0415 - heavy

    try:
        sessions = await request.app[keys.STORE].count()
    except StoreUnavailableError:
        sessions = None
    return web.Response(
        body=expose(request.app[keys.METRICS], sessions),
        headers={"Content-Type": CONTENT_TYPE},
    )
