"""CORS with credentials, for the origins below our cookie domains and no others."""

from typing import Final

from aiohttp import web

from forwardauth.web import keys
from forwardauth.web.intent import lookup_own_origin

_MAX_AGE_SECONDS: Final = "600"


def cors_headers(request: web.Request) -> list[tuple[str, str]]:
    """Return the CORS header lines for the request's ``Origin``; none for others.

    Source: WHATWG Fetch 3.2; with credentials no wildcard is allowed anywhere.
    """
    settings = request.app[keys.SETTINGS]
    origin = lookup_own_origin(request.headers, settings.domains)
    if origin is None:
        return []
    headers = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
    ]
    if request.method == "OPTIONS":
        headers += [
            ("Access-Control-Allow-Methods", "POST"),
            ("Access-Control-Allow-Headers", "Content-Type"),
            ("Access-Control-Max-Age", _MAX_AGE_SECONDS),
            ("Vary", "Origin"),
        ]
    return headers
