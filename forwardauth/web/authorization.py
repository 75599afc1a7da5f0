"""The ``Authorization`` header: user name and password of a program, or nothing.

Law: what is not exactly one well-formed Basic is nothing at all. Other schemes are the
application's own, and no mistake is worth an answer of its own.

Source: RFC 7617 2; RFC 9110 11.4 (the scheme's name has no case).
"""

import re
from base64 import b64decode
from binascii import Error
from dataclasses import dataclass, field
from typing import Final

from forwardauth.adapters.base import RequestKind
from forwardauth.adapters.headers import HeaderSource, lookup_header

AUTHORIZATION: Final = "Authorization"

_BASIC: Final = re.compile(r"basic +(?P<token>[A-Za-z0-9+/]+={0,2})", re.IGNORECASE)
_BASE64_CHARACTERS: Final = 4
"""A token is a multiple of it; Python's decoder takes more padding than it needs."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_OF_BROWSERS: Final = (
    *("Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-User"),
    "X-Requested-With",
)
"""Browsers write the first four by themselves; scripts in pages the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicCredentials:
    """What a program says of itself; nothing of it is proven."""

    username: str
    password: str = field(repr=False)


def lookup_basic(headers: HeaderSource) -> BasicCredentials | None:
    """Return the Basic credentials of a request; ``None`` without well-formed ones.

    Several header lines are none: two programs could each read another one.
    """
    value = lookup_header(headers, AUTHORIZATION)
    match = None if value is None else _BASIC.fullmatch(value)
    if match is None or len(match["token"]) % _BASE64_CHARACTERS:
        return None
    try:
        text = b64decode(match["token"], validate=True).decode()
    except (Error, UnicodeDecodeError):
        return None
    username, colon, password = text.partition(":")
    if not username.strip() or not colon or _CONTROL.search(text):
        return None
    return BasicCredentials(username=username, password=password)


def challenge_for(host: str, kind: RequestKind, headers: HeaderSource) -> str:
    """Return the value of ``WWW-Authenticate``; empty where a browser may ask.

    A browser that sees one shows a dialogue in place of our page, and sends from then
    on a password that no logout takes back.

    Args:
        host: The original request's, which is the realm.
        kind: What the request looks like.
        headers: Of the browser or program.
    """
    is_browser = kind is RequestKind.NAVIGATION or any(
        headers.getall(name, []) for name in _OF_BROWSERS
    )
    return "" if is_browser else f'Basic realm="{host}", charset="UTF-8"'
