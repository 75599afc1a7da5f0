"""The values that verify works on: who asks, and for what.

``OriginalRequest`` is what the browser asked the proxy for, after an adapter has read
it from the one header family of its proxy. ``Subject`` is who the session says is
asking.

Law: text becomes a value here by a full match against a strict grammar, or not at all.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from forwardauth.errors import ProxyRequestError

MAX_URI_CHARACTERS: Final = 8190
"""The longest request target that is read, as in aiohttp's own line limit."""

REFUSED_TARGET: Final = "rd=%00"
"""Query that stands for one that cannot be read: with a target that nobody accepts."""

METHODS: Final = frozenset(
    (
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
        *("OPTIONS", "TRACE", "CONNECT", "PROPFIND", "PROPPATCH", "MKCOL"),
        *("COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "ACL", "MKCALENDAR"),
    )
)
"""Methods of RFC 9110, PATCH (RFC 5789), and WebDAV with access lists and calendars
(RFC 4918, 3253, 5323, 3744, 4791)."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(
    rf"(?P<name>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[1-9][0-9]{{0,4}}))?", re.ASCII
)
_ORIGIN_FORM: Final = re.compile(
    r"/(?:[!$&-;=@-Z_a-z~\[\]^`{|}\"<>?]++|%[0-9A-Fa-f]{2})*+", re.ASCII
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_MAX_PORT: Final = 65535
_MAX_HOST_CHARACTERS: Final = 253
_MAX_PORT_CHARACTERS: Final = len(":65535")
_KNOWN_HOSTS: Final = 1024
"""Of how many it is remembered what they come to: half a megabyte at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalRequest:
    """The request that the proxy asks about.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Lower case, without port.
        port: ``None`` for the scheme's default port.
        method: Upper case, one of ``METHODS``.
        path: Raw, percent-encoded, starts with ``/``.
        query: Raw, without ``?``; ``None`` when there is no ``?``.
        client: The browser's address as far as trusted proxies vouch for it,
            ``None`` when they do not say.
        is_preflight: Whether a browser asks by it which requests of another origin the
            application takes; it sends no cookie then. Set by the verify handler.
        is_plain_http: Whether it came by ``http`` where people sign in by ``https``, so
            that no session cookie can come with it. Set by the verify handler.
    """

    scheme: str
    host: str
    port: int | None
    method: str
    path: str
    query: str | None
    client: IPv4Address | IPv6Address | None = None
    is_preflight: bool = False
    is_plain_http: bool = False

    @property
    def url(self) -> str:
        """The absolute URL, as the browser knows it."""
        port = "" if self.port is None else f":{self.port}"
        query = "" if self.query is None else f"?{self.query}"
        return f"{self.scheme}://{self.host}{port}{self.path}{query}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who asks. Empty *username* and *level* 0 is nobody: see ``ANONYMOUS``."""

    username: str = ""
    display_name: str = ""
    email: str = ""
    groups: frozenset[str] = field(default_factory=frozenset)
    level: int = 0

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is signed in."""
        return self.level == 0


ANONYMOUS: Final = Subject()


def parse_scheme(value: str, *, header: str) -> str:
    """Return ``http`` or ``https``; anything else, upper case too, is refused.

    Raises:
        ProxyRequestError: Names *header*.
    """
    if value not in _DEFAULT_PORTS:
        raise ProxyRequestError(header, "scheme_unknown", "must be http or https")
    return value


def parse_method(value: str, *, header: str) -> str:
    """Return *value* when it is a method in upper case that we know.

    Raises:
        ProxyRequestError: Names *header*. Source: CVE-2020-14359, where a method in
            lower case walked past a rule.
    """
    if value not in METHODS:
        raise ProxyRequestError(header, "method_unknown", "is not a known method")
    return value


def parse_host(value: str, *, scheme: str, header: str) -> tuple[str, int | None]:
    """Return host (lower case) and port (``None`` for the default of *scheme*).

    Raises:
        ProxyRequestError: Not letters, digits and hyphens; a trailing dot, userinfo,
            comma, space, percent sign or bracket (no address has a cookie domain); a
            port out of range. Names *header*.

    Source: RFC 9110 7.2, narrowed to LDH names (RFC 5890 2.3.1).
    """
    if len(value) > _MAX_HOST_CHARACTERS + _MAX_PORT_CHARACTERS:
        raise ProxyRequestError(header, "host_malformed", "is not a host name")
    host, port = _split_host(value)
    if not host:
        raise ProxyRequestError(header, "host_malformed", "is not a host name")
    if port is not None and port > _MAX_PORT:
        raise ProxyRequestError(header, "port_out_of_range", "port is above 65535")
    return host, None if port == _DEFAULT_PORTS[scheme] else port


@lru_cache(_KNOWN_HOSTS)
def _split_host(value: str) -> tuple[str, int | None]:
    """Return host (lower case) and port as they stand there; no host if none does."""
    match = _HOST.fullmatch(value.lower()) if value.isascii() else None
    if match is None or len(match["name"]) > _MAX_HOST_CHARACTERS:
        return "", None
    return match["name"], int(match["port"]) if match["port"] else None


def parse_url(
    url: str, *, method: str = "GET", client: IPv4Address | IPv6Address | None = None
) -> OriginalRequest:
    """Return the request of a browser that *url* was typed into.

    Args:
        url: Absolute; the path may be missing.
        method: Of the request.
        client: The browser's address.

    Raises:
        ProxyRequestError: It would be refused; names ``URL`` or ``METHOD``.
    """
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    scheme = parse_scheme(scheme, header="URL")
    host, port = parse_host(authority, scheme=scheme, header="URL")
    path, query = parse_uri(slash + path or "/", header="URL")
    return OriginalRequest(
        scheme=scheme,
        host=host,
        port=port,
        method=parse_method(method, header="METHOD"),
        path=path,
        query=query,
        client=client,
    )


def parse_uri(
    value: str, *, header: str, logout_paths: frozenset[str] = frozenset()
) -> tuple[str, str | None]:
    """Return raw path and raw query of a request target in origin form.

    Args:
        value: As the proxy sent it.
        header: Where it stood.
        logout_paths: Paths whose query no error may come from, since a logout comes
            before its target: a malformed one is ``REFUSED_TARGET``.

    Raises:
        ProxyRequestError: Does not start with ``/``, holds ``#``, a backslash, a space,
            a control or non-ASCII character, a bad percent escape, or is longer than
            8190 characters. Names *header*.

    Source: RFC 9112 3.2.1; CVE-2026-41059 (a fragment in the request line).
    """
    path, mark, query = value.partition("?")
    try:
        _check_origin_form(value, header)
    except ProxyRequestError:
        if mark and path in logout_paths:
            return path, REFUSED_TARGET
        raise
    return path, query if mark else None


def _check_origin_form(value: str, header: str) -> None:
    if len(value) > MAX_URI_CHARACTERS:
        raise ProxyRequestError(
            header, "uri_too_long", "is longer than 8190 characters"
        )
    if not _ORIGIN_FORM.fullmatch(value):
        raise ProxyRequestError(header, "uri_malformed", "is not a path with query")
