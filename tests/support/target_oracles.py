"""What is true of redirect targets, said a second time and in another way.

The tables repeat the policy of ``tests.support.targets`` by hand. The readings are
those of a browser's parser, of the standard library and of yarl, which aiohttp uses.
"""

import posixpath
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

import ada_url
import yarl

from forwardauth.redirects import LOOP_PATHS

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
OWN_ORIGINS: Final = {
    "example.com": {("https", 443)},
    "example.org": {("https", 443), ("https", 8443)},
    "example.localhost": {("http", 80), ("http", 8080), ("https", 443)},
}
LISTED_ORIGINS: Final = {
    ("https", "partner.example.net", 443),
    ("https", "shop.example.net", 8444),
    ("https", "docs.example.net", 443),
    ("https", "tenants.example.net", 443),
    ("https", "xn--mnchen-3ya.example.net", 443),
    ("http", "legacy.example.net", 80),
    ("http", "printer.example.com", 8631),
}
LISTED_BELOW: Final = {
    ("https", ".apps.example.net", 443),
    ("https", ".staging.example.net", 8443),
}
LISTED_PATHS: Final = {
    "shop.example.net": ("/store", "/store/"),
    "docs.example.net": ("/manual/",),
    "tenants.example.net": ("/north", "/north/", "/south", "/south/"),
}
LOGOUT_PATHS: Final = ("/logout", "/app/sign-out")
PORTALS: Final = {
    "auth.example.com": "",
    "login.example.org": "/authenticate",
    "auth.example.localhost": "",
}


def assert_sound(text: str) -> None:
    """Assert what has to be true of every target that is accepted.

    All parsers read the same origin, it is allowed, it survives the way through a
    browser, and no server reads a path from it that is a loop or outside its prefix.
    """
    readings = set(_origins(text))
    assert len(readings) == 1, readings
    scheme, host, port = readings.pop()
    assert host is not None
    assert _is_allowed(scheme, host, port), (scheme, host, port)

    browser = ada_url.URL(text)
    assert not browser.username
    assert not browser.password
    assert ada_url.URL(browser.href).origin == browser.origin

    served = set(_served_paths(browser.pathname))
    if _domain_of(host):
        assert served.isdisjoint(LOGOUT_PATHS), served
    if host in PORTALS:
        assert served.isdisjoint(PORTALS[host] + path for path in LOOP_PATHS), served
    for path in served if host in LISTED_PATHS else ():
        assert _is_within(path, LISTED_PATHS[host]), path


def _origins(text: str) -> Iterator[tuple[str, str | None, int | None]]:
    browser = ada_url.URL(text)
    scheme = browser.protocol.removesuffix(":")
    yield scheme, browser.hostname, int(browser.port or DEFAULT_PORTS[scheme])
    library = urlsplit(text)
    yield library.scheme, library.hostname, library.port or DEFAULT_PORTS[scheme]
    framework = yarl.URL(text)
    yield framework.scheme, framework.raw_host, framework.port


def _domain_of(host: str) -> str | None:
    return next(
        (name for name in OWN_ORIGINS if host == name or host.endswith(f".{name}")),
        None,
    )


def _is_allowed(scheme: str, host: str, port: int | None) -> bool:
    domain = _domain_of(host)
    return (
        (domain is not None and (scheme, port) in OWN_ORIGINS[domain])
        or (scheme, host, port) in LISTED_ORIGINS
        or any(
            (scheme, port) == (listed, at) and host.endswith(tail)
            for listed, tail, at in LISTED_BELOW
        )
    )


def _is_within(path: str, places: tuple[str, ...]) -> bool:
    return path + "/" in places or any(
        path == place or (place.endswith("/") and path.startswith(place))
        for place in places
    )


def _served_paths(path: str) -> Iterator[str]:
    """Yield what servers, decoding more or less often, make of what a browser asks."""
    for _ in range(4):
        for read in (path, path.partition(";")[0], path.replace("\\", "/")):
            yield read.lower()
            yield posixpath.normpath("/" + read.lstrip("/")).lower()
        path = unquote(path)
