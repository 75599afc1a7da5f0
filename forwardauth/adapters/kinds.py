"""Tells a navigation from a program's request, by what browsers say about it.

Law: never by ``User-Agent``. What is not plainly a navigation is none, since a 401 is
understood by every program and a redirect is not.
Source: W3C Fetch Metadata Request Headers; RFC 9110 12.5.1 for ``Accept``.
"""

from typing import Final

from forwardauth.adapters.base import RequestKind
from forwardauth.adapters.headers import HeaderSource, lookup_header

_NAVIGATION_METHODS: Final = frozenset({"GET", "HEAD", "POST"})
_NAVIGATION_DESTS: Final[tuple[list[str], ...]] = (
    [],
    ["document"],
    ["iframe"],
    ["frame"],
)
"""Every value of the header, so that one sent twice is none of them."""
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_MAX_ACCEPT_CHARACTERS: Final = 1024


def classify(method: str, headers: HeaderSource) -> RequestKind:
    """Return the kind of a request with *method* and the browser's *headers*."""
    if method in _NAVIGATION_METHODS and _is_navigation(headers):
        return RequestKind.NAVIGATION
    return RequestKind.FETCH


def is_preflight(method: str, headers: HeaderSource) -> bool:
    """Whether the request is a CORS preflight, which carries no cookie.

    Source: WHATWG Fetch 3.3.2.
    """
    return (
        method == "OPTIONS"
        and bool(headers.getall("Origin", []))
        and bool(headers.getall("Access-Control-Request-Method", []))
    )


def _is_navigation(headers: HeaderSource) -> bool:
    mode = headers.getall("Sec-Fetch-Mode", [])
    dest = headers.getall("Sec-Fetch-Dest", [])
    if mode or dest:
        return mode in ([], ["navigate"]) and dest in _NAVIGATION_DESTS
    if headers.getall("X-Requested-With", []):
        return False
    return prefers_html(lookup_header(headers, "Accept"))


def prefers_html(accept: str | None) -> bool:
    """Whether *accept* names an HTML type and wants JSON no more than that.

    ``*/*`` names nothing: it is what programs send that never thought about it.
    """
    if accept is None or len(accept) > _MAX_ACCEPT_CHARACTERS:
        return False
    html = json = 0.0
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        if name in _HTML:
            html = max(html, quality)
        elif name == "application/json":
            json = max(json, quality)
    return html > 0 and html >= json


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0 <= quality <= 1 else 0.0
    return 1.0
