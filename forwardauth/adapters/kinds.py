"""Tells a navigation from a program's request, by what browsers say about it.

Law: never by ``User-Agent``. What is not plainly a navigation is none, since a 401 is
understood by every program and a redirect is not.
Source: W3C Fetch Metadata Request Headers; RFC 9110 12.5.1 for ``Accept``; RFC 6455 4.1
for WebSockets.
"""

import re
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
_QUALITY: Final = re.compile(r"0\.?|0?\.[0-9]+|1(?:\.0*)?", re.ASCII)
"""From 0 to 1 (RFC 9110 12.4.2), with any number of digits, as some programs write."""
_WEBSOCKET_HEADERS: Final = ("Sec-WebSocket-Key", "Sec-WebSocket-Version")
_PURPOSE_HEADERS: Final = ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")
KIND_HEADERS: Final = (
    *("Sec-Fetch-Mode", "Sec-Fetch-Dest", "X-Requested-With", "Accept", "Upgrade"),
    *_WEBSOCKET_HEADERS,
    *_PURPOSE_HEADERS,
)
"""All that ``classify`` goes by."""

_AHEAD: Final = ("prefetch", "prerender", "preview")


def classify(method: str, headers: HeaderSource) -> RequestKind:
    """Return the kind of a request with *method* and the browser's *headers*.

    A page that is fetched ahead has nobody in front of it. What we answer may be shown
    much later, and browsers keep what is at the end of a redirect but throw a 401 away:
    so the way to the portal is told to those who come, and not to who might.
    Source: WHATWG HTML, speculative loading, where only an ok status is kept.
    """
    if method not in _NAVIGATION_METHODS or _is_websocket(headers):
        return RequestKind.FETCH
    if is_prefetch(headers) or not _is_navigation(headers):
        return RequestKind.FETCH
    return RequestKind.NAVIGATION


def is_preflight(method: str, headers: HeaderSource) -> bool:
    """Whether the request is a CORS preflight, which carries no cookie.

    Source: WHATWG Fetch 3.3.2.
    """
    return (
        method == "OPTIONS"
        and bool(headers.getall("Origin", []))
        and bool(headers.getall("Access-Control-Request-Method", []))
    )


def is_prefetch(headers: HeaderSource) -> bool:
    """Whether the browser fetches ahead of a person's decision.

    ``preview`` is what Safari says when it draws thumbnails of frequent pages.
    """
    purposes = (
        value.lower() for name in _PURPOSE_HEADERS for value in headers.getall(name, [])
    )
    return any(word in value for value in purposes for word in _AHEAD)


def _is_websocket(headers: HeaderSource) -> bool:
    """Whether a WebSocket is opened, which can follow no redirect to a page.

    Proxies keep ``Upgrade`` to themselves, as it belongs to one connection; the other
    headers of the handshake come through.
    """
    if any(headers.getall(name, []) for name in _WEBSOCKET_HEADERS):
        return True
    protocols = ",".join(headers.getall("Upgrade", [])).lower().split(",")
    return any(each.strip().partition("/")[0] == "websocket" for each in protocols)


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
            # Not by ``float`` alone, which reads ``inf``, ``1e-1`` and ``0_1`` too.
            return float(value) if _QUALITY.fullmatch(value) else 0.0
    return 1.0
