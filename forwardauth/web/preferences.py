"""What kind of answer a client would rather have, and in which language."""

import re
from typing import Final

from aiohttp import web

from forwardauth.adapters.kinds import prefers_html
from forwardauth.web import keys

_NOT_WANTED: Final = re.compile(r"q\s*=\s*0(\.0{0,3})?", re.ASCII)
"""A weight of nothing. Source: RFC 9110 12.4.2."""


def wants_json(request: web.BaseRequest) -> bool:
    """Whether the client names JSON, and does not want HTML at least as much."""
    accept = request.headers.get("Accept", "")
    return any(map(_is_json, accept.split(","))) and not prefers_html(accept)


def language_of(request: web.Request) -> str:
    """Return the tag of the language that this browser's pages are in."""
    return request.app[keys.LANGUAGE_CHOICE].get(request.headers)


def _is_json(part: str) -> bool:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    return name == "application/json" and not any(
        map(_NOT_WANTED.fullmatch, parameters)
    )
