"""``/api/doctor``: what this service sees of a request, for whoever runs it.

Laws: without a proof there is nothing here, as on any path that does not exist. What
tells the version is loaded by whoever asks for it first; the start has no use for it.
"""

from typing import Final

from aiohttp import web

from forwardauth.adapters.headers import (
    X_FORWARDED_FOR,
    X_FORWARDED_HOST,
    X_FORWARDED_PROTO,
    is_trusted,
)
from forwardauth.web import keys
from forwardauth.web.answers import ok
from forwardauth.web.doctor_proof import PROOF_HEADER
from forwardauth.web.forwarded import get_peer, lookup_browser_address

SHOWN_HEADERS: Final = (
    "Host",
    X_FORWARDED_FOR,
    X_FORWARDED_HOST,
    X_FORWARDED_PROTO,
)
"""What a proxy says about a request to the portal."""


async def doctor(request: web.Request) -> web.StreamResponse:
    """Answer who is connected, and what is believed of it; whatever the ``Host``."""
    from importlib.metadata import version  # noqa: PLC0415 - see laws

    proofs = request.headers.getall(PROOF_HEADER, [])
    if len(proofs) != 1 or not request.app[keys.DOCTOR_PROOFS].is_valid(proofs[0]):
        raise web.HTTPNotFound
    settings = request.app[keys.SETTINGS]
    peer = get_peer(request)
    client = lookup_browser_address(request, settings.trusted_proxies)
    return ok(
        {
            "version": version("forwardauth"),
            "time": request.app[keys.CLOCK].now().isoformat(),
            "peer": str(peer),
            "is_trusted": is_trusted(peer, settings.trusted_proxies),
            "client": None if client is None else str(client),
            "headers": {
                name: request.headers.getall(name, []) for name in SHOWN_HEADERS
            },
            "trusted_proxies": [str(network) for network in settings.trusted_proxies],
            "portals": [each.portal_url("") for each in settings.domains.entries],
        }
    )
