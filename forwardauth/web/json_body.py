"""A JSON object as a request's body."""

import json
from typing import Any, Final

from aiohttp import web

from forwardauth.web.forms import read_body

_JSON: Final = "application/json"


async def read_object(request: web.Request) -> dict[str, Any]:
    """Return the object in the body.

    Raises:
        web.HTTPUnsupportedMediaType: The type is not ``application/json``, which no
            form of another site can send.
        web.HTTPBadRequest: It is not one JSON object, or longer than 64 KiB.
    """
    if request.content_type != _JSON:
        raise web.HTTPUnsupportedMediaType
    body = await read_body(request)
    try:
        content = json.loads(body or b"")
    except (ValueError, RecursionError) as exc:
        raise web.HTTPBadRequest from exc
    if not isinstance(content, dict):
        raise web.HTTPBadRequest
    return content
