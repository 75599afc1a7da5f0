"""``logout.notify``: the addresses of applications that want to hear of ends.

The service connects to these and to no others. A token that tells who has signed out
must not cross a foreign network in the clear, so plain http is for this machine, and
with a warning for the names and addresses of private networks.

Law: no message repeats a value, since a URL may hold a password.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from forwardauth.config.problems import RefusedValueError
from forwardauth.config.section import Section
from forwardauth.domains import DEFAULT_PORTS

_KEY: Final = "notify"
_MAX_CHARACTERS: Final = 2048
_MAX_NAME: Final = 253
_MAX_PORT: Final = 65_535
_TEXT: Final = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Printable ASCII without the backslash, which some readers take for a slash."""

_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:(?P<name>[A-Za-z0-9.-]+)|\[(?P<six>[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>(?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)",
    re.ASCII | re.IGNORECASE,
)
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_NUMERIC: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)
"""A last label that makes it an address. Source: WHATWG URL 3.5."""

_PRIVATE_SUFFIXES: Final = (".internal", ".local", ".home.arpa")
"""Names that no public server answers for. Source: RFC 6762, RFC 8375, ICANN."""

_REMEDY: Final = "write an absolute URL such as https://app.example.com/logout/notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyUrl:
    """An address to notify.

    Attributes:
        text: The whole URL; scheme and host in lower case, no default port.
        is_exposed: Whether the token crosses a private network in the clear.
    """

    text: str
    is_exposed: bool


def read_notify(section: Section) -> tuple[str, ...]:
    """Return ``logout.notify``, warning of addresses that others may listen to."""
    found = section.texts(_KEY, parse_notify_url)
    urls = tuple(url.text for url in found)
    if len(set(urls)) < len(urls):
        section.refuse(_KEY, "holds a URL twice", "keep one of them")
    if any(url.is_exposed for url in found):
        section.warn(
            _KEY,
            "holds an http URL: who listens on that network learns who signs out",
            "write https, unless that network carries nobody else",
        )
    return urls


def parse_notify_url(text: str) -> NotifyUrl:
    """Return *text* as an address to notify.

    Raises:
        RefusedValueError: No absolute http or https URL in printable ASCII, userinfo, a
            fragment, a host that is neither a name nor an address, or http to a host
            that may be anywhere.

    Source: OpenID Connect Back-Channel Logout 1.0, 2.2.
    """
    if len(text) > _MAX_CHARACTERS or not _TEXT.fullmatch(text):
        raise RefusedValueError(
            f"is not 1 to {_MAX_CHARACTERS} characters of a URL in plain ASCII", _REMEDY
        )
    authority = re.split("[/?#]", text.partition("//")[2], maxsplit=1)[0]
    if "@" in authority:
        raise RefusedValueError(
            "holds a user name or password",
            "leave it out: the application knows us by the signature",
        )
    if "#" in text:
        raise RefusedValueError(
            "holds a fragment, which is never sent", "leave out # and what follows"
        )
    match = _URL.fullmatch(text)
    if match is None:
        raise RefusedValueError("is not an absolute http or https URL", _REMEDY)
    scheme = match["scheme"].lower()
    host = _parse_host(match["name"], match["six"])
    port = int(match["port"]) if match["port"] else DEFAULT_PORTS[scheme]
    if not 1 <= port <= _MAX_PORT:
        raise RefusedValueError(
            f"port {port} does not exist", "write a port from 1 to 65535"
        )
    is_exposed = scheme == "http" and not _is_loopback(host)
    if is_exposed and not _is_private(host):
        raise RefusedValueError(
            "is http to a host that may be anywhere",
            "write https; http is for loopback, and for names and addresses of"
            " private networks",
        )
    shown_port = "" if port == DEFAULT_PORTS[scheme] else f":{port}"
    rest = match["rest"] if match["rest"].startswith("/") else f"/{match['rest']}"
    shown_host = f"[{host}]" if isinstance(host, IPv6Address) else str(host)
    return NotifyUrl(
        text=f"{scheme}://{shown_host}{shown_port}{rest}", is_exposed=is_exposed
    )


def _parse_host(name: str | None, six: str | None) -> str | IPv4Address | IPv6Address:
    try:
        if six is not None:
            return IPv6Address(six)
        host = (name or "").lower()
        if _NUMERIC.fullmatch(host):
            return IPv4Address(host)
    except ValueError as exc:
        raise RefusedValueError(
            "names an IP address that does not exist",
            "write it as 192.0.2.1 or [2001:db8::1]",
        ) from exc
    if len(host) > _MAX_NAME or not _NAME.fullmatch(host):
        raise RefusedValueError(
            "names a host that does not exist",
            "write it in letters, digits, hyphens and dots, without one at its end",
        )
    return host


def _is_loopback(host: str | IPv4Address | IPv6Address) -> bool:
    if isinstance(host, str):
        return host == "localhost" or host.endswith(".localhost")
    return host.is_loopback


def _is_private(host: str | IPv4Address | IPv6Address) -> bool:
    if isinstance(host, str):
        return "." not in host or host.endswith(_PRIVATE_SUFFIXES)
    return not host.is_global
