"""``/.well-known/jwks.json``: the public key that logout tokens are checked with."""

from aiohttp import web

from forwardauth.web import keys


async def key_set(request: web.Request) -> web.StreamResponse:
    """Answer the key set, whatever the ``Host``: applications may ask us directly.

    It may be kept for minutes; a token with another ``kid`` sends them here again.
    """
    return web.Response(
        body=request.app[keys.LOGOUT_TOKENS].key_set,
        headers={
            "Content-Type": "application/jwk-set+json",
            "Cache-Control": "public, max-age=300",
            "X-Content-Type-Options": "nosniff",
        },
    )
