"""``headers``: under which names applications are told who asks."""

import re
from dataclasses import fields
from typing import Final

from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.section import Section

_NAME: Final = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9]){0,63}", re.ASCII)
"""Narrower than a token of RFC 9110 5.6.2: what every proxy's configuration can spell,
and every application tells from every other name. With ``_`` or ``.`` it would not."""

_TAKEN_FAMILIES: Final = {
    "accept": "by which browsers say what they can show",
    "access-control": "of CORS",
    "content": "which describes the body",
    "cookie": "which holds sessions",
    "forwardauth": "of our own",
    "proxy": "which ends at the next hop",
    "sec": "which browsers alone may set",
    "set-cookie": "which holds sessions",
    "x-content-type-options": "which every answer has",
    "x-forwarded": "by which proxies say what was asked for",
    "x-original": "by which proxies say what was asked for",
    "x-rewrite": "by which proxies say what was asked for",
}
"""First words of names that mean something else, each with what."""

_TAKEN: Final = frozenset(
    (
        # Hop by hop, and framing (RFC 9110 7.6.1, RFC 9112).
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
        *("expect", "host"),
        # What the verdict depends on, or the answer holds besides.
        *("authorization", "forwarded", "origin", "purpose", "referer", "user-agent"),
        *("x-moz", "x-purpose", "x-real-ip", "x-requested-with"),
        *("cache-control", "clear-site-data", "date", "location", "referrer-policy"),
        *("retry-after", "server", "vary", "www-authenticate"),
    )
)


def read_headers(section: Section) -> IdentityHeaders:
    """Return ``headers``, noting names that could be taken for others."""
    headers = IdentityHeaders(
        user=section.text("user", parse_header_name),
        groups=section.text("groups", parse_header_name),
        name=section.text("name", parse_header_name),
        email=section.text("email", parse_header_name),
    )
    keys: dict[str, str] = {}
    for key, name in zip((f.name for f in fields(headers)), headers.names, strict=True):
        first = keys.setdefault(name.lower(), key)
        if first != key and section.is_sound(first, key):
            section.refuse(
                key,
                f"{quote(name)} is the name of headers.{first}, too",
                "give each of the four headers a name of its own",
            )
    return headers


def parse_header_name(text: str) -> str:
    """Return *text* when a header of that name can say who asks, and nothing else.

    Raises:
        RefusedValueError: Other characters than letters, digits and single hyphens, or
            a name that proxies, browsers or our own answers use for something else.
    """
    if not _NAME.fullmatch(text):
        raise RefusedValueError(
            f"{quote(text)} is not a name that every proxy and application reads alike",
            "write letters, digits and single hyphens, such as Remote-User",
        )
    name = text.lower()
    for family, meaning in _TAKEN_FAMILIES.items():
        if name == family or name.startswith(f"{family}-"):
            raise _taken(text, meaning)
    if name in _TAKEN:
        raise _taken(text, "of HTTP, or of a verify request or answer")
    return text


def _taken(text: str, meaning: str) -> RefusedValueError:
    return RefusedValueError(
        f"{quote(text)} is a header {meaning}",
        "choose another name, such as Remote-User, and let the proxy rename it where an"
        " application insists",
    )
