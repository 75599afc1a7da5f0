"""Who asks for a state change, and how: what a browser tells us about a request.

Laws: what contradicts itself is foreign. What a browser does by itself or for another
site (an image, a frame, a prefetch, a HEAD) ends nothing.
Source: W3C Fetch Metadata Request Headers; RFC 6454 7 (``Origin``); WHATWG Fetch 3.2.
"""

import re
from enum import StrEnum
from typing import Final

from forwardauth.adapters.headers import HeaderSource
from forwardauth.adapters.kinds import is_prefetch
from forwardauth.domains import CookieDomains, Origin

_ORIGIN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)*)"
    r"(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)
_MAX_ORIGIN_CHARACTERS: Final = 300
_OWN_SITES: Final = frozenset({"same-origin", "same-site", "none"})
_PROVING_SITES: Final = frozenset({"same-origin", "same-site"})
_FETCH_HEADERS: Final = (
    "Sec-Fetch-Site",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Dest",
    "Sec-Fetch-User",
)


class Provenance(StrEnum):
    """Where a request comes from, by its own account.

    ``PROVEN``: a page of ours, by ``Sec-Fetch-Site`` or ``Origin``.
    ``REFERRED``: a page of ours, by ``Referer`` alone; enough to follow a link.
    ``TYPED``: the address bar or a bookmark (``Sec-Fetch-Site: none``).
    ``UNKNOWN``: it says nothing at all, as curl and application servers do.
    ``FOREIGN``: another site, or it contradicts itself.
    """

    PROVEN = "proven"
    REFERRED = "referred"
    TYPED = "typed"
    UNKNOWN = "unknown"
    FOREIGN = "foreign"


def judge_provenance(
    headers: HeaderSource, *, host: str, domains: CookieDomains
) -> Provenance:
    """Return where the request says it comes from.

    ``Origin: null`` is a page that hides its address (``Referrer-Policy:
    no-referrer``), and whose browser says all the same that it is ours. A sandboxed
    frame is ``null`` too, and cross-site. Source: W3C Fetch Metadata 2.3.

    Args:
        headers: The browser's header fields.
        host: The host that was asked, lower case, without port.
        domains: Whose origins are ours.
    """
    sites = headers.getall("Sec-Fetch-Site", [])
    origins = headers.getall("Origin", [])
    is_vouched_for = len(sites) == 1 and sites[0] in _PROVING_SITES
    if origins == ["null"] and is_vouched_for:
        return Provenance.PROVEN
    pages = origins or headers.getall("Referer", [])
    if _is_foreign(sites, pages, host=host, domains=domains):
        return Provenance.FOREIGN
    if origins or is_vouched_for:
        return Provenance.PROVEN
    if pages:
        return Provenance.REFERRED
    if sites:
        return Provenance.TYPED
    says_nothing = not any(headers.getall(name, []) for name in _FETCH_HEADERS)
    return Provenance.UNKNOWN if says_nothing else Provenance.FOREIGN


def _is_foreign(
    sites: list[str], origins: list[str], *, host: str, domains: CookieDomains
) -> bool:
    """Whether any of it names another site, or two of it do not go together."""
    if len(sites) > 1 or len(origins) > 1:
        return True
    if sites and sites[0] not in _OWN_SITES:
        return True
    if not origins:
        return False
    origin = _parse_origin(origins[0])
    if origin is None or not is_own(origin, domains):
        return True
    if sites == ["same-origin"]:
        return origin.host != host
    return sites == ["same-site"] and domains.lookup(origin.host) != domains.lookup(
        host
    )


def is_own(origin: Origin, domains: CookieDomains) -> bool:
    """Whether *origin* is a portal's, or below a cookie domain with its scheme."""
    domain = domains.lookup(origin.host)
    return domain is not None and origin.scheme == domain.portal.scheme


def lookup_own_origin(headers: HeaderSource, domains: CookieDomains) -> str | None:
    """Return the ``Origin`` of the request when it is ours, as it was sent."""
    origins = headers.getall("Origin", [])
    origin = _parse_origin(origins[0]) if len(origins) == 1 else None
    if origin is None or "/" in origins[0].partition("://")[2]:
        return None
    return origins[0] if is_own(origin, domains) else None


def is_deliberate_navigation(headers: HeaderSource) -> bool:
    """Whether a person opens the page in a window, as far as the request tells.

    A browser that sends no fetch metadata cannot be told from a program; it counts,
    unless it says that it only fetches ahead.
    """
    if is_prefetch(headers):
        return False
    if not any(headers.getall(name, []) for name in _FETCH_HEADERS):
        return True
    is_navigation = headers.getall("Sec-Fetch-Mode", []) == ["navigate"]
    return is_navigation and headers.getall("Sec-Fetch-Dest", []) == ["document"]


def _parse_origin(value: str) -> Origin | None:
    """Return the origin of an ``Origin`` or ``Referer`` value; ``null`` is none."""
    head = "/".join(value.lower().split("/", 3)[:3]) if value.isascii() else ""
    match = _ORIGIN.fullmatch(head)
    if match is None or len(head) > _MAX_ORIGIN_CHARACTERS:
        return None
    port = None if match["port"] is None else int(match["port"])
    return Origin(scheme=match["scheme"], host=match["host"], port=port)
