"""Gives each request its name, and sends the name back where it was used.

Law: whoever gets an answer that an event is about, or whose page shows a reference, is
told the name in it. An answer that nothing is written about is as it was without.
"""

from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from forwardauth.adapters.headers import is_trusted
from forwardauth.errors import UntrustedProxyError
from forwardauth.web import keys
from forwardauth.web.forwarded import get_peer
from forwardauth.web.request_ids import SENT_BACK, RequestName, enter, leave


@web.middleware
async def name_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer as *handler* does, with the name of the request where it was used."""
    name = RequestName(partial(_lookup_given, request))
    token = enter(name)
    try:
        response = await handler(request)
    finally:
        leave(token)
    if name.told is not None and not response.prepared:
        response.headers[SENT_BACK] = name.told
    return response


def _lookup_given(request: web.Request) -> str | None:
    """Return what the proxy calls *request*, if one is connected that may say so."""
    try:
        peer = get_peer(request)
    except UntrustedProxyError:
        return None
    settings = request.app[keys.SETTINGS]
    if not is_trusted(peer, settings.trusted_proxies):
        return None
    return settings.request_ids.lookup(request.headers)
