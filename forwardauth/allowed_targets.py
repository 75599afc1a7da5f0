"""Entries of ``logout.allowed_targets``: places beyond the cookie domains.

An entry is an exact origin (``https://www.example.net``), or every host below one
(``https://*.apps.example.net``, never ``apps.example.net`` itself), each with a path
prefix if need be (``https://www.example.net/shop``).

Law: an entry says less rather than more. Its scheme and port are exact, its wildcard is
one leading ``*.``, and its prefix admits no path that somebody could read differently.
"""

import re
from dataclasses import dataclass
from typing import Final

from forwardauth.errors import UnsafeTargetError
from forwardauth.target_path import is_plain_path
from forwardauth.target_url import (
    RefusalReason,
    TargetUrl,
    ascii_host,
    parse_target_url,
)

_ENTRY: Final = re.compile(
    r"(?P<scheme>https?)://(?P<star>\*\.)?"
    r"(?P<host>[^/?#:]*)(?P<port>:[^/?#]*)?(?P<path>.*)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_ANY: Final = re.compile(r"(?:[^/]*://)?\*(?:[:/].*)?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedTarget:
    """One parsed entry of ``logout.allowed_targets``.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Lower case; of a wildcard, what stands behind ``*.``.
        is_wildcard: Whether the hosts below *host* are meant, and not *host* itself.
        port: ``None`` for the scheme's default port, never that port itself.
        path_prefix: Empty for every path, else it starts with ``/``. With a final
            ``/`` it admits what is below, without one also the path itself.
    """

    scheme: str
    host: str
    is_wildcard: bool = False
    port: int | None = None
    path_prefix: str = ""

    def admits_path(self, path: str) -> bool:
        """Whether *path*, plain as ``is_plain_path`` says, lies within the prefix."""
        if not path.startswith(self.path_prefix):
            return False
        following = path[len(self.path_prefix) :]
        return self.path_prefix.endswith("/") or following[:1] in ("", "/")

    def __str__(self) -> str:
        """Return the entry in its normal spelling."""
        star = "*." if self.is_wildcard else ""
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{star}{self.host}{port}{self.path_prefix}"


def parse_allowed_target(text: str) -> AllowedTarget:
    """Return the entry that *text* spells.

    Unicode labels in the host are converted once, here. Whether a wildcard spans a
    public suffix is for the configuration to check: it knows the list of suffixes.

    Raises:
        UnsafeTargetError: *text* is no such entry; *reason* starts with ``entry_``.
    """
    if _ANY.fullmatch(text):
        raise UnsafeTargetError(
            RefusalReason.ENTRY_ANY, "allows every host; name the hosts one by one"
        )
    match = _ENTRY.fullmatch(text)
    if match is None:
        raise UnsafeTargetError(
            RefusalReason.ENTRY_MALFORMED, "must start with https:// or http://"
        )
    url = _parse_url(match)
    return AllowedTarget(
        scheme=url.scheme,
        host=url.host,
        is_wildcard=match["star"] is not None,
        port=url.port,
        path_prefix="" if url.path == "/" else url.path,
    )


def _parse_url(match: re.Match[str]) -> TargetUrl:
    scheme, host, port, path = match.group("scheme", "host", "port", "path")
    if "@" in host + (port or ""):
        raise UnsafeTargetError(
            RefusalReason.ENTRY_USERINFO, "has user information before its host"
        )
    if "*" in match.string[match.start("host") :]:
        raise UnsafeTargetError(
            RefusalReason.ENTRY_WILDCARD,
            "has a * that is not the leading *. of its host; paths are prefixes anyway",
        )
    if "?" in path or "#" in path:
        raise UnsafeTargetError(
            RefusalReason.ENTRY_QUERY,
            "has a query or a fragment, which nobody compares",
        )
    try:
        name = host if host.isascii() else ascii_host(host)
        url = parse_target_url(f"{scheme}://{name}{port or ''}{path}")
    except ValueError as exc:
        raise UnsafeTargetError(
            RefusalReason.ENTRY_MALFORMED, "has a host that is no domain name"
        ) from exc
    except UnsafeTargetError as exc:
        raise UnsafeTargetError(RefusalReason.ENTRY_MALFORMED, str(exc)) from exc
    if not is_plain_path(url.path):
        raise UnsafeTargetError(
            RefusalReason.ENTRY_PATH_DOTS,
            "has a path that servers can read in several ways: dot segments, //, "
            "encoded dots, slashes or backslashes, or double encoding",
        )
    return url
