"""The static files, under names that change with their content."""

from aiohttp import web

from forwardauth.web import keys


async def asset(request: web.Request) -> web.StreamResponse:
    """Answer a static file, which browsers may keep for a year."""
    found = request.app[keys.ASSETS].lookup(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(
        body=found.body,
        headers={
            "Content-Type": found.content_type,
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'",
            "Cross-Origin-Resource-Policy": "same-site",
        },
    )
