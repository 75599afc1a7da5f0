"""What kind of answer a client would rather have."""

from aiohttp import web

from forwardauth.adapters.kinds import prefers_html


def wants_json(request: web.BaseRequest) -> bool:
    """Whether the client names JSON, and does not want HTML at least as much."""
    accept = request.headers.get("Accept", "")
    return "application/json" in accept.lower() and not prefers_html(accept)
