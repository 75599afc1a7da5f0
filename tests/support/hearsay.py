"""Questions that only a proxy may ask, for clients that ask them by themselves."""

from typing import Final

from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.registry import create_adapters
from tests.support.client import Headers

VERIFY_PATHS: Final = tuple(
    dict.fromkeys(
        path for adapter in create_adapters(IdentityHeaders()) for path in adapter.paths
    )
)
"""Where proxies ask, each path once."""

OPEN_PAGE: Final[Headers] = (
    ("X-Forwarded-Host", "www.example.com"),
    ("X-Forwarded-Uri", "/"),
    ("X-Forwarded-Method", "GET"),
    ("X-Forwarded-Proto", "https"),
    ("X-Original-URL", "https://www.example.com/"),
    ("X-Original-Method", "GET"),
)
"""Somebody asks for the page that everybody may see, in the words of every proxy."""
