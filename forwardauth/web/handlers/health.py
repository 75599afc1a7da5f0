"""Whether the service is there: ``/api/health``, ``/healthz``, ``/readyz``."""

from aiohttp import web

from forwardauth.errors import StoreUnavailableError
from forwardauth.web import keys
from forwardauth.web.answers import RETRY_AFTER_SECONDS, ko, ok


async def health(_request: web.Request) -> web.StreamResponse:
    """Answer that the process serves requests, whatever the ``Host``."""
    return ok()


async def ready(request: web.Request) -> web.StreamResponse:
    """Answer whether the store takes reads and writes; 503 when it does not."""
    try:
        await request.app[keys.STORE].ping()
    except StoreUnavailableError as exc:
        retry = (("Retry-After", str(RETRY_AFTER_SECONDS)),)
        return ko(str(exc), status=503, headers=retry)
    return ok()
