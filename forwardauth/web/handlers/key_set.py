"""``/.well-known/jwks.json``: the public key that logout tokens are checked with."""

import asyncio

from aiohttp import web

from forwardauth.web import keys
from forwardauth.web.logout_tokens import LogoutTokens


async def key_set(request: web.Request) -> web.StreamResponse:
    """Answer the key set, whatever the ``Host``: applications may ask us directly.

    It may be kept for minutes; a token with another ``kid`` sends them here again.
    """
    # The first one loads the signer, which must not hold up verify.
    body = await asyncio.to_thread(_key_set_of, request.app[keys.LOGOUT_TOKENS])
    return web.Response(
        body=body,
        headers={
            "Content-Type": "application/jwk-set+json",
            "Cache-Control": "public, max-age=300",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _key_set_of(tokens: LogoutTokens) -> bytes:
    return tokens.key_set
