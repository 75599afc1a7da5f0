"""What a browser does with ``Set-Cookie``, as far as the tests need it.

Source: draft-ietf-httpbis-rfc6265bis, 5.7 storage model: a cookie is known by name,
domain, host-only flag and path; only an equal one replaces or removes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieKey:
    """What makes two cookies the same one."""

    name: str
    domain: str
    is_host_only: bool
    path: str


class CookieJar:
    """The cookies of one browser; all of them reach every path and scheme."""

    def __init__(self) -> None:
        self._values: dict[CookieKey, str] = {}

    def update(self, host: str, lines: Iterable[str]) -> None:
        """Apply the ``Set-Cookie`` *lines* of an answer of *host*."""
        for line in lines:
            pair, *rest = (part.strip() for part in line.split(";"))
            name, _, value = pair.partition("=")
            attributes = {
                key.lower(): text
                for key, _, text in (part.partition("=") for part in rest)
            }
            domain = attributes.get("domain", "").lower().removeprefix(".")
            assert not domain or _covers(domain, host), f"{host} may not set {line!r}"
            key = CookieKey(
                name=name,
                domain=domain or host,
                is_host_only=not domain,
                path=attributes.get("path", "/"),
            )
            if _is_deletion(attributes):
                self._values.pop(key, None)
            else:
                self._values[key] = value

    def header(self, host: str) -> str:
        """Return the ``Cookie`` header for a request to *host*; empty for none."""
        return "; ".join(
            f"{key.name}={value}"
            for key, value in self._values.items()
            if key.domain == host
            or (not key.is_host_only and _covers(key.domain, host))
        )

    def names(self) -> set[str]:
        """Return the names of all cookies that are kept, whatever their host."""
        return {key.name for key in self._values}

    def value(self, name: str) -> str:
        """Return the value of the one cookie *name*."""
        (value,) = (v for key, v in self._values.items() if key.name == name)
        return value


def _covers(domain: str, host: str) -> bool:
    return host == domain or host.endswith("." + domain)


def _is_deletion(attributes: dict[str, str]) -> bool:
    if "max-age" in attributes:
        return int(attributes["max-age"]) <= 0
    if "expires" in attributes:
        return parsedate_to_datetime(attributes["expires"]).timestamp() <= 0
    return False
